"""The sparse index of one segment: where to start looking, by offset and by time.

One entry per ``INDEX_INTERVAL_BYTES`` of log: the offset and file position of a batch, and the highest timestamp among all
batches before it. All three only grow, so each look-up is one bisection.
"""

from array import array
from bisect import bisect_left, bisect_right

INDEX_INTERVAL_BYTES = 4096


class SparseIndex:
    __slots__ = ("_offsets", "_positions", "_timestamps")

    def __init__(self) -> None:
        self._offsets = array("q")
        self._positions = array("q")
        self._timestamps = array("q")

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, offset: int, position: int, highest_timestamp_before: int) -> None:
        self._offsets.append(offset)
        self._positions.append(position)
        self._timestamps.append(highest_timestamp_before)

    def position_for(self, offset: int) -> int:
        """The position of the last indexed batch that starts at or before ``offset``; 0 when none does."""
        found = bisect_right(self._offsets, offset)
        return self._positions[found - 1] if found else 0

    def last_position(self, limit: int) -> int:
        """The last indexed position at or below ``limit``; 0 when there is none."""
        found = bisect_right(self._positions, limit)
        return self._positions[found - 1] if found else 0

    def position_for_timestamp(self, timestamp_ms: int) -> int:
        """A position before which no record is as late as ``timestamp_ms``."""
        found = bisect_left(self._timestamps, timestamp_ms)
        return self._positions[found - 1] if found else 0

    def truncate(self, position: int) -> None:
        """Forget the batches from ``position`` on."""
        keep = bisect_left(self._positions, position)
        for column in (self._offsets, self._positions, self._timestamps):
            del column[keep:]

    def to_bytes(self) -> bytes:
        """The three columns one after another, in the machine's byte order."""
        return self._offsets.tobytes() + self._positions.tobytes() + self._timestamps.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "SparseIndex":
        index = cls()
        third = len(data) // 3
        for number, column in enumerate((index._offsets, index._positions, index._timestamps)):
            column.frombytes(data[number * third : (number + 1) * third])
        return index
