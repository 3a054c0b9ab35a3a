"""Where groups write: one record batch per change, to the partition of ``__consumer_offsets`` that the group id hashes to."""

from collections.abc import Callable, Sequence

from core_log.errors import ErrorCode
from core_log.protocol.record_batch import Record, encode

Append = Callable[[int, bytes, Callable[[ErrorCode], None]], None]
"""``append(partition, batch, done)``: append the record batch to that partition of ``__consumer_offsets`` and call
``done(NONE)`` once the high watermark has passed it, or ``done(error)``. ``done`` may be called at once."""

Change = tuple[bytes, bytes | None]
"""Key and value of a record; a value of None removes."""

#: What a client is told when the write failed, other than COORDINATOR_NOT_AVAILABLE, which it retries.
_TOLD = {
    ErrorCode.NONE: ErrorCode.NONE,
    ErrorCode.MESSAGE_TOO_LARGE: ErrorCode.INVALID_COMMIT_OFFSET_SIZE,
}


class GroupLog:
    def __init__(self, partitions: int, append: Append) -> None:
        self._partitions = partitions
        self._append = append

    def partition_for(self, group_id: str) -> int:
        """Kafka's own: the absolute value of Java's hashCode of the id, modulo the number of partitions."""
        return abs(java_hash(group_id)) % self._partitions

    def write(self, group_id: str, changes: Sequence[Change], now_ms: int, done: Callable[[ErrorCode], None]) -> None:
        """All changes in one batch: they are kept or lost together. ``done`` is called when they are durable, or cannot be."""
        batch = encode([Record(key, value, now_ms) for key, value in changes])

        def written(error: ErrorCode) -> None:
            done(_TOLD.get(error, ErrorCode.COORDINATOR_NOT_AVAILABLE))

        self._append(self.partition_for(group_id), batch, written)


def java_hash(text: str) -> int:
    """``String.hashCode``: over UTF-16 units, a signed 32-bit number (its lowest, which has no absolute value, as 0)."""
    value = 0
    units = text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return 0 if value == 0x80000000 else value - (value >> 31 << 32)
