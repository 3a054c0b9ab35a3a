"""What an author writes: a source is a generator, a sink one method.

The runtime deals with everything else: retries and back-off, batching, conversion, offsets, threads, restarts. A connector
raises, and the class of the error decides (connect/api/errors.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from connect.api.config import ConfigProblem, ConnectorConfig, PluginConfig, config_class_of
from connect.api.context import TaskContext
from connect.api.record import Checkpoint, Offset, Partition, SinkRecord, SourceRecord, TopicPartition

C = TypeVar("C", bound=ConnectorConfig)


class Connector(Generic[C]):
    """What sources and sinks have in common."""

    config_class: ClassVar[type[PluginConfig]] = ConnectorConfig
    version: ClassVar[str] = "0.1.0"
    java_classes: ClassVar[tuple[str, ...]] = ()
    """Class names of the JVM connectors whose configuration this one takes."""
    retriable: ClassVar[tuple[type[Exception], ...]] = ()
    """Plain exceptions that mean 'try again later', as RetriableError does."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.config_class = config_class_of(cls, cls.config_class)

    def __init__(self, config: C, context: TaskContext) -> None:
        self.config = config
        self.context = context

    def check(self) -> Sequence[ConfigProblem]:
        """Tries the outside system: what would stop this configuration from working? Feeds ``/config/validate``."""
        return ()

    def close(self) -> None:
        """The task ends: give back connections. Called once, also after a failure."""


class SourceConnector(Connector[C]):
    """Reads an outside system into topics."""

    def partitions(self) -> Sequence[Partition]:
        """What can be read in parallel; the runtime deals these out to at most ``tasks.max`` tasks."""
        return ({},)

    def read(
        self, partition: Partition, offset: Offset | None
    ) -> Iterator[SourceRecord | list[SourceRecord] | Checkpoint | None]:
        """Yields records from ``offset`` on (None: from the beginning), for ever or to the end of the data.

        A list is a batch (any size; some thousands is good). None means nothing just now, ask again. No step may block for
        longer than a second. The generator is closed when the task stops or pauses.
        """
        raise NotImplementedError

    def commit(self, partition: Partition, offset: Offset) -> None:
        """All records up to ``offset``, and the offset itself, are durable in the log: tell the outside system.

        Called between two steps of :meth:`read`, in the same thread.
        """

    def keep_alive(self) -> None:
        """Called about once a second, in the same thread, while :meth:`read` is not being asked for more (the log is slow)."""


class SinkConnector(Connector[C]):
    """Writes topics to an outside system."""

    def assigned(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        """These partitions are this task's from now on, read from these offsets (None: nothing committed yet)."""

    def write(self, batch: Sequence[SinkRecord]) -> None:
        """Takes a batch, in order within each partition. Raising RetriableError has the same batch come again."""
        raise NotImplementedError

    def flush(self) -> Mapping[TopicPartition, int] | None:
        """Makes what was written durable; only then are consumer offsets committed.

        Returns None when everything written is durable, or the next offset to read of each partition that is durable only
        up to there (a sink that keeps files open between flushes).
        """
        return None

    def tick(self) -> None:
        """Called about once a second, records or not: time-based work such as rotation."""
