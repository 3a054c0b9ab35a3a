"""Records on their way through the platform.

Slotted dataclasses, not frozen: three times cheaper to make than pydantic models (docs/decisions/0003-records.md). A record
owns its top-level ``value`` dict; nested values are shared and never changed in place (copy along the path).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from connect.api.schema import Schema

Partition = Mapping[str, Any]
"""Which part of the outside system a source reads: ``{"filename": "/tmp/x"}``, ``{"server": "orders"}``. JSON values."""

Offset = Mapping[str, Any]
"""Where in a partition to go on: ``{"position": 12}``, ``{"lsn": 27412320}``. JSON values."""


class Header(NamedTuple):
    """A record's header: a name, a value of Connect's data model, and its schema (None: whatever fits the value)."""

    name: str
    value: Any
    schema: Schema | None = None


class TopicPartition(NamedTuple):
    """One partition of one Kafka topic."""

    topic: str
    partition: int


@dataclass(slots=True)
class SourceRecord:
    """What a source yields: a value for a topic, and the offset to go on from once it is stored.

    ``offset`` None repeats the offset of the record before. ``timestamp`` is in ms since 1970 (None: now, by the broker's
    client). ``partition`` None lets the key decide. A ``value`` of None is a tombstone.
    """

    topic: str
    value: Any
    offset: Offset | None = None
    key: Any = None
    value_schema: Schema | None = None
    key_schema: Schema | None = None
    timestamp: int | None = None
    headers: tuple[Header, ...] = ()
    partition: int | None = None


@dataclass(slots=True)
class Checkpoint:
    """Yielded in place of a record when a source has moved on and there is nothing to write (an idle log position)."""

    offset: Offset


@dataclass(slots=True)
class SinkRecord:
    """What a sink is given. ``timestamp`` is in ms since 1970; ``raw_key`` and ``raw_value`` are the bytes as read."""

    topic: str
    partition: int
    offset: int
    key: Any
    value: Any
    key_schema: Schema | None
    value_schema: Schema | None
    timestamp: int | None
    headers: tuple[Header, ...]
    raw_key: bytes | None
    raw_value: bytes | None
