"""What connectors and tasks are doing, as the status topic holds it. Pure.

Records (Kafka Connect's KafkaStatusBackingStore):

=====================================  ============================================================================
``status-connector-{name}``            ``{"state", "trace", "worker_id", "generation", "version"}``
``status-task-{name}-{n}``             the same
``status-topic-{topic}:connector-{n}``  ``{"topic": {"name", "connector", "task", "discoverTimestamp"}}`` (ms since 1970)
=====================================  ============================================================================

A task's ``generation`` is the epoch since which its worker has had it, a connector's that of its last change.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from connect.runtime.herding.assignment import TaskId


class State(StrEnum):
    """Kafka Connect's states; clients have closed lists of them. STOPPED is for connectors alone."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"


@dataclass(frozen=True, slots=True)
class Status:
    """One status record. ``worker_id`` is ``host:port``; ``trace`` says why, for FAILED and RESTARTING."""

    state: State
    worker_id: str
    generation: int
    version: str | None = None
    trace: str | None = None

    def encode(self) -> bytes:
        return orjson.dumps(
            {
                "state": self.state,
                "trace": self.trace,
                "worker_id": self.worker_id,
                "generation": self.generation,
                "version": self.version,
            }
        )

    @classmethod
    def decode(cls, value: bytes) -> Status:
        """Raises ValueError, KeyError or TypeError where the value is no status."""
        found = orjson.loads(value)
        state = State(found["state"])
        return cls(state, found["worker_id"], int(found["generation"]), found.get("version"), found.get("trace"))

    def shown(self) -> dict[str, Any]:
        """As REST shows it: ``{"state", "worker_id", "version", "trace"?}``."""
        shown: dict[str, Any] = {"state": self.state.value, "worker_id": self.worker_id, "version": self.version}
        return shown if self.trace is None else {**shown, "trace": self.trace}


@dataclass(frozen=True, slots=True)
class TopicUse:
    """A connector has used a topic."""

    name: str
    connector: str
    task: int
    discoverTimestamp: int  # noqa: N815 - the record's own name

    def encode(self) -> bytes:
        return orjson.dumps({"topic": asdict(self)})


def connector_key(name: str) -> bytes:
    return f"status-connector-{name}".encode()


def task_key(task: TaskId) -> bytes:
    return f"status-task-{task}".encode()


def topic_key(topic: str, connector: str) -> bytes:
    return f"status-topic-{topic}:connector-{connector}".encode()


def task_of(key: bytes) -> TaskId | None:
    """The task that a status record is about, if it is about one."""
    if not key.startswith(b"status-task-"):
        return None
    name, _, number = key[len(b"status-task-") :].decode(errors="replace").rpartition("-")
    return TaskId(name, int(number)) if number.isdigit() else None


def connector_of(key: bytes) -> str | None:
    """The connector that a status record is about, if it is about a connector itself."""
    prefix = b"status-connector-"
    return key[len(prefix) :].decode(errors="replace") if key.startswith(prefix) else None


def use_of(key: bytes) -> tuple[str, str] | None:
    """The topic and the connector of a record about a topic's use. A topic's name holds no colon."""
    prefix = b"status-topic-"
    if not key.startswith(prefix):
        return None
    topic, _, name = key[len(prefix) :].decode(errors="replace").partition(":connector-")
    return topic, name
