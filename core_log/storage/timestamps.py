"""Looking records up by time: ListOffsets with a timestamp (KIP-79) and with the highest one (KIP-734)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core_log.protocol import record_batch
from core_log.storage.segment import Segment


class TimestampOffset(NamedTuple):
    offset: int
    timestamp_ms: int


def first_at_or_after(segments: Iterable[Segment], timestamp_ms: int, start: int, end: int) -> TimestampOffset | None:
    """The first record in offsets ``start`` to ``end`` (exclusive) whose timestamp is at or after ``timestamp_ms``."""
    for segment in segments:
        if segment.highest_timestamp < timestamp_ms or segment.next_offset <= start:
            continue
        for position, header in segment.headers(segment.index.position_for_timestamp(timestamp_ms)):
            if header.base_offset >= end:
                return None
            if header.max_timestamp < timestamp_ms or header.last_offset < start:
                continue
            for record in record_batch.decode(segment.file.pread(header.size, position)):
                if record.timestamp >= timestamp_ms and start <= record.offset < end:
                    return TimestampOffset(record.offset, record.timestamp)
    return None


def highest(segments: Sequence[Segment], start: int, end: int) -> TimestampOffset | None:
    """The first record with the highest timestamp in offsets ``start`` to ``end`` (exclusive); None where none carries a
    time.
    """
    best = -1
    for segment in segments:
        if segment.highest_timestamp <= best or segment.next_offset <= start:
            continue
        for _, header in segment.headers(0):
            if header.last_offset >= start and header.base_offset < end:
                best = max(best, header.max_timestamp)
    return first_at_or_after(segments, best, start, end) if best >= 0 else None
