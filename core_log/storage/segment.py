"""One file of a partition's log: ``<base offset, 20 digits>.log``, record batches one after another as they came.

A segment knows where batches begin and end; what an offset means to readers (high watermark, log start) is the log's business.
"""

from collections.abc import Iterator
from typing import NamedTuple

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol import record_batch
from core_log.protocol.record_batch import HEADER_SIZE, MAGIC, PREFIX_SIZE, BatchHeader
from core_log.storage.checkpoint import Checkpoint
from core_log.storage.files import Buffer, File, Files
from core_log.storage.index import INDEX_INTERVAL_BYTES, SparseIndex
from core_log.storage.producer_state import ProducerState

#: Batches whose position is remembered beside the index: readers at the end of the log look for these.
RECENT_BATCHES = 128
_SCAN_BYTES = 4 * 1024 * 1024


class FileSlice(NamedTuple):
    """Whole batches in a file: what a fetch answers. ``os.sendfile(socket, slice.file.fileno(), slice.position,
    slice.length)``.

    It keeps the file open for as long as the slice lives, even when retention removes the segment meanwhile.
    """

    file: File
    position: int
    length: int

    def read(self) -> bytes:
        return self.file.pread(self.length, self.position)


class Segment:
    """``size`` and ``next_offset`` are where the next batch goes. ``highest_timestamp`` is -1 while empty."""

    __slots__ = (
        "_files",
        "_handle",
        "_index",
        "_indexed_size",
        "_recent",
        "base_offset",
        "checkpointed_size",
        "created_ms",
        "highest_timestamp",
        "next_offset",
        "path",
        "size",
    )

    def __init__(self, files: Files, directory: str, base_offset: int, now_ms: int) -> None:
        self._files = files
        self.path = f"{directory}/{base_offset:020d}.log"
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.size = 0
        self.highest_timestamp = -1
        self.created_ms = now_ms
        self.checkpointed_size = -1
        self._handle: File | None = None
        self._index: SparseIndex | None = SparseIndex()
        self._indexed_size = 0
        self._recent: dict[int, int] = {}

    @property
    def file(self) -> File:
        if self._handle is None:
            self._handle = self._files.open(self.path, create=True)
        return self._handle

    @property
    def checkpoint_path(self) -> str:
        return self.path[:-3] + "index"

    @property
    def index(self) -> SparseIndex:
        """Read from the checkpoint at first use, made anew from the batches where that fails."""
        if self._index is None:
            checkpoint = self.stored_checkpoint()
            self._index = checkpoint.read_index() if checkpoint else self._rebuilt_index()
        return self._index

    def append(self, header: BatchHeader, batch: Buffer) -> None:
        """Write one batch with ``next_offset`` as its base offset. The buffer is not modified. Raises OSError; then nothing
        of the batch stays.
        """
        index = self.index  # before the write, since reading it back may fail
        prefix = record_batch.prefix_for(self.next_offset, header)
        position = self.size
        self.size = position + self.file.append((prefix, memoryview(batch)[16:]))
        self._took(header, self.next_offset, position, index)

    def take(self, header: BatchHeader, position: int) -> None:
        """Count in a batch that is in the file already."""
        self.size = position + header.size
        self._took(header, header.base_offset, position, self.index)

    def _took(self, header: BatchHeader, base_offset: int, position: int, index: SparseIndex) -> None:
        if position - self._indexed_size >= INDEX_INTERVAL_BYTES:
            index.add(base_offset, position, self.highest_timestamp)
            self._indexed_size = position
        if len(self._recent) >= RECENT_BATCHES:
            self._recent.clear()
        self._recent[base_offset] = position
        self.next_offset = base_offset + header.last_offset_delta + 1
        self.highest_timestamp = max(self.highest_timestamp, header.max_timestamp)

    def read(self, offset: int, max_bytes: int, up_to: int, *, at_least_one: bool) -> FileSlice | None:
        """Whole batches from the one that holds ``offset`` on, none at or after ``up_to``. See ``PartitionLog.read``."""
        start = self._position_of(offset)
        end = self._position_of(up_to)
        if end - start > max_bytes:
            end = self._cut(start, end, max_bytes, at_least_one=at_least_one)
        return FileSlice(self.file, start, end - start) if end > start else None

    def pieces(self, offset: int, up_to: int, max_bytes: int) -> Iterator[FileSlice]:
        """The batches from the one that holds ``offset`` to the last before ``up_to``, as slices one after another."""
        start, end = self._position_of(offset), self._position_of(up_to)
        while start < end:
            cut = self._cut(start, end, max_bytes, at_least_one=True) if end - start > max_bytes else end
            yield FileSlice(self.file, start, cut - start)
            start = cut

    def _cut(self, start: int, end: int, max_bytes: int, *, at_least_one: bool) -> int:
        """The end of an answer: on an index entry where possible, so that the next fetch starts on one."""
        indexed = self.index.last_position(start + max_bytes)
        if indexed > start:
            return min(indexed, end)
        cut = start
        for position, header in self.headers(start):
            if position + header.size - start > max_bytes:
                return position + header.size if at_least_one and position == start else cut
            cut = position + header.size
        return cut

    def _position_of(self, offset: int) -> int:
        """Where the batch begins that holds ``offset``, or the first one after it."""
        if offset >= self.next_offset:
            return self.size
        recent = self._recent.get(offset)
        if recent is not None:
            return recent
        start = self.index.position_for(offset)
        for position, header in self.headers(start):
            if header.last_offset >= offset:
                return position
        raise self.damaged(start)  # the offset was written: some header since denies it

    def headers(self, position: int) -> Iterator[tuple[int, BatchHeader]]:
        """``(position, header)`` of each batch from ``position`` on, headers alone being read.

        Raises BrokerError(KAFKA_STORAGE_ERROR) naming file and position where the bytes are no batch.
        """
        while position < self.size:
            start = position
            chunk = self.file.pread(INDEX_INTERVAL_BYTES + HEADER_SIZE, start)
            if len(chunk) < HEADER_SIZE:
                raise self.damaged(position)
            while position < self.size and position + HEADER_SIZE <= start + len(chunk):
                header = record_batch.read_header(chunk, position - start)
                if header.magic != MAGIC or header.length < HEADER_SIZE - PREFIX_SIZE or position + header.size > self.size:
                    raise self.damaged(position)
                yield position, header
                position += header.size

    def damaged(self, position: int) -> BrokerError:
        return BrokerError(
            ErrorCode.KAFKA_STORAGE_ERROR,
            f"{self.path} holds no record batch at byte {position}: the file was damaged after it was written. "
            "Records after that byte in this file cannot be read; restore it from a copy, or delete records up to the next one",
        )

    def batches(self, position: int) -> Iterator[tuple[int, BatchHeader, memoryview]]:
        """``(position, header, bytes)`` of each whole batch with the right CRC from ``position`` to the file's end or to the
        first bad one: that is how a scan finds the end of what was written.
        """
        end = self.file.size()
        chunk, start = b"", position
        while position + HEADER_SIZE <= end:
            if position - start + HEADER_SIZE > len(chunk):
                chunk, start = self.file.pread(_SCAN_BYTES, position), position
            header = record_batch.read_header(chunk, position - start)
            if header.magic != MAGIC or header.length < HEADER_SIZE - PREFIX_SIZE or position + header.size > end:
                return
            if position - start + header.size > len(chunk):
                chunk, start = self.file.pread(max(_SCAN_BYTES, header.size), position), position
            if len(chunk) < position - start + header.size or not record_batch.crc_matches(chunk, position - start, header):
                return
            yield position, header, memoryview(chunk)[position - start : position - start + header.size]
            position += header.size

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take the checkpoint's word for the bytes it covers. The index is left on disk until it is needed."""
        self.size = self.checkpointed_size = checkpoint.size
        self.next_offset = checkpoint.next_offset
        self.highest_timestamp = checkpoint.highest_timestamp
        self.created_ms = checkpoint.created_ms
        self._indexed_size = checkpoint.size
        self._index = None
        self._recent.clear()

    def cut(self, offset: int) -> None:
        """Let the file end with the record before ``offset``. What follows may be unreadable and is not looked at. Open the
        segment anew afterwards.
        """
        self.size = self._end_before(offset)
        self.next_offset = offset
        self.file.truncate(self.size)

    def _end_before(self, offset: int) -> int:
        if offset <= self.base_offset:
            return 0
        for position, header in self.headers(self.index.position_for(offset - 1)):
            if header.last_offset >= offset - 1:
                return position + header.size
        return self.size

    def stored_checkpoint(self) -> Checkpoint | None:
        try:
            return Checkpoint.from_bytes(self._files.read(self.checkpoint_path))
        except FileNotFoundError:
            return None

    def checkpoint(self, producers: ProducerState) -> Checkpoint:
        """A checkpoint of everything up to now: write it only after the file was synced."""
        return Checkpoint(
            self.size, self.next_offset, self.highest_timestamp, self.created_ms, self.index.to_bytes(), producers.to_bytes()
        )

    def _rebuilt_index(self) -> SparseIndex:
        index = SparseIndex()
        indexed, highest = 0, -1
        for position, header in self.headers(0):
            if position - indexed >= INDEX_INTERVAL_BYTES:
                index.add(header.base_offset, position, highest)
                indexed = position
            highest = max(highest, header.max_timestamp)
        return index
