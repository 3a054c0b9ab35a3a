"""What this worker runs: one process per task that the assignment gives it, and the truth about each.

Used by the herder's thread alone. :meth:`LocalTasks.follow` is level-triggered: it compares what is wanted with what runs,
and may be called as often as one likes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from connect.api import Offset, Partition
from connect.runtime.backoff import Backoff
from connect.runtime.herding.assignment import TaskId, Turn
from connect.runtime.herding.statuses import State, Status
from connect.runtime.tasks.task import Kind, TaskEvent, TaskExited, TaskProgress, TaskSpec, TaskStateChanged, TaskTopics
from connect.service.settings import WorkerSettings

log = logging.getLogger(__name__)

# A process that has lived for so long has recovered: its next death is the first again.
RECOVERED_SECONDS = 60.0
# Predecessors get their grace, then a moment to say so; after that their worker is taken to be beyond saying anything.
PREDECESSOR_MARGIN_SECONDS = 10.0


class Process(Protocol):
    """A task's process (:class:`connect.runtime.tasks.task_process.TaskProcess`)."""

    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


StartProcess = Callable[[TaskSpec, Callable[[Any, TaskEvent], None]], Process]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task that the assignment gives to this worker. ``after``: turns that must be over before it starts."""

    kind: Kind
    config: Mapping[str, str]
    partitions: tuple[Any, ...]
    epoch: int
    paused: bool
    version: str
    after: Mapping[int, Turn] = field(default_factory=dict)


@dataclass(slots=True)
class LocalTask:
    """A task at this worker. ``process`` None: it has failed, or waits for its next try at ``start_at`` (monotonic s)."""

    wanted: Wanted
    process: Process | None = None
    state: State = State.RESTARTING
    trace: str | None = None
    progress: TaskProgress | None = None
    started_at: float = 0.0
    start_at: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
    kill_at: float | None = None
    restart: bool = False

    @property
    def stopping(self) -> bool:
        return self.kill_at is not None


@dataclass
class LocalTasks:
    """The tasks of one worker. ``clock`` is monotonic seconds."""

    settings: WorkerSettings
    start_process: StartProcess
    on_event: Callable[[Process, TaskEvent], None]
    offsets: Callable[[Collection[str]], Mapping[str, list[tuple[Partition, Offset]]]]
    """Fresh offsets of the given source connectors; may raise when the log is away."""
    is_over: Callable[[TaskId, Turn], bool]
    clock: Callable[[], float]
    tasks: dict[TaskId, LocalTask] = field(default_factory=dict)
    owed: dict[TaskId, int] = field(default_factory=dict)
    """Epochs under which tasks were given to this worker: each is to be declared ended when it is."""
    _by_process: dict[int, TaskId] = field(default_factory=dict)
    _waiting_since: dict[TaskId, tuple[int, float]] = field(default_factory=dict)

    def note(self, given: Mapping[TaskId, int]) -> None:
        """An assignment has come: these tasks, with these epochs, are this worker's. Call it for every assignment."""
        self.owed.update(given)

    def follow(self, wanted: Mapping[TaskId, Wanted], undecided: Collection[TaskId] = ()) -> None:
        """Stops what is no longer wanted, starts what is, and lets the ``undecided`` go on as they are."""
        now = self.clock()
        for task_id, task in list(self.tasks.items()):
            self._keep_or_stop(task_id, task, wanted.get(task_id), task_id in undecided, now)
        due = [task_id for task_id, task in wanted.items() if self._may_start(task_id, task, now)]
        if due:
            self._start(due, wanted, now)
        self._waiting_since = {task_id: waits for task_id, waits in self._waiting_since.items() if task_id in wanted}

    def restart(self, task_id: TaskId) -> None:
        """Stops the task and starts it again."""
        task = self.tasks.get(task_id)
        if task is None:
            return
        task.restart, task.state, task.trace = True, State.RESTARTING, None
        if task.process is None:
            task.backoff.reset()
            task.start_at = self.clock()
        elif not task.stopping:
            self._ask_to_stop(task, self.clock())

    def handle(self, process: Process, event: TaskEvent) -> tuple[TaskId, tuple[str, ...]] | None:
        """Takes in what a process says. Gives the topics it has used for the first time, if it says that."""
        task_id = self._by_process.get(id(process))
        task = self.tasks.get(task_id) if task_id else None
        if task_id is None or task is None or task.process is not process:
            return None
        match event:
            case TaskStateChanged(state="RUNNING" | "PAUSED" | "FAILED") if not task.restart:
                task.state, task.trace = State(event.state), event.trace
            case TaskProgress():
                task.progress = event
            case TaskTopics():
                return task_id, event.topics
            case TaskExited():
                self._exited(task_id, task, event.exit_code)
        return None

    def statuses(self) -> dict[TaskId, Status]:
        """What is true of each task here."""
        return {
            task_id: Status(task.state, self.settings.worker_id, task.wanted.epoch, task.wanted.version, task.trace)
            for task_id, task in self.tasks.items()
        }

    def ended(self, wanted: Mapping[TaskId, Wanted]) -> dict[TaskId, int]:
        """Tasks that were this worker's and run no more, with their epochs, until :meth:`forget` is called for them."""
        return {
            task_id: epoch
            for task_id, epoch in self.owed.items()
            if task_id not in self.tasks and (task_id not in wanted or wanted[task_id].epoch != epoch)
        }

    def forget(self, task_id: TaskId) -> None:
        self.owed.pop(task_id, None)

    def next_deadline(self) -> float | None:
        """When :meth:`follow` has something to do although nothing happens (monotonic seconds)."""
        moments = [moment for task in self.tasks.values() for moment in (task.kill_at, task.start_at) if moment is not None]
        return min(moments, default=None)

    def kill_all(self) -> None:
        for task in self.tasks.values():
            if task.process is not None:
                task.process.kill()

    def _keep_or_stop(self, task_id: TaskId, task: LocalTask, wanted: Wanted | None, undecided: bool, now: float) -> None:
        if task.stopping and task.process is not None:
            if now >= (task.kill_at or now):
                log.warning("%s did not stop within %d ms: killed", task_id, self.settings.task_shutdown_graceful_timeout_ms)
                task.process.kill()
                task.kill_at = now + 1
            return
        if wanted is None and undecided:
            return
        if wanted is None or wanted.epoch != task.wanted.epoch:
            if task.process is None:
                del self.tasks[task_id]
            else:
                self._ask_to_stop(task, now)
        elif wanted.paused != task.wanted.paused:
            task.wanted = wanted
            if task.process is not None:
                (task.process.pause if wanted.paused else task.process.resume)()

    def _ask_to_stop(self, task: LocalTask, now: float) -> None:
        assert task.process
        task.kill_at = now + self.settings.task_shutdown_graceful_timeout_ms / 1000
        task.process.stop()

    def _may_start(self, task_id: TaskId, wanted: Wanted, now: float) -> bool:
        here = self.tasks.get(task_id)
        if here is not None:
            return here.process is None and here.start_at is not None and here.start_at <= now
        epoch, since = self._waiting_since.setdefault(task_id, (wanted.epoch, now))
        if epoch != wanted.epoch:
            self._waiting_since[task_id] = (wanted.epoch, since := now)
        ahead = [TaskId(task_id.connector, task) for task, turn in wanted.after.items() if not self._over(task_id, task, turn)]
        patience = self.settings.task_shutdown_graceful_timeout_ms / 1000 + PREDECESSOR_MARGIN_SECONDS
        if ahead and now - since > patience:
            log.warning("%s starts although nothing was heard of the end of %s", task_id, ", ".join(map(str, ahead)))
            return True
        return not ahead

    def _over(self, task_id: TaskId, task: int, turn: Turn) -> bool:
        predecessor = TaskId(task_id.connector, task)
        if turn.worker == self.settings.advertised_url:
            here = self.tasks.get(predecessor)
            return here is None or here.wanted.epoch > turn.epoch
        return self.is_over(predecessor, turn)

    def _start(self, due: Collection[TaskId], wanted: Mapping[TaskId, Wanted], now: float) -> None:
        try:
            offsets = self.offsets({task.connector for task in due if wanted[task].kind == "source"})
        except Exception as error:  # noqa: BLE001 - the log is away: whatever the client says, we ask again
            log.warning("The offsets cannot be read at the moment, so %d tasks wait: %s", len(due), error)
            return
        for task_id in due:
            task = self.tasks.setdefault(task_id, LocalTask(wanted[task_id]))
            task.wanted = wanted[task_id]
            spec = self._spec(task_id, task.wanted, offsets.get(task_id.connector, []))
            process = self.start_process(spec, self.on_event)
            task.process, task.start_at, task.kill_at, task.restart = process, None, None, False
            task.started_at, task.progress = now, None
            self._by_process[id(process)] = task_id
            self.owed[task_id] = task.wanted.epoch
            try:
                process.start()
            except OSError as error:
                log.warning("The process of %s cannot be started: %s", task_id, error)
                self._exited(task_id, task, 255)

    def _spec(self, task_id: TaskId, wanted: Wanted, offsets: list[tuple[Partition, Offset]]) -> TaskSpec:
        return TaskSpec(
            connector=task_id.connector,
            task=task_id.task,
            kind=wanted.kind,
            config=wanted.config,
            partitions=list(wanted.partitions),
            offsets=[list(pair) for pair in offsets],
            epoch=wanted.epoch,
            paused=wanted.paused,
            settings=self.settings,
        )

    def _exited(self, task_id: TaskId, task: LocalTask, exit_code: int) -> None:
        now = self.clock()
        self._by_process.pop(id(task.process), None)
        task.process = None
        if task.restart:
            task.kill_at, task.start_at, task.restart = None, now, False
            task.backoff.reset()
        elif task.stopping:
            del self.tasks[task_id]
        elif task.state is not State.FAILED:
            self._try_again(task_id, task, exit_code, now)

    def _try_again(self, task_id: TaskId, task: LocalTask, exit_code: int, now: float) -> None:
        """It died without a word: killed, out of memory, a crash in a library. Nothing is wrong with its configuration."""
        if now - task.started_at > RECOVERED_SECONDS:
            task.backoff.reset()
        delay = task.backoff.next_seconds()
        task.start_at, task.state = now + delay, State.RESTARTING
        how = f"was ended by signal {-exit_code}" if exit_code < 0 else f"exited with code {exit_code}"
        task.trace = (
            f"The process of task {task_id} {how} without saying why. "
            f"Restart number {task.backoff.attempt} follows in {delay:.1f} s."
            + (" Signal 9 is also what the kernel sends when memory runs out: see its log." if exit_code == -9 else "")
        )
        log.warning("%s", task.trace)
