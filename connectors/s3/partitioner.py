"""Which folder below its topic a record goes to: pure, the time passed in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from connect.api import DataError, SinkRecord
from connectors.s3.config import S3SinkConfig
from connectors.s3.time_pattern import compile_pattern

TimestampExtractor = Callable[[SinkRecord, int], int]
"""(record, now_ms) -> the record's time in ms since 1970."""

_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Partitioner(Protocol):
    """Paths of records; those of one path share files."""

    by_time: bool
    """False: the path depends on the Kafka partition alone, so that one file per Kafka partition is open."""

    def path(self, record: SinkRecord, now_ms: int) -> str:
        """The encoded partition, such as ``year=2026/month=11``."""
        ...


class DefaultPartitioner:
    """``partition=3``: Kafka's own partition."""

    by_time = False

    def path(self, record: SinkRecord, now_ms: int) -> str:  # noqa: ARG002 - the protocol's
        return f"partition={record.partition}"


class TimeBasedPartitioner:
    """The record's time in ``timezone``, rounded down to ``duration_ms``, written as ``path_format`` says."""

    by_time = True

    def __init__(self, path_format: str, duration_ms: int, timezone: str, extract: TimestampExtractor) -> None:
        self._format = compile_pattern(path_format)
        self._duration_ms = duration_ms
        self._zone = ZoneInfo(timezone)
        self._extract = extract
        self._recent: tuple[int, int, str] = (0, 0, "")  # from, to (ms, exclusive), path: neighbours share it

    def path(self, record: SinkRecord, now_ms: int) -> str:
        time_ms = self._extract(record, now_ms)
        start, end, path = self._recent
        if start <= time_ms < end:
            return path
        try:
            return self._render(time_ms)
        except OverflowError as error:
            raise DataError(f"{_coordinates(record)} is of a time that no calendar has: {time_ms} ms since 1970") from error

    def _render(self, time_ms: int) -> str:
        local = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(self._zone)
        shift = int((local.utcoffset() or timedelta()).total_seconds() * 1000)
        start = (time_ms + shift) // self._duration_ms * self._duration_ms - shift
        path = self._format((_EPOCH + timedelta(milliseconds=start)).astimezone(self._zone))
        if self._offset_at(start) == self._offset_at(start + self._duration_ms):  # no clock change within
            self._recent = (start, start + self._duration_ms, path)
        return path

    def _offset_at(self, time_ms: int) -> timedelta | None:
        return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(self._zone).utcoffset()


def make_partitioner(config: S3SinkConfig) -> Partitioner:
    """The partitioner that a configuration names."""
    if config.partitioner_class == "Default":
        return DefaultPartitioner()
    delim = config.directory_delim
    daily = delim.join(("'year'=YYYY", "'month'=MM", "'day'=dd"))
    path_format, duration_ms = {
        "TimeBased": (config.path_format, config.partition_duration_ms),
        "Daily": (config.path_format or daily, _DAY_MS),
        "Hourly": (config.path_format or f"{daily}{delim}'hour'=HH", _DAY_MS // 24),
    }[config.partitioner_class]
    return TimeBasedPartitioner(path_format, duration_ms, config.timezone, make_extractor(config))


def make_extractor(config: S3SinkConfig) -> TimestampExtractor:
    """Where a record's time comes from: the clock, Kafka's timestamp, or a field of the value."""
    if config.timestamp_extractor == "Wallclock":
        return lambda _record, now_ms: now_ms
    if config.timestamp_extractor == "Record":
        return _kafka_time
    names = config.timestamp_field.split(".")
    return lambda record, _now_ms: _field_time(record, names)


def _kafka_time(record: SinkRecord, _now_ms: int) -> int:
    if record.timestamp is None:
        raise DataError(f"{_coordinates(record)} has no timestamp, and timestamp.extractor=Record needs one")
    return record.timestamp


def _field_time(record: SinkRecord, names: list[str]) -> int:
    value: Any = record.value
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return _ms(datetime.fromisoformat(value))
    raise DataError(
        f"{_coordinates(record)} has no time in the field {'.'.join(names)} (timestamp.field): found {value!r}, "
        "and a number of ms since 1970 or an ISO 8601 text is needed"
    )


def _ms(at: datetime) -> int:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def _coordinates(record: SinkRecord) -> str:
    return f"the record of {record.topic}-{record.partition} at offset {record.offset}"
