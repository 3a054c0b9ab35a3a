"""The herder: the one thread of a worker that decides. Everything else puts an event into its queue and goes on.

An iteration takes in what has happened and then compares what is with what ought to be: this worker's tasks with the
assignment, and, where this worker leads, the assignment with the connectors. So nothing hangs on seeing every event, and
what fails while the log is away is done at a later iteration.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from connect.api import Offset, Partition, RetriableError
from connect.runtime.herding.assignment import TaskId, Turn
from connect.runtime.herding.cluster_view import ClusterView
from connect.runtime.herding.commands import Commands, Stopping
from connect.runtime.herding.config_state import ASSIGNMENT_KEY, ConfigState, apply
from connect.runtime.herding.discovery import Discovery, OutlineFailed, OutlineFound, TopicsFound
from connect.runtime.herding.events import Event, ProcessSaid, Submitted, Woken
from connect.runtime.herding.following import wanted_tasks
from connect.runtime.herding.leader import Leader
from connect.runtime.herding.local_tasks import LocalTasks, Process
from connect.runtime.herding.presence import Presence
from connect.runtime.herding.statuses import State
from connect.runtime.herding.stores import ConfigStore, OffsetStore, StatusStore
from connect.runtime.herding.surroundings import Surroundings
from connect.runtime.herding.task_reports import report_tasks
from connect.runtime.requests import NotFound, Request, RequestError
from connect.runtime.tasks.task import TaskEvent
from connect.service.membership import Members
from connect.service.settings import WorkerSettings

log = logging.getLogger(__name__)

# Rounds of one iteration: what the leader writes changes what there is to do.
ROUNDS = 5
# How long a stop or a delete may take to answer; what was asked for goes on after that.
STOP_MARGIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody waits for tasks to stop, but not longer than ``until`` (monotonic seconds)."""

    future: Future[Any]
    turns: Mapping[TaskId, Turn]
    until: float


