"""When the files of one Kafka partition close: pure, the time passed in.

All files of a Kafka partition close together (as in Confluent's sink): every object then lies between two such moments,
and each of them is an offset that can be committed (:mod:`connectors.s3.partition_writer` has the argument).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import accumulate
from zoneinfo import ZoneInfo

from connect.api import Schema


@dataclass(frozen=True, slots=True)
class Limits:
    """What closes files. 0 or less: no such limit. ``byte_count`` counts lines before compression."""

    record_count: int
    byte_count: int = -1
    interval_ms: int = -1
    schedule_ms: int = -1
    timezone: str = "UTC"


def next_scheduled_ms(now_ms: int, schedule_ms: int, timezone: str) -> int:
    """The next multiple of ``schedule_ms``, counted from midnight in ``timezone``."""
    zone = ZoneInfo(timezone)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    midnight_ms = int(datetime.combine(today, time(), zone).astimezone(UTC).timestamp() * 1000)
    return midnight_ms + ((now_ms - midnight_ms) // schedule_ms + 1) * schedule_ms


class Rotation:
    """What stands in the open files of one Kafka partition, measured against the limits."""

    def __init__(self, limits: Limits, now_ms: int) -> None:
        self.limits = limits
        self._zone = limits.timezone
        self.restart(now_ms)

    def restart(self, now_ms: int) -> None:
        """The files have been closed."""
        self._records = 0
        self._bytes = 0
        self._base_ms: int | None = None
        self._schema: Schema | None = None
        scheduled = self.limits.schedule_ms > 0
        self._next_ms = next_scheduled_ms(now_ms, self.limits.schedule_ms, self._zone) if scheduled else None

    def closes_before(self, schema: Schema | None, time_ms: int | None) -> bool:
        """Whether the files close before a record of this schema and time is taken."""
        if self._records == 0:
            return False
        return schema is not self._schema or self.interval_over(time_ms, self._base_ms)

    def interval_over(self, time_ms: int | None, base_ms: int | None) -> bool:
        """Whether ``rotate.interval.ms`` lies between two records' times."""
        interval_ms = self.limits.interval_ms
        return interval_ms > 0 and time_ms is not None and base_ms is not None and time_ms - base_ms >= interval_ms

    def base_ms(self, time_ms: int | None) -> int | None:
        """The time of the first record in the open files, which is this one's where there is none yet."""
        return self._base_ms if self._base_ms is not None else time_ms

    @property
    def record_room(self) -> int:
        """How many more records fit."""
        return self.limits.record_count - self._records

    def fitting(self, lines: list[bytes]) -> int:
        """How many of these lines are taken before the files close: up to the one that reaches ``rotate.bytes``."""
        limit = self.limits.byte_count
        if limit <= 0:
            return len(lines)
        return min(len(lines), bisect_left(list(accumulate(map(len, lines))), limit - self._bytes) + 1)

    def add(self, lines: list[bytes], schema: Schema | None, time_ms: int | None) -> None:
        """These lines were taken; ``time_ms`` is the first one's."""
        if self._records == 0:
            self._schema, self._base_ms = schema, time_ms
        self._records += len(lines)
        self._bytes += sum(map(len, lines))

    @property
    def full(self) -> bool:
        return self._records >= self.limits.record_count or 0 < self.limits.byte_count <= self._bytes

    def scheduled(self, now_ms: int) -> bool:
        """Whether the wall clock closes the files now."""
        return self._next_ms is not None and now_ms >= self._next_ms
