"""The three internal topics, in Kafka Connect's own record formats: a JVM worker can read what we write, and the reverse.

Each store follows its topic in a thread of its own. What a store tells its ``on_change`` arrives on that thread, in the
topic's order; everything else may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from connect.api import Offset, Partition
from connect.runtime.herding.assignment import Assignment, TaskId
from connect.runtime.herding.config_state import ASSIGNMENT_KEY
from connect.runtime.herding.statuses import (
    State,
    Status,
    TopicUse,
    connector_key,
    connector_of,
    task_key,
    task_of,
    topic_key,
    use_of,
)
from connect.runtime.requests import TargetState

OnChange = Callable[[bytes, bytes | None], None]
# A send that has not been seen in the topic for so long is sent again.
RESEND_SECONDS = 30.0
# Long enough for a broker that restarts; nobody waits much longer for an answer.
WRITE_SECONDS = 10.0


class Table(Protocol):
    """A compacted topic as a table (:class:`connect.service.topic_table.TopicTable`)."""

    def start(self) -> None:
        """Returns when read to the end."""

    def stop(self) -> None: ...
    def get(self, key: bytes) -> bytes | None: ...
    def put(self, key: bytes, value: bytes | None, timeout_seconds: float) -> None:
        """Returns when read back; raises RetriableError when that takes too long."""

    def send(self, key: bytes, value: bytes | None) -> None:
        """Does not wait."""

    def refresh(self, timeout_seconds: float) -> None:
        """Returns when all that is in the topic now has been applied."""


class ConfigStore:
    """Connector and task configurations, target states, restart requests and the assignment."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.start = table.start
        self.stop = table.stop

    def put_connector(self, name: str, config: Mapping[str, str]) -> None:
        self._table.put(f"connector-{name}".encode(), _json({"properties": dict(config)}), WRITE_SECONDS)

    def remove_connector(self, name: str) -> None:
        """As the JVM does it: the task and commit records stay."""
        self._table.send(f"connector-{name}".encode(), None)
        self._table.put(f"target-state-{name}".encode(), None, WRITE_SECONDS)

    def put_tasks(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        """All of a connector's task configurations; the commit makes them apply together."""
        for number, config in enumerate(configs):
            self._table.send(f"task-{name}-{number}".encode(), _json({"properties": dict(config)}))
        self._table.put(f"commit-{name}".encode(), _json({"tasks": len(configs)}), WRITE_SECONDS)

    def put_target_state(self, name: str, state: TargetState) -> None:
        # ``state`` is for workers before 3.5, which know no STOPPED.
        first = TargetState.PAUSED if state is TargetState.STOPPED else state
        self._table.put(f"target-state-{name}".encode(), _json({"state": first, "state.v2": state}), WRITE_SECONDS)

    def put_restart(self, name: str, *, include_tasks: bool, only_failed: bool) -> None:
        content = {"include-tasks": include_tasks, "only-failed": only_failed}
        self._table.put(f"restart-connector-{name}".encode(), _json(content), WRITE_SECONDS)

    def put_assignment(self, assignment: Assignment) -> None:
        self._table.put(ASSIGNMENT_KEY, assignment.encode(), WRITE_SECONDS)


class OffsetStore:
    """Where sources go on: key ``["name", {partition}]``, value ``{offset}``; task processes write, this one reads."""

    def __init__(self, make_table: Callable[[OnChange], Table]) -> None:
        self._lock = threading.Lock()
        self._offsets: dict[str, dict[bytes, tuple[Partition, Offset]]] = {}
        self._table = make_table(self._changed)
        self.start = self._table.start
        self.stop = self._table.stop

    def refresh(self) -> None:
        """Returns when all that is in the topic now has been read; raises RetriableError when that takes too long."""
        self._table.refresh(WRITE_SECONDS)

    def offsets(self, connector: str) -> list[tuple[Partition, Offset]]:
        """As far as read; call :meth:`refresh` first where it has to be the newest."""
        with self._lock:
            return list(self._offsets.get(connector, {}).values())

    def forget(self, connector: str) -> None:
        """Writes a tombstone for each of the connector's partitions."""
        self.refresh()
        with self._lock:
            keys = list(self._offsets.get(connector, {}))
        for key in keys:
            self._table.put(key, None, WRITE_SECONDS)

    def _changed(self, key: bytes, value: bytes | None) -> None:
        try:
            name, partition = orjson.loads(key)
            offset = None if value is None else orjson.loads(value)
        except (ValueError, TypeError):
            return  # somebody else's record
        if not isinstance(name, str) or not isinstance(partition, dict):
            return
        with self._lock:
            held = self._offsets.setdefault(name, {})
            if offset is None:
                held.pop(key, None)
            else:
                held[key] = (partition, offset)


class StatusStore:
    """What everything is doing, as read back from the topic."""

    def __init__(self, make_table: Callable[[OnChange], Table], on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._connectors: dict[str, Status] = {}
        self._tasks: dict[TaskId, Status] = {}
        self._topics: dict[str, frozenset[str]] = {}
        self._ended: dict[TaskId, int] = {}
        self._sent: dict[bytes, tuple[bytes | None, float]] = {}
        self._table = make_table(self._changed)
        self.start = self._table.start
        self.stop = self._table.stop

    def connectors(self) -> dict[str, Status]:
        with self._lock:
            return dict(self._connectors)

    def tasks(self) -> dict[TaskId, Status]:
        with self._lock:
            return dict(self._tasks)

    def task(self, task_id: TaskId) -> Status | None:
        with self._lock:
            return self._tasks.get(task_id)

    def topics(self) -> dict[str, frozenset[str]]:
        """The topics that each connector has used."""
        with self._lock:
            return dict(self._topics)

    def ended(self, task: TaskId, epoch: int) -> bool:
        """Has a worker said that it runs this task no more, for this epoch or a later one?"""
        with self._lock:
            return self._ended.get(task, -1) >= epoch

    def show_connector(self, name: str, status: Status | None) -> None:
        self._show(connector_key(name), status)

    def show_task(self, task: TaskId, status: Status | None) -> None:
        """Makes the topic say so; None removes the record. Cheap to repeat: only differences are sent."""
        self._show(task_key(task), status)

    def show_topic(self, topic: str, task: TaskId) -> None:
        if topic not in self.topics().get(task.connector, ()):
            use = TopicUse(topic, task.connector, task.task, time.time_ns() // 1_000_000)
            self._table.send(topic_key(topic, task.connector), use.encode())

    def forget_topics(self, connector: str) -> None:
        for topic in self.topics().get(connector, ()):
            self._table.send(topic_key(topic, connector), None)

    def _show(self, key: bytes, status: Status | None) -> None:
        value = None if status is None else status.encode()
        now = time.monotonic()
        with self._lock:
            on_its_way = self._sent.get(key)
            newest = on_its_way[0] if on_its_way and now - on_its_way[1] < RESEND_SECONDS else self._table.get(key)
            if newest == value:
                return
            self._sent[key] = (value, now)
        self._table.send(key, value)

    def _changed(self, key: bytes, value: bytes | None) -> None:
        with self._lock:
            if key in self._sent and self._sent[key][0] == value:
                del self._sent[key]
        try:
            self._apply(key, value)
        except (ValueError, KeyError, TypeError):
            return  # somebody else's record
        self._on_change()

    def _apply(self, key: bytes, value: bytes | None) -> None:
        with self._lock:
            if (task := task_of(key)) is not None:
                status = _set(self._tasks, task, value)
                if status is not None and status.state is State.UNASSIGNED:
                    self._ended[task] = max(status.generation, self._ended.get(task, -1))
            elif (name := connector_of(key)) is not None:
                _set(self._connectors, name, value)
            elif (use := use_of(key)) is not None:
                topic, name = use
                others = self._topics.get(name, frozenset()) - {topic}
                self._topics[name] = others if value is None else others | {topic}


def _set(statuses: dict[Any, Status], key: Any, value: bytes | None) -> Status | None:
    if value is None:
        statuses.pop(key, None)
        return None
    statuses[key] = status = Status.decode(value)
    return status


def _json(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content)
