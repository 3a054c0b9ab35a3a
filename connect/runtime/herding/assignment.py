"""Who runs what: the record the leader writes and every worker follows, and the rules it is made by. Pure.

The rules, in this order:

1. *Nobody else moves.* A task stays with its worker and keeps its partitions unless its own connector's plan changed, its
   worker is gone, or a worker has just joined.
2. A task without a worker goes to the one with the fewest tasks, then the fewest tasks of the same connector.
3. *Balance on joining only, and only towards the newcomer*: it is given tasks, one at a time from whoever has most, until
   it has one fewer than whoever has most. So from an even spread every worker ends within one task of every other, and
   no more tasks move than the newcomer's share. Deleting a connector never moves a task of another.

A task that changed must not start before those it replaces have stopped: ``Deal.after`` names them (see ``tasks_ahead``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import orjson

from connect.runtime.herding.dealing import deal, moved

Kind = Literal["source", "sink"]


class TaskId(NamedTuple):
    """One task of one connector."""

    connector: str
    task: int

    def __str__(self) -> str:
        return f"{self.connector}-{self.task}"


class Turn(NamedTuple):
    """A task at one worker from one epoch on: what has to be over before its successor may start."""

    worker: str
    epoch: int


@dataclass(frozen=True, slots=True)
class TaskAssignment:
    """One task: its worker's URL, what it reads, and since which epoch nothing of this has changed."""

    worker: str
    partitions: tuple[Any, ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class Deal:
    """One connector's share of the assignment.

    ``config`` is the :func:`fingerprint` of the configuration it was made for; ``since`` the epoch of the last change, and
    ``after`` the turns that this change ended, by task.
    """

    kind: Kind
    version: str
    config: str
    tasks: Mapping[int, TaskAssignment]
    since: int
    after: Mapping[int, Turn] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """The whole record. ``workers`` were members when it was made; ``leader`` wrote it."""

    epoch: int = 0
    leader: str | None = None
    workers: tuple[str, ...] = ()
    deals: Mapping[str, Deal] = field(default_factory=dict)

    def tasks_of(self, worker: str) -> dict[TaskId, TaskAssignment]:
        """What one worker is to run."""
        return {
            TaskId(name, number): task
            for name, deal_ in self.deals.items()
            for number, task in deal_.tasks.items()
            if task.worker == worker
        }

    def encode(self) -> bytes:
        """JSON: ``{"epoch", "leader", "workers", "connectors": {name: url}, "tasks": {name: {"0": ...}}, "deals": ...}``."""
        return orjson.dumps(
            {
                "epoch": self.epoch,
                "leader": self.leader,
                "workers": self.workers,
                "connectors": dict.fromkeys(self.deals, self.leader),
                "tasks": {name: _encoded_tasks(deal_) for name, deal_ in self.deals.items()},
                "deals": {name: _encoded_deal(deal_) for name, deal_ in self.deals.items()},
            }
        )

    @classmethod
    def decode(cls, value: bytes) -> Assignment:
        """Raises ValueError or KeyError where the value is no assignment."""
        found = orjson.loads(value)
        deals = {name: _decoded_deal(about, found["tasks"].get(name, {})) for name, about in found["deals"].items()}
        return cls(found["epoch"], found["leader"], tuple(found["workers"]), deals)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one connector: ``tasks`` tasks, which share ``partitions`` (JSON values)."""

    kind: Kind
    version: str
    config: str
    tasks: int
    partitions: tuple[Any, ...] = ()
    warnings: tuple[str, ...] = ()


def fingerprint(config: Mapping[str, str]) -> str:
    """Tells configurations apart: 16 hex digits."""
    return blake2b(orjson.dumps(dict(config), option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def assign(previous: Assignment, work: Mapping[str, Work], workers: Iterable[str], leader: str) -> Assignment:
    """The next assignment, or ``previous`` itself where nothing has to change. ``workers`` holds one at least."""
    live = tuple(sorted(set(workers)))
    epoch = previous.epoch + 1
    partitions = {name: _dealt_partitions(previous.deals.get(name), wanted) for name, wanted in work.items()}
    places = _places(previous, {name: wanted.tasks for name, wanted in work.items()}, live)
    deals = {
        name: _next_deal(previous.deals.get(name), wanted, partitions[name], places, name, epoch)
        for name, wanted in work.items()
    }
    following = Assignment(epoch, leader, live, deals)
    return previous if replace(following, epoch=previous.epoch) == previous else following


def tasks_ahead(deal_: Deal, task: int) -> Mapping[int, Turn]:
    """Turns that must be over before this task may start: those ended by the change that made the task what it is."""
    return deal_.after if deal_.tasks[task].epoch == deal_.since else {}


def _dealt_partitions(before: Deal | None, wanted: Work) -> list[tuple[Any, ...]]:
    keep = before is not None and before.config == wanted.config and len(before.tasks) == wanted.tasks
    held = [before.tasks[number].partitions for number in sorted(before.tasks)] if before is not None and keep else []
    return deal(wanted.partitions, wanted.tasks, held)


def _next_deal(
    before: Deal | None,
    wanted: Work,
    partitions: Sequence[tuple[Any, ...]],
    places: Mapping[TaskId, str],
    name: str,
    epoch: int,
) -> Deal:
    old = before.tasks if before else {}
    # A partition that changes hands, or another configuration, is a new beginning for all tasks of the connector.
    anew = before is None or before.config != wanted.config or moved([old[n].partitions for n in sorted(old)], partitions)
    tasks: dict[int, TaskAssignment] = {}
    for number in range(wanted.tasks):
        task = TaskAssignment(places[TaskId(name, number)], partitions[number], epoch)
        same = not anew and number in old and replace(task, epoch=old[number].epoch) == old[number]
        tasks[number] = old[number] if same else task
    ended = {number: Turn(task.worker, task.epoch) for number, task in old.items() if tasks.get(number) is not task}
    if before and not ended and len(old) == len(tasks):
        return Deal(wanted.kind, wanted.version, wanted.config, tasks, before.since, before.after, wanted.warnings)
    return Deal(wanted.kind, wanted.version, wanted.config, tasks, epoch, ended, wanted.warnings)


def _places(previous: Assignment, counts: Mapping[str, int], live: Sequence[str]) -> dict[TaskId, str]:
    """A worker for every task: the one it has, else the least loaded; then a share for those who have just joined."""
    tasks = [TaskId(name, number) for name in sorted(counts) for number in range(counts[name])]
    held = {task: _worker_of(previous, task) for task in tasks}
    loads: dict[str, dict[TaskId, None]] = {worker: {} for worker in live}
    for task in tasks:
        worker = held[task]
        if worker in loads:
            loads[worker][task] = None
    for task in tasks:
        if held[task] not in loads:
            loads[_least_loaded(loads, task.connector)][task] = None
    for newcomer in [worker for worker in live if worker not in previous.workers]:
        while len(loads[fullest := max(loads, key=lambda worker: len(loads[worker]))]) > len(loads[newcomer]) + 1:
            task = next(reversed(loads[fullest]))
            del loads[fullest][task]
            loads[newcomer][task] = None
    return {task: worker for worker, held_tasks in loads.items() for task in held_tasks}


def _worker_of(previous: Assignment, task: TaskId) -> str | None:
    deal_ = previous.deals.get(task.connector)
    assigned = deal_.tasks.get(task.task) if deal_ else None
    return assigned.worker if assigned else None


def _least_loaded(loads: Mapping[str, Mapping[TaskId, None]], connector: str) -> str:
    return min(loads, key=lambda worker: (len(loads[worker]), sum(task.connector == connector for task in loads[worker])))


def _encoded_tasks(deal_: Deal) -> dict[str, Any]:
    return {
        str(number): {"worker": task.worker, "partitions": task.partitions, "epoch": task.epoch}
        for number, task in deal_.tasks.items()
    }


def _encoded_deal(deal_: Deal) -> dict[str, Any]:
    return {
        "kind": deal_.kind,
        "version": deal_.version,
        "config": deal_.config,
        "since": deal_.since,
        "after": {str(number): list(turn) for number, turn in deal_.after.items()},
        "warnings": deal_.warnings,
    }


def _decoded_deal(about: Mapping[str, Any], tasks: Mapping[str, Any]) -> Deal:
    return Deal(
        about["kind"],
        about["version"],
        about["config"],
        {int(number): TaskAssignment(t["worker"], tuple(t["partitions"]), t["epoch"]) for number, t in tasks.items()},
        about["since"],
        {int(number): Turn(*turn) for number, turn in about["after"].items()},
        tuple(about["warnings"]),
    )
