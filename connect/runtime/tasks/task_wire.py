"""What passes through the pipe between a task process and its worker. Pure.

JSON, not pickle: what a plugin reports must not become code or objects of its own in the worker's process.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import orjson

from connect.runtime.tasks.task import TaskEvent, TaskProgress, TaskStateChanged, TaskTopics


class Command(StrEnum):
    """From the worker to the task."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class TaskLog:
    """A log line of the task, to be logged by the worker. ``created`` in seconds since 1970, as logging has it."""

    logger: str
    level: int
    message: str
    created: float


Message = TaskEvent | TaskLog

_TYPES: dict[str, type[TaskStateChanged | TaskProgress | TaskLog]] = {
    "state": TaskStateChanged,
    "progress": TaskProgress,
    "log": TaskLog,
}
_NAMES: dict[type, str] = {**{type_: name for name, type_ in _TYPES.items()}, TaskTopics: "topics"}


def encode(message: Message) -> bytes:
    """``["progress", {"records": 17, ...}]``; values JSON has no word for become their repr."""
    return orjson.dumps([_NAMES[type(message)], message], default=repr, option=orjson.OPT_NON_STR_KEYS)


def decode(data: bytes) -> Message:
    """The other way round."""
    name, fields = orjson.loads(data)
    if name == "topics":
        return TaskTopics(tuple(fields["topics"]))
    return _TYPES[name](**fields)
