"""The log of one partition: segments, offsets, durability.

Three offsets matter. The *log end offset* is the offset the next record gets. The *high watermark* is the first offset nobody
may read yet: under ``log.flush.policy=ack`` that is what an fdatasync has covered, otherwise it is the log end offset. The *log
start offset* is the first one still there.

One thread owns a log. Only ``Flush.run`` may run elsewhere: it works on what ``begin_flush`` captured.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol import record_batch
from core_log.storage import retention
from core_log.storage.files import Files, replace
from core_log.storage.flush import Flush, PendingCheckpoint
from core_log.storage.recovery import START_OFFSET_FILE, recover
from core_log.storage.segment import FileSlice, Segment
from core_log.storage.timestamps import TimestampOffset, first_at_or_after, highest
from core_log.storage.topic_config import TopicConfig

#: A flush writes a checkpoint of the active segment after this many bytes: what a start after kill -9 has to verify at most.
CHECKPOINT_BYTES = 64 * 1024 * 1024
#: An idempotent producer is forgotten this long after its latest record (Kafka's producer.id.expiration.ms).
PRODUCER_EXPIRATION_MS = 86_400_000

__all__ = ["Appended", "FileSlice", "Flush", "PartitionLog", "TimestampOffset"]


class Appended(NamedTuple):
    """``base_offset``: what the first record got (the old one for a duplicate). ``required_offset``: answer an acks=all
    producer once ``high_watermark >= required_offset``. ``log_append_time_ms`` is -1 unless the topic says LogAppendTime.
    """

    base_offset: int
    required_offset: int
    log_append_time_ms: int
    duplicate: bool


class PartitionLog:
    """Open with ``PartitionLog.open``; close with ``close``. ``config`` may be replaced at any time."""

    def __init__(self, files: Files, directory: str, config: TopicConfig, *, sync_before_visible: bool, now_ms: int) -> None:
        self._files = files
        self._directory = directory
        self._sync_before_visible = sync_before_visible
        self.topic, _, number = directory.rpartition("/")[2].rpartition("-")
        self.partition = int(number)
        self.config = config
        self.failure: OSError | None = None
        self._load(now_ms)

    @classmethod
    def open(
        cls, files: Files, directory: str, *, config: TopicConfig, sync_before_visible: bool, now_ms: int
    ) -> "PartitionLog":
        """Open or create the log in ``directory`` (its name is ``topic-N``), verifying what no checkpoint vouches for and
        cutting at the first bad batch. ``sync_before_visible`` is the flush policy ``ack``. Raises OSError, BrokerError.
        """
        if not files.exists(directory):
            files.make_directory(directory)
            files.sync_directory(directory.rpartition("/")[0])
        return cls(files, directory, config, sync_before_visible=sync_before_visible, now_ms=now_ms)

    def _load(self, now_ms: int) -> None:
        recovered = recover(self._files, self._directory, now_ms)
        self._segments = recovered.segments
        self._bases = [segment.base_offset for segment in recovered.segments]
        self._active = recovered.segments[-1]
        self._producers = recovered.producers
        self.log_start_offset = recovered.log_start_offset
        self.log_end_offset = self.high_watermark = self._flushed_offset = self._active.next_offset
        self._directory_changed = False
        self._rolled: list[PendingCheckpoint] = []

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self._segments)

    @property
    def producers(self) -> int:
        """How many idempotent producers are remembered."""
        return len(self._producers)

    def append(self, batch: bytes | bytearray | memoryview, now_ms: int) -> Appended:
        """Append one record batch (magic 2) as it came; only base offset, leader epoch and (LogAppendTime) times are set.

        Raises BrokerError: CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_FOR_MESSAGE_FORMAT, MESSAGE_TOO_LARGE,
        OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, KAFKA_STORAGE_ERROR (disk full, or ``failure`` is set).
        """
        if self.failure is not None:
            raise self._failed()
        header = self._checked(batch)
        if header.producer_id >= 0:
            known = self._producers.check(header)
            if known is not None:
                return Appended(known.base_offset, known.last_offset + 1, -1, duplicate=True)
        append_time_ms = -1
        if self.config.log_append_time:
            append_time_ms = now_ms
            batch = record_batch.with_append_time(batch, now_ms)
            header = record_batch.read_header(batch)
        base_offset = self.log_end_offset
        try:
            self._segment_for(len(batch), now_ms).append(header, batch)
        except OSError as error:
            raise self._cannot("write to", error) from error
        self.log_end_offset = self._active.next_offset
        if header.producer_id >= 0:
            self._producers.update(header, base_offset)
        if not self._sync_before_visible:
            self.high_watermark = self.log_end_offset
        return Appended(base_offset, self.log_end_offset, append_time_ms, duplicate=False)

    def _checked(self, batch: bytes | bytearray | memoryview) -> record_batch.BatchHeader:
        if len(batch) > self.config.max_message_bytes:
            raise BrokerError(
                ErrorCode.MESSAGE_TOO_LARGE,
                f"a batch of {len(batch)} bytes for {self.topic}-{self.partition}, whose max.message.bytes is "
                f"{self.config.max_message_bytes}",
            )
        headers = record_batch.checked(batch)
        if len(headers) != 1:
            raise BrokerError(
                ErrorCode.INVALID_RECORD, f"{len(headers)} batches for one partition in one request, 1 is allowed"
            )
        return headers[0]

    def _segment_for(self, size: int, now_ms: int) -> Segment:
        active = self._active
        if active.size and (
            active.size + size > self.config.segment_bytes or now_ms - active.created_ms > self.config.segment_ms
        ):
            self._roll(now_ms)
        elif not active.size:
            active.created_ms = now_ms
        return self._active

    def _roll(self, now_ms: int) -> None:
        """Begin a new segment; the next flush syncs the old one and writes its checkpoint."""
        rolled = self._active
        fresh = Segment(self._files, self._directory, self.log_end_offset, now_ms)
        fresh.file.truncate(0)  # creates it, or empties what a failed attempt left
        self._rolled.append(self._pending_checkpoint(rolled))
        self._directory_changed = True
        self._active = fresh
        self._segments.append(fresh)
        self._bases.append(fresh.base_offset)

    def _pending_checkpoint(self, segment: Segment) -> PendingCheckpoint:
        return PendingCheckpoint(segment.base_offset, segment.checkpoint_path, segment.checkpoint(self._producers))

    def read(self, offset: int, max_bytes: int, *, up_to: int | None = None, at_least_one: bool = True) -> FileSlice | None:
        """Whole batches from the one that holds ``offset`` on, at most ``max_bytes`` (but the first batch always, when
        ``at_least_one``), none at or after ``up_to`` (default and ceiling: the high watermark). The slice ends with its
        segment at the latest. None: nothing to read yet.

        Raises BrokerError: OFFSET_OUT_OF_RANGE (before the start or past the log end offset), KAFKA_STORAGE_ERROR.
        """
        end = self.high_watermark if up_to is None else min(up_to, self.high_watermark)
        if not self.log_start_offset <= offset < end:
            self._check_range(offset)
            return None
        if self.failure is not None:
            raise self._failed()
        number = bisect_right(self._bases, offset) - 1
        segment = self._segments[number]
        try:
            found = segment.read(offset, max_bytes, end, at_least_one=at_least_one)
        except OSError as error:
            raise self._cannot("read", error) from error
        if found is None and offset >= segment.next_offset:
            raise segment.damaged(segment.size)
        return found

    def pieces(self, max_bytes: int) -> Iterator[FileSlice]:
        """All that can be read, as slices of whole batches of about ``max_bytes``. A hole that damage has left is passed over.
        Raises BrokerError KAFKA_STORAGE_ERROR.
        """
        for segment in self._segments_from(self.log_start_offset):
            yield from segment.pieces(self.log_start_offset, self.high_watermark, max_bytes)

    def _check_range(self, offset: int) -> None:
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise BrokerError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"{self.topic}-{self.partition} has offsets {self.log_start_offset} to {self.log_end_offset}, not {offset}",
            )

    def begin_flush(self, *, checkpoint: bool = False) -> Flush | None:
        """Capture what has to be synced; None when everything is. One flush at a time: end it before the next begins.

        ``checkpoint`` writes one of the active segment too, so that the next start verifies nothing before this point.
        """
        if self.failure is not None:
            return None
        unsynced = [
            segment for segment in self._segments_from(self._flushed_offset) if segment.next_offset > self._flushed_offset
        ]
        pending = list(self._rolled)
        if self._active.size - max(self._active.checkpointed_size, 0) >= (1 if checkpoint else CHECKPOINT_BYTES):
            pending.append(self._pending_checkpoint(self._active))
        if not unsynced and not pending and not self._directory_changed:
            return None
        directory = self._directory if self._directory_changed else None
        self._directory_changed = False
        return Flush(self._files, directory, self.log_end_offset, [segment.file for segment in unsynced], pending)

    def _segments_from(self, offset: int) -> list[Segment]:
        """The segments that may hold offsets from ``offset`` on."""
        if offset >= self._active.base_offset:
            return [self._active]
        return self._segments[max(bisect_right(self._bases, offset) - 1, 0) :]

    def end_flush(self, flush: Flush) -> int:
        """Take over the result: advances and returns the high watermark. After a failed flush ``failure`` is set and the high
        watermark stays: appends and reads raise KAFKA_STORAGE_ERROR until ``recover`` has succeeded.
        """
        if flush.failure is not None:
            self.failure = flush.failure
            return self.high_watermark
        self._flushed_offset = max(self._flushed_offset, flush.end_offset)
        if self._sync_before_visible:
            self.high_watermark = max(self.high_watermark, flush.end_offset)
        for done in flush.checkpointed:
            if done in self._rolled:
                self._rolled.remove(done)
            segment = self._segments_from(done.base_offset)[0]
            if segment.base_offset == done.base_offset:
                segment.checkpointed_size = done.checkpoint.size
        return self.high_watermark

    def flush(self, *, checkpoint: bool = False) -> int:
        """begin, run and end in one go."""
        flush = self.begin_flush(checkpoint=checkpoint)
        if flush is None:
            return self.high_watermark
        flush.run()
        return self.end_flush(flush)

    def recover(self, now_ms: int) -> None:
        """After a failed flush: throw away what was never synced (``ack``), or all from the first batch on that the disk does
        not give back, and go on. Nothing thrown away under ``ack`` was ever acknowledged or readable. Raises OSError or
        BrokerError while the disk still fails: the log stays closed, try again later. No flush may be under way.
        """
        for segment in self._segments_from(self._flushed_offset):
            segment.file.forget_cached()
            if self._sync_before_visible:
                segment.cut(self.high_watermark)
        self._load(now_ms)
        self.failure = None

    def offset_for_timestamp(self, timestamp_ms: int) -> TimestampOffset | None:
        """The first readable record with a timestamp at or after ``timestamp_ms``. Raises BrokerError KAFKA_STORAGE_ERROR."""
        return first_at_or_after(self._segments, timestamp_ms, self.log_start_offset, self.high_watermark)

    def max_timestamp(self) -> TimestampOffset | None:
        """The first readable record with the highest timestamp (ListOffsets -3, KIP-734)."""
        return highest(self._segments, self.log_start_offset, self.high_watermark)

    def delete_records(self, before_offset: int) -> int:
        """Move the log start offset up (-1: to the high watermark), durably. Returns the new start.
        Raises BrokerError: OFFSET_OUT_OF_RANGE past the high watermark, KAFKA_STORAGE_ERROR.
        """
        if self.failure is not None:
            raise self._failed()
        target = self.high_watermark if before_offset == -1 else before_offset
        if not 0 <= target <= self.high_watermark:
            self._check_range(-1)
        if target > self.log_start_offset:
            self._store_start(target)
            self._drop([one for one in self._segments[:-1] if one.next_offset <= target])
        return self.log_start_offset

    def _store_start(self, offset: int) -> None:
        try:
            replace(self._files, f"{self._directory}/{START_OFFSET_FILE}", b"%d\n" % offset)
        except OSError as error:
            raise self._cannot("write the log start offset of", error) from error
        self.log_start_offset = offset

    def apply_retention(self, now_ms: int) -> int:
        """Remove the segments that retention no longer wants. Returns the bytes freed. Call it from time to time; what is not
        readable yet waits for the next call. Raises OSError, BrokerError KAFKA_STORAGE_ERROR.
        """
        self._producers.expire(now_ms - PRODUCER_EXPIRATION_MS)
        if self.failure is not None:
            return 0
        expired = retention.expired(self.topic, self._segments, self.config, self.log_start_offset, now_ms)
        if expired and expired[-1] is self._active:
            self._roll(now_ms)
        expired = [segment for segment in expired if segment.next_offset <= self.high_watermark]
        if not expired:
            return 0
        freed = sum(segment.size for segment in expired)
        if expired[-1].next_offset > self.log_start_offset:
            self._store_start(expired[-1].next_offset)
        self._drop(expired)
        return freed

    def _drop(self, segments: list[Segment]) -> None:
        """Remove the first segments of the log. The start offset was stored before, so a crash in between only leaves files
        that the next start finds to be wholly before it.
        """
        for segment in segments:
            self._segments.remove(segment)
            self._bases.remove(segment.base_offset)
            for path in (segment.checkpoint_path, segment.path):
                if self._files.exists(path):
                    self._files.remove(path)
        self._rolled = [pending for pending in self._rolled if pending.base_offset in self._bases]
        self._directory_changed = self._directory_changed or bool(segments)

    def close(self) -> None:
        """Flush and write checkpoints, so that the next start verifies nothing."""
        if self.failure is None:
            self.flush(checkpoint=True)

    def _failed(self) -> BrokerError:
        return BrokerError(
            ErrorCode.KAFKA_STORAGE_ERROR,
            f"{self.topic}-{self.partition} takes no requests: syncing it to disk failed ({self.failure}). The broker reads "
            "it back from the disk and goes on by itself as soon as the disk allows",
        )

    def _cannot(self, verb: str, error: OSError) -> BrokerError:
        return BrokerError(
            ErrorCode.KAFKA_STORAGE_ERROR,
            f"cannot {verb} {self.topic}-{self.partition} in {self._directory}: {error.strerror or error}",
        )