class Herder:
    """:meth:`submit`, :meth:`offsets`, :meth:`members_changed`, :meth:`wake` and ``view`` are for any thread."""

    def __init__(self, settings: WorkerSettings, surroundings: Surroundings) -> None:
        self.settings = settings
        self.view = ClusterView()
        self._world = surroundings
        self._clock = surroundings.clock
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._changes: deque[tuple[bytes, bytes | None]] = deque()
        self._state = ConfigState()
        self._opened = False
        self._stopping = False
        self._waiting: list[Waiting] = []
        self._restarts_seen: dict[str, int] = {}
        self._presence = Presence(settings.advertised_url)
        self._thread = threading.Thread(target=self._run, name="herder", daemon=True)
        self.configs = ConfigStore(surroundings.make_table("config", self._config_changed))
        self.offset_store = OffsetStore(lambda on_change: surroundings.make_table("offset", on_change))
        self.statuses = StatusStore(lambda on_change: surroundings.make_table("status", on_change), self.wake)
        self._discovery = Discovery(
            surroundings.find_outline, surroundings.list_topics, _is_lasting, self._events.put, surroundings.make_pool
        )
        self._leader = Leader(settings, self.configs, self.statuses, self._discovery, self._absorbed, self._clock)
        self._local = LocalTasks(
            settings, surroundings.start_process, self._process_said, self._fresh_offsets, self._is_over, self._clock
        )
        self._commands = Commands(
            settings.advertised_url, self.configs, self._leader, self._local, self._present, self._forget_offsets
        )

    def open(self) -> None:
        """Reads the three topics, all at once. Raises EnvironmentProblem where one cannot be used."""
        stores = (self.configs, self.offset_store, self.statuses)
        with ThreadPoolExecutor(len(stores), "open") as pool:
            for opening in [pool.submit(store.start) for store in stores]:
                opening.result()
        state = self._absorbed()
        self._note_assignment()
        self.view = ClusterView(cluster_id=self._world.cluster_id(), state=state)
        self._opened = True

    def start(self) -> None:
        self._thread.start()
        self.wake()

    def submit(self, request: Request) -> Future[Any]:
        """The future completes once it is done, or with a RequestError."""
        future: Future[Any] = Future()
        self._events.put(Submitted(request, future))
        return future

    def members_changed(self, members: Members) -> None:
        self._events.put(members)

    def wake(self) -> None:
        self._events.put(Woken())

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """``[{"partition", "offset"}]``, as fresh as the log has them; blocks. Raises NotFound."""
        view = self.view
        if name not in view.state.connectors:
            raise NotFound(f"Connector {name} not found")
        if view.kind(name) == "sink":
            found: list[tuple[Any, Any]] = list(self._world.group_offsets.offsets(name))
        else:
            self.offset_store.refresh()
            found = list(self.offset_store.offsets(name))
        return [{"partition": dict(partition), "offset": dict(offset)} for partition, offset in found]

    def stop(self) -> None:
        """Stops this worker's tasks, says so in the status topic, and ends."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join()
        self._discovery.stop()
        for store in (self.configs, self.offset_store, self.statuses):
            store.stop()

    def iterate(self, first: Event | None = None) -> None:
        """One iteration: takes in ``first`` and all that is queued, then mends the differences. The herder's thread only."""
        if first is not None:
            self._take_in(first)
        while not self._events.empty():
            event = self._events.get()
            self._stopping = self._stopping or event is None
            if event is not None:
                self._take_in(event)
        for _ in range(ROUNDS):
            before = self._absorbed()
            self._mend()
            if self._absorbed() is before:
                break
        self._answer_waiting()
        self._present()
        self._set_alarm()

    def _run(self) -> None:
        while not self._stopping:
            event = self._events.get()
            if event is None:
                break
            try:
                self.iterate(event)
            except RetriableError as error:
                log.warning("The log is away: %s Trying again.", error)
                self._world.wake_in(1.0, self.wake)
            except Exception:  # the thread's boundary: a bug in one iteration must not end the worker's decisions
                log.exception("The herder stumbled; it goes on")
                self._world.wake_in(1.0, self.wake)
        self._stop_tasks()

    def _take_in(self, event: Event) -> None:
        match event:
            case Submitted():
                self._carry_out(event)
            case ProcessSaid():
                used = self._local.handle(event.process, event.event)
                for topic in used[1] if used else ():
                    self.statuses.show_topic(topic, used[0] if used else TaskId("", 0))
            case Members():
                led = self._presence.leads
                self._presence.update(event, self._clock())
                if self._presence.leads and not led:
                    log.info("This worker leads (generation %d)", event.generation)
                if led and not self._presence.leads:
                    self._leader.resign()
            case OutlineFound() | OutlineFailed() | TopicsFound():
                self._leader.take_in(event)
            case Woken():
                pass

    def _mend(self) -> None:
        """Compares what is with what ought to be: this worker's tasks, then, if it leads, the cluster."""
        if not self._opened or self._presence.members is None:
            return
        state = self._absorbed()
        wanted, undecided = wanted_tasks(state, self.settings.advertised_url)
        if not self._presence.takes_part(self._clock()):
            wanted, undecided = {}, set()
        self._obey_restarts(state)
        self._local.follow(wanted, undecided)
        report_tasks(self._local, self.statuses, wanted, self.settings.worker_id)
        if self._presence.leads:
            self._leader.lead(self._presence.workers(state.assignment.workers, self._clock()))

    def _obey_restarts(self, state: ConfigState) -> None:
        """Restart requests are for the tasks that run when they come: those from before this worker's time find none."""
        for name, restart in state.restarts.items():
            if self._restarts_seen.get(name, 0) == restart.serial:
                continue
            self._restarts_seen[name] = restart.serial
            for task_id, task in list(self._local.tasks.items()):
                meant = restart.include_tasks and (not restart.only_failed or task.state is State.FAILED)
                if task_id.connector == name and meant:
                    self._local.restart(task_id)

    def _carry_out(self, submitted: Submitted) -> None:
        future = submitted.future
        if not future.set_running_or_notify_cancel():
            return
        try:
            answer = self._commands.carry_out(submitted.request)
        except RequestError as error:
            future.set_exception(error)
        except Exception as error:  # a request's boundary: whoever asked is told
            log.warning("%s failed", submitted.request, exc_info=error)
            future.set_exception(RequestError(f"The log did not take it: {error}"))
        else:
            if isinstance(answer, Stopping):
                patience = self.settings.task_shutdown_graceful_timeout_ms / 1000 + STOP_MARGIN_SECONDS
                self._waiting.append(Waiting(future, answer.turns, self._clock() + patience))
            else:
                future.set_result(answer)

    def _answer_waiting(self) -> None:
        now = self._clock()
        for waiting in list(self._waiting):
            if now >= waiting.until or all(self._is_over(task_id, turn) for task_id, turn in waiting.turns.items()):
                self._waiting.remove(waiting)
                waiting.future.set_result(None)

    def _is_over(self, task_id: TaskId, turn: Turn) -> bool:
        """Has a worker ended a task? It says so itself, or somebody newer has it, or the worker is gone."""
        said = self.statuses.task(task_id)
        return (
            turn.worker not in self._presence.workers(self._state.assignment.workers, self._clock())
            or self.statuses.ended(task_id, turn.epoch)
            or (said is not None and said.generation > turn.epoch)
        )

    def _absorbed(self) -> ConfigState:
        """The state with all records that have been read so far."""
        while self._changes:
            key, value = self._changes.popleft()
            self._state = apply(self._state, key, value)
            if self._opened and key == ASSIGNMENT_KEY:
                self._note_assignment()
        return self._state

    def _note_assignment(self) -> None:
        given = self._state.assignment.tasks_of(self.settings.advertised_url)
        self._local.note({task_id: task.epoch for task_id, task in given.items()})

    def _present(self) -> ClusterView:
        """Makes the view of this moment, and shows it."""
        state = self._absorbed()
        self.view = ClusterView(
            # Once it knows the cluster it can show it, in the group or out of it.
            ready=self.view.ready or (self._opened and self._presence.joined),
            is_leader=self._presence.leads,
            leader_url=self._presence.leader,
            cluster_id=self.view.cluster_id,
            state=state,
            connector_statuses=self.statuses.connectors(),
            task_statuses=self.statuses.tasks(),
            topics_used=self.statuses.topics(),
            progress={task_id: task.progress for task_id, task in self._local.tasks.items() if task.progress},
        )
        return self.view

    def _set_alarm(self) -> None:
        """Has the schedule wake this thread when there is something to do although nothing happens."""
        now = self._clock()
        moments = [
            self._local.next_deadline(),
            self._presence.next_deadline(now),
            *(waiting.until for waiting in self._waiting),
        ]
        if self._presence.leads:
            moments.append(self._leader.next_deadline())
        due = [moment for moment in moments if moment is not None]
        if due:
            self._world.wake_in(max(0.0, min(due) - now), self.wake)

    def _stop_tasks(self) -> None:
        """Asks all tasks to end, kills those that do not in time, and says so: the others may start them at once."""
        self._local.follow({})
        until = self._clock() + self.settings.task_shutdown_graceful_timeout_ms / 1000
        while self._local.tasks and self._clock() < until + 1:
            try:
                event = self._events.get(timeout=max(0.01, min(until - self._clock(), 0.5)))
            except queue.Empty:
                event = None
            if isinstance(event, ProcessSaid):
                self._local.handle(event.process, event.event)
            elif isinstance(event, Submitted):
                event.future.set_exception(RequestError("This worker is shutting down."))
            self._local.follow({})
        self._local.kill_all()
        if self._opened:
            report_tasks(self._local, self.statuses, {}, self.settings.worker_id)

    def _config_changed(self, key: bytes, value: bytes | None) -> None:
        self._changes.append((key, value))
        self.wake()

    def _process_said(self, process: Process, event: TaskEvent) -> None:
        self._events.put(ProcessSaid(process, event))

    def _fresh_offsets(self, connectors: Collection[str]) -> dict[str, list[tuple[Partition, Offset]]]:
        if connectors:
            self.offset_store.refresh()
        return {name: self.offset_store.offsets(name) for name in connectors}

    def _forget_offsets(self, name: str, kind: str) -> None:
        if kind == "sink":
            self._world.group_offsets.forget(name)
        else:
            self.offset_store.forget(name)


def _is_lasting(error: Exception) -> bool:
    return not isinstance(error, RetriableError)
