"""One Kafka partition on its way into objects: exactly once, whenever it is killed.

Words. A record's *path* is its folder (``partition=0``, ``year=2026/month=11``); a file holds records of one path, in order,
and is named after the offset of its first. All open files of the partition are closed together, at a *rotation*; the offset
where the reading stands then is a *boundary*. Only boundaries are committed.

The claim: a reader of the store sees every record exactly once, whatever is killed and whenever. It does not rest on files
having the same content when they are written again, so it holds for rotation by wall clock too. Two things are kept:

1. *The objects of a path hold a prefix of the path's records, without overlap.* A file is opened only when all files before it
   on its path are stored (rotations are completed before anything else happens, also through outages). At opening, the
   store is asked for an object of that name. There is one if an earlier life of this task, or a rival that believes it owns
   the partition, went further than the committed offset says: the records it holds are then dropped as they come by.
   If one appears while ours is open, the conditional put is refused, and of our file only the records behind the
   object's last one are kept, under the name of the first of them.
2. *A committed offset never lies within the range of an object's offsets.* A boundary is committed only when nothing is
   open and the last record of every object found so far has been passed. An object that begins before the boundary and
   ends behind it would have to begin at a record that we have read: then we wrote it, or found it.

So after a kill, reading goes on at an offset c that no object straddles. On each path the first record from c on is either the
first record of an object (by 1 and 2), whose name is found, or in no object at all, and nothing of that name is found. None is
lost: c is committed only behind stored records. None comes twice: a record is written only where its path's objects end.

The one exception: ``timestamp.extractor=Wallclock`` gives a record another path when it is read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from connect.api import ConfigError, DataError, RetriableError, SinkRecord, TopicPartition
from connectors.formats import json_lines
from connectors.formats.compression import Compressor, gunzip
from connectors.s3.output_file import FIRST_TIMESTAMP, LAST_OFFSET, OutputFile
from connectors.s3.partitioner import Partitioner, TimestampExtractor
from connectors.s3.rotation import Limits, Rotation
from connectors.s3.store import ObjectStore


@dataclass(frozen=True)
class Layout:
    """What all Kafka partitions of a task share: where records go, what files are called, when they close."""

    store: ObjectStore
    partitioner: Partitioner
    limits: Limits
    record_time: TimestampExtractor
    compressor: Callable[[], Compressor]
    compressed: bool
    name: Callable[[TopicPartition, str, int], str]
    ignore_nulls: bool


@dataclass
class Coverage:
    """Records at the head of a path that an object holds already: up to an offset, or, where it does not say, so many."""

    last: int | None
    count: int = 0

    def holds(self, offset: int) -> bool:
        return offset <= self.last if self.last is not None else self.count > 0


class PartitionWriter:
    """Takes the records of one Kafka partition in the order of their offsets."""

    def __init__(self, source: TopicPartition, layout: Layout, committed: int | None, now_ms: int) -> None:
        self.source = source
        self._layout = layout
        self._boundary = committed
        self._next = committed
        self._files: dict[str, OutputFile] = {}
        self._covered: dict[str, Coverage] = {}
        self._rotation = Rotation(layout.limits, now_ms)
        self._rotating = False
        self.stored = 0
        self.last_key: str | None = None

    @property
    def open_files(self) -> int:
        return len(self._files)

    @property
    def committable(self) -> int | None:
        """The offset to go on from after a kill: see above. None: nothing was read yet."""
        self._advance()
        return self._boundary

    def write(self, records: list[SinkRecord], now_ms: int) -> None:
        """Takes records; those that it has already (a batch may come again after an outage) are passed over.

        Raises DataError with the index of a record that cannot be written; all before it are taken.
        """
        if self._rotating:
            self.rotate(now_ms)
        position = 0
        if self._next is None:
            self._next = self._boundary = records[0].offset
        while position < len(records) and records[position].offset < self._next:
            position += 1
        while position < len(records):
            position = self._write_run(records, position, now_ms)

    def tick(self, now_ms: int) -> None:
        """Closes files when the wall clock says so."""
        if self._rotating or (self._files and self._rotation.scheduled(now_ms)):
            self.rotate(now_ms)

    def rotate(self, now_ms: int) -> None:
        """Stores all open files. After an error it is to be called again before anything else."""
        self._rotating = True
        for path in list(self._files):
            self._store(path)
        self._rotating = False
        self._rotation.restart(now_ms)
        self._advance()

    def discard(self) -> None:
        """Forgets the open files: their records are read again by whoever goes on."""
        for file in self._files.values():
            file.discard()
        self._files.clear()

    def _write_run(self, records: list[SinkRecord], start: int, now_ms: int) -> int:
        """Takes the records from ``start`` that share a path and a schema; gives the index behind them."""
        first = records[start]
        if first.value is None:
            self._refuse_null(first, start)
            self._next = first.offset + 1
            return start + 1
        try:
            path, time_ms = self._layout.partitioner.path(first, now_ms), self._time(first, now_ms)
        except DataError as error:
            raise DataError(str(error), start) from error
        if self._rotation.scheduled(now_ms) or self._rotation.closes_before(first.value_schema, time_ms):
            self.rotate(now_ms)
        end = self._run_end(records, start, path, time_ms, now_ms)
        return self._write_path(path, records, start, end, now_ms)

    def _run_end(self, records: list[SinkRecord], start: int, path: str, time_ms: int | None, now_ms: int) -> int:
        schema = records[start].value_schema
        partitioner = self._layout.partitioner if self._layout.partitioner.by_time else None
        base_ms = self._rotation.base_ms(time_ms)
        for index in range(start + 1, len(records)):
            record = records[index]
            if record.value is None or record.value_schema is not schema:
                return index
            try:
                if partitioner and partitioner.path(record, now_ms) != path:
                    return index
                if time_ms is not None and self._rotation.interval_over(self._time(record, now_ms), base_ms):
                    return index
            except DataError:
                return index  # it begins the next run, where it is raised with its index
        return len(records)

    def _write_path(self, path: str, records: list[SinkRecord], start: int, end: int, now_ms: int) -> int:
        """Takes records of one path up to ``end``, or up to a rotation; gives the index behind what was taken."""
        start = self._skip_covered(path, records, start, end)
        if start == end:
            return end
        file = self._files.get(path) or self._open(path, records[start])
        if file is None:
            return start  # they are stored already: the next round passes over them
        chunk = records[start : min(end, start + self._rotation.record_room)]
        try:
            lines = json_lines.encode(chunk, chunk[0].value_schema)
        except DataError as error:
            raise DataError(str(error), start + (error.index or 0)) from error
        lines = lines[: self._rotation.fitting(lines)]
        file.append(lines, [record.offset for record in chunk[: len(lines)]])
        self._rotation.add(lines, chunk[0].value_schema, self._time(chunk[0], now_ms))
        start += len(lines)
        self._next = records[start - 1].offset + 1
        if self._rotation.full:
            self.rotate(now_ms)
        return start

    def _time(self, record: SinkRecord, now_ms: int) -> int | None:
        """The record's time, where rotation asks for it."""
        return self._layout.record_time(record, now_ms) if self._layout.limits.interval_ms > 0 else None

    def _refuse_null(self, record: SinkRecord, index: int) -> None:
        if not self._layout.ignore_nulls:
            raise DataError(
                f"the record of {record.topic}-{record.partition} at offset {record.offset} has a null value (a tombstone), "
                "and behavior.on.null.values=fail; set it to ignore to leave such records out",
                index,
            )

    def _skip_covered(self, path: str, records: list[SinkRecord], start: int, end: int) -> int:
        held = self._covered.get(path)
        while held is not None and start < end:
            if not held.holds(records[start].offset):
                del self._covered[path]
                break
            held.count -= 1
            self._next = records[start].offset + 1
            start += 1
        return start

    def _advance(self) -> None:
        """Where we stand is a boundary if nothing is open and no object found reaches further."""
        if self._next is None or self._files:
            return
        self._covered = {path: held for path, held in self._covered.items() if held.holds(self._next)}
        if not self._covered:
            self._boundary = self._next

    def _open(self, path: str, record: SinkRecord) -> OutputFile | None:
        """A new file that begins with this record. None: an object of its name is there, and is noted."""
        key = self._layout.name(self.source, path, record.offset)
        found = self._coverage(key, record.timestamp)
        if found is not None:
            self._covered[path] = found
            return None
        self._files[path] = OutputFile(key, record.timestamp, self._layout.compressor)
        return self._files[path]

    def _store(self, path: str) -> None:
        """Makes a file an object. Where a rival was faster, what the rival's object does not hold goes on as a file."""
        file = self._files[path]
        while not self._layout.store.put_if_absent(file.key, file.finish(), file.metadata):
            held = self._coverage(file.key, file.first_timestamp)
            if held is None:
                raise RetriableError(f"{file.key} was refused because it exists, and now it does not")
            count = sum(1 for offset in file.offsets if offset <= held.last) if held.last is not None else held.count
            lines, offsets = file.lines_after(count)
            if not offsets:
                held.count -= len(file.offsets)
                self._covered[path] = held
                break
            name = self._layout.name(self.source, path, offsets[0])
            rest = OutputFile(name, None, self._layout.compressor)
            rest.append(lines, offsets)
            file.discard()
            self._files[path] = file = rest
        else:
            self.stored += 1
            self.last_key = file.key
        del self._files[path]
        file.discard()

    def _coverage(self, key: str, first_timestamp: int | None) -> Coverage | None:
        """What an object of that name holds; None: there is none."""
        metadata = self._layout.store.head(key)
        if metadata is None:
            return None
        theirs = metadata.get(FIRST_TIMESTAMP)
        if theirs is not None and first_timestamp is not None and theirs != str(first_timestamp):
            raise ConfigError(
                f"{key} exists and begins with another record (of {_when(int(theirs))}, ours is of {_when(first_timestamp)}): "
                "the topic was probably deleted and made again. Choose another topics.dir, or move the old objects away.",
                "topics.dir",
            )
        if LAST_OFFSET in metadata:
            return Coverage(int(metadata[LAST_OFFSET]))
        content = self._layout.store.read(key)
        return Coverage(None, (gunzip(content) if self._layout.compressed else content).count(b"\n"))


def _when(time_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time_ms / 1000))
