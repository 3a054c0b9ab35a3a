"""When files close."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from connect.api import struct
from connect.api.schema import INT64
from connectors.s3.rotation import Limits, Rotation, next_scheduled_ms


def test_by_records() -> None:
    rotation = Rotation(Limits(3), 0)
    rotation.add([b"a\n", b"b\n"], None, None)
    assert (rotation.record_room, rotation.full) == (1, False)
    rotation.add([b"c\n"], None, None)
    assert rotation.full
    rotation.restart(0)
    assert (rotation.record_room, rotation.full) == (3, False)


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=30), st.integers(min_value=1, max_value=60))
def test_by_bytes_the_line_that_reaches_the_limit_is_the_last(lines: list[bytes], limit: int) -> None:
    rotation = Rotation(Limits(1000, byte_count=limit), 0)
    taken = rotation.fitting(lines)
    sizes = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
    assert sizes[taken - 1] < limit
    assert taken == len(lines) or sizes[taken] >= limit
    rotation.add(lines[:taken], None, None)
    assert rotation.full == (sizes[taken] >= limit)


def test_by_record_time_counts_from_the_first_record() -> None:
    rotation = Rotation(Limits(1000, interval_ms=100), 0)
    assert not rotation.closes_before(None, 10_000)
    rotation.add([b"x"], None, 10_000)
    assert not rotation.closes_before(None, 10_099)
    assert not rotation.closes_before(None, 5)  # late data closes nothing
    assert rotation.closes_before(None, 10_100)


def test_another_schema_closes() -> None:
    first, second = struct(("a", INT64)), struct(("b", INT64))
    rotation = Rotation(Limits(1000), 0)
    assert not rotation.closes_before(second, None)
    rotation.add([b"x"], first, None)
    assert not rotation.closes_before(first, None)
    assert rotation.closes_before(second, None)


def test_the_wall_clock_is_counted_from_midnight() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    now = datetime(2026, 3, 5, 10, 50, tzinfo=zone)
    due = next_scheduled_ms(int(now.timestamp() * 1000), 3_600_000, "Asia/Kolkata")
    assert datetime.fromtimestamp(due / 1000, zone) == datetime(2026, 3, 5, 11, 0, tzinfo=zone)
    rotation = Rotation(Limits(1000, schedule_ms=3_600_000, timezone="Asia/Kolkata"), int(now.timestamp() * 1000))
    assert not rotation.scheduled(due - 1)
    assert rotation.scheduled(due)
