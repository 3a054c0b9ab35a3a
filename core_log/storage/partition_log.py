"""The log of one partition: segments, offsets, durability.

Three offsets matter. The *log end offset* is the offset the next record gets. The *high watermark* is the first offset nobody
may read yet: under ``log.flush.policy=ack`` that is what an fdatasync has covered, otherwise it is the log end offset. The *log
start offset* is the first one still there.

One thread owns a log. Only ``Flush.run`` may run elsewhere: it works on what ``begin_flush`` captured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from core_log.storage.files import File, Files
from core_log.storage.topic_config import TopicConfig


class FileSlice(NamedTuple):
    """Whole batches in a file: what a fetch answers. ``os.sendfile(socket, slice.file.fileno(), slice.position, slice.length)``.

    It keeps the file open for as long as the slice lives, even when retention removes the segment meanwhile.
    """

    file: File
    position: int
    length: int

    def read(self) -> bytes:
        return self.file.pread(self.length, self.position)


class Appended(NamedTuple):
    """``base_offset``: what the first record got (the old one for a duplicate). ``required_offset``: answer an acks=all producer
    once ``high_watermark >= required_offset``. ``log_append_time_ms`` is -1 unless the topic says LogAppendTime."""

    base_offset: int
    required_offset: int
    log_append_time_ms: int
    duplicate: bool


class TimestampOffset(NamedTuple):
    offset: int
    timestamp_ms: int


class Flush:
    """What ``begin_flush`` captured. ``run()`` may be called on any thread, once."""

    end_offset: int
    failure: OSError | None

    def run(self) -> None:
        """Sync the files. Never raises: an OSError is kept in ``failure`` for ``end_flush``."""
        raise NotImplementedError


class PartitionLog:
    """Open with ``PartitionLog.open``; close with ``close``."""

    topic: str
    partition: int
    config: TopicConfig
    log_start_offset: int
    log_end_offset: int
    high_watermark: int
    size: int  # bytes of all segments
    failure: OSError | None  # why the log refuses everything (a failed fsync), until recover() has succeeded

    @classmethod
    def open(
        cls, files: Files, directory: str, *, config: TopicConfig, sync_before_visible: bool, now_ms: int
    ) -> "PartitionLog":
        """Open or create the log in ``directory`` (its name is ``topic-N``), verifying what no checkpoint vouches for and
        cutting at the first bad batch. ``sync_before_visible`` is the flush policy ``ack``."""
        raise NotImplementedError

    def append(self, batches: bytes | memoryview, now_ms: int) -> Appended:
        """Append record batches (magic 2) as they came; only base offset, leader epoch and (LogAppendTime) times are set.

        Raises BrokerError: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_FOR_MESSAGE_FORMAT, MESSAGE_TOO_LARGE,
        OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, KAFKA_STORAGE_ERROR (disk full, or ``failure`` is set).
        """
        raise NotImplementedError

    def read(self, offset: int, max_bytes: int, *, up_to: int | None = None, at_least_one: bool = True) -> FileSlice | None:
        """Whole batches from the one that holds ``offset`` on, at most ``max_bytes`` (but the first batch always, when
        ``at_least_one``), none at or after ``up_to`` (default and ceiling: the high watermark). None: nothing to read yet.

        Raises BrokerError: OFFSET_OUT_OF_RANGE (before the start or past the log end offset), KAFKA_STORAGE_ERROR.
        """
        raise NotImplementedError

    def readable_bytes(self, offset: int) -> int:
        """About how many bytes ``read`` could give from ``offset`` on (for min_bytes); 0 when there is nothing."""
        raise NotImplementedError

    def begin_flush(self) -> Flush | None:
        """Capture what has to be synced; None when everything is. One flush at a time: end it before the next begins."""
        raise NotImplementedError

    def end_flush(self, flush: Flush) -> int:
        """Take over the result: advances and returns the high watermark. After a failed flush ``failure`` is set and the high
        watermark stays: appends and reads raise KAFKA_STORAGE_ERROR until ``recover`` has succeeded."""
        raise NotImplementedError

    def flush(self) -> int:
        """begin, run and end in one go."""
        raise NotImplementedError

    def recover(self, now_ms: int) -> None:
        """After a failed flush: throw away what was never synced and go on. Raises OSError when the disk still fails."""
        raise NotImplementedError

    def offset_for_timestamp(self, timestamp_ms: int) -> TimestampOffset | None:
        """The first visible record with a timestamp at or after ``timestamp_ms``."""
        raise NotImplementedError

    def max_timestamp(self) -> TimestampOffset | None:
        """The visible record with the highest timestamp (ListOffsets -3)."""
        raise NotImplementedError

    def delete_records(self, before_offset: int) -> int:
        """Move the log start offset up (-1: to the high watermark), durably. Returns the new start.
        Raises BrokerError OFFSET_OUT_OF_RANGE past the high watermark."""
        raise NotImplementedError

    def apply_retention(self, now_ms: int) -> int:
        """Remove the segments that retention no longer wants, and those wholly before the log start. Returns bytes freed."""
        raise NotImplementedError

    def close(self) -> None:
        """Flush and write checkpoints, so that the next start verifies nothing."""
        raise NotImplementedError
