"""The text that a FAILED task shows: what went wrong, where, with which record, and why. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from connect.api import ConfigError, ConnectError, Record, SinkRecord
from connect.runtime.tasks.error_policy import DeliveryError, Stage

LONGEST = 16_000


class TaskFailure(Exception):
    """An error with its place: the stage and, where there is one, the record's coordinates. The cause is chained."""

    def __init__(self, error: BaseException, stage: Stage, where: str = "") -> None:
        super().__init__(str(error))
        self.error = error
        self.stage = stage
        self.where = where
        self.__cause__ = error


def failure_trace(error: BaseException) -> str:
    """First line: stage, coordinates, reason. Then its causes; for an error nobody raised on purpose also the stack."""
    failure = error if isinstance(error, TaskFailure) else None
    original = failure.error if failure else error
    chain = list(_causes(original))
    causes = dict.fromkeys(_named(cause) for cause in chain)  # the same one may come up at several steps
    lines = [_headline(failure, original), *(f"Caused by: {cause}" for cause in list(causes)[1:])]
    if not isinstance(original, ConnectError | DeliveryError):
        lines.append("".join(traceback.format_exception(original, chain=False)).rstrip())
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[: LONGEST - 20] + "\n... (cut short)"


def _headline(failure: TaskFailure | None, original: BaseException) -> str:
    reason = _named(original)
    if isinstance(original, ConfigError) and original.key:
        reason = f"{reason} (key {original.key})"
    if failure is None:
        return reason
    place = f" at {failure.where}" if failure.where else ""
    return f"{failure.stage}{place}: {reason}"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def compact(value: Any) -> str:
    """JSON as short as it gets, for people; anything that JSON has no word for as Python shows it."""
    return orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS).decode(errors="replace")


def coordinates(record: Record, partition: Mapping[str, Any] | None = None) -> str:
    """``orders-3@17`` for a sink; for a source where it came from, its topic and its key."""
    if isinstance(record, SinkRecord):
        return f"{record.topic}-{record.partition}@{record.offset}"
    source = f"{compact(partition)}{compact(record.offset)}" if record.offset is not None else compact(partition or {})
    return f"{source} for topic {record.topic}, key {_shortened(record.key)}"


def _shortened(value: Any, longest: int = 200) -> str:
    text = compact(value) if not isinstance(value, bytes) else repr(value)
    return text if len(text) <= longest else text[:longest] + "..."
