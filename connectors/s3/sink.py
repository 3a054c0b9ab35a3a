"""The S3 sink: topics into objects, by the names that Confluent's sink gives them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from connect.api import ConfigProblem, DataError, SinkConnector, SinkRecord, TaskContext, TopicPartition
from connectors.formats.compression import Compressor, Stored, gzip_compressor
from connectors.s3.config import S3SinkConfig
from connectors.s3.directory_store import DirectoryStore
from connectors.s3.partition_writer import Layout, PartitionWriter
from connectors.s3.partitioner import make_extractor, make_partitioner
from connectors.s3.rotation import Limits
from connectors.s3.s3_store import S3Store
from connectors.s3.store import ObjectStore

# Each open file has a compressor's state and maybe a descriptor: beyond this the partition with most of them closes its files.
_MAX_OPEN_FILES = 500


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class S3Sink(SinkConnector[S3SinkConfig]):
    """Delivery is exactly once; :mod:`connectors.s3.partition_writer` says why."""

    java_classes: ClassVar[tuple[str, ...]] = ("io.confluent.connect.s3.S3SinkConnector",)

    def __init__(self, config: S3SinkConfig, context: TaskContext) -> None:
        super().__init__(config, context)
        self._layout = make_layout(config, make_store(config))
        self._writers: dict[tuple[str, int], PartitionWriter] = {}
        self._reported = 0

    def check(self) -> Sequence[ConfigProblem]:
        return self._layout.store.check()

    def assigned(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        self._discard()
        now_ms = _now_ms()
        self._writers = {
            (source.topic, source.partition): PartitionWriter(source, self._layout, offset, now_ms)
            for source, offset in offsets.items()
        }

    def write(self, batch: Sequence[SinkRecord]) -> None:
        now_ms = _now_ms()
        groups: dict[tuple[str, int], list[SinkRecord]] = {}
        for record in batch:
            groups.setdefault((record.topic, record.partition), []).append(record)
        for source, records in groups.items():
            try:
                self._writer(source, now_ms).write(records, now_ms)
            except DataError as error:
                if error.index is None:
                    raise
                raise DataError(str(error), _index_of(batch, records[error.index])) from error
            self._bound_open_files(now_ms)

    def flush(self) -> Mapping[TopicPartition, int]:
        committable = ((writer.source, writer.committable) for writer in self._writers.values())
        return {source: offset for source, offset in committable if offset is not None}

    def tick(self) -> None:
        now_ms = _now_ms()
        for writer in self._writers.values():
            writer.tick(now_ms)
        stored = sum(writer.stored for writer in self._writers.values())
        if stored != self._reported:
            self._reported = stored
            newest = max((writer.last_key for writer in self._writers.values() if writer.last_key), default=None)
            self.context.report({"objects": stored, "last_object": newest})

    def close(self) -> None:
        self._discard()
        self._layout.store.close()

    def _writer(self, source: tuple[str, int], now_ms: int) -> PartitionWriter:
        writer = self._writers.get(source)
        if writer is None:
            writer = self._writers[source] = PartitionWriter(TopicPartition(*source), self._layout, None, now_ms)
        return writer

    def _bound_open_files(self, now_ms: int) -> None:
        while sum(writer.open_files for writer in self._writers.values()) > _MAX_OPEN_FILES:
            max(self._writers.values(), key=lambda writer: writer.open_files).rotate(now_ms)

    def _discard(self) -> None:
        for writer in self._writers.values():
            writer.discard()


def make_store(config: S3SinkConfig) -> ObjectStore:
    """The bucket or the folder that a configuration names."""
    return DirectoryStore(Path(config.folder).absolute()) if config.folder else S3Store(config)


def make_layout(config: S3SinkConfig, store: ObjectStore) -> Layout:
    """Everything else that the configuration decides."""
    compressed = config.s3_compression_type == "gzip"
    compressor: Callable[[], Compressor] = partial(gzip_compressor, config.s3_compression_level) if compressed else Stored
    limits = Limits(
        config.flush_size, config.rotate_bytes, config.rotate_interval_ms, config.rotate_schedule_interval_ms, config.timezone
    )
    return Layout(
        store=store,
        partitioner=make_partitioner(config),
        limits=limits,
        record_time=make_extractor(config),
        compressor=compressor,
        compressed=compressed,
        name=partial(object_name, config),
        ignore_nulls=config.behavior_on_null_values == "ignore",
    )


def object_name(config: S3SinkConfig, source: TopicPartition, path: str, offset: int) -> str:
    """``topics/orders/partition=0/orders+0+0000000042.json.gz``."""
    padded = f"{offset:0{config.filename_offset_zero_pad_width}d}"
    name = config.file_delim.join((source.topic, str(source.partition), padded)) + config.extension
    folders = (config.topics_dir, source.topic, path, name)
    return config.directory_delim.join(folder for folder in folders if folder)


def _index_of(batch: Sequence[SinkRecord], wanted: SinkRecord) -> int:
    return next(index for index, record in enumerate(batch) if record is wanted)
