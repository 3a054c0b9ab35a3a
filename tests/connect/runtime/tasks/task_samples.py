"""Connectors, converters and transforms that behave and misbehave on demand; task processes import them by name."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connect.api import (
    Checkpoint,
    ConnectorConfig,
    Converter,
    DataError,
    FencedError,
    Offset,
    Partition,
    PluginConfig,
    RetriableError,
    Schema,
    SinkConnector,
    SinkRecord,
    SourceConnector,
    SourceRecord,
    TopicPartition,
    Transformation,
)


class PlainJson(Converter[PluginConfig]):
    """JSON without schemas. A value "unconvertible" is refused."""

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        return [self._encode(index, value) for index, value in enumerate(values)]

    def _encode(self, index: int, value: Any) -> bytes | None:
        if value == "unconvertible":
            raise DataError("this value has no JSON", index)
        return None if value is None else json.dumps(value).encode()

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        values = []
        for index, payload in enumerate(payloads):
            try:
                values.append(None if payload is None else json.loads(payload))
            except ValueError as error:
                raise DataError(f"not JSON: {error}", index) from error
        return [None] * len(values), values


class CountingConfig(ConnectorConfig):
    topic: str
    end: int = 0
    batch: int = 0
    journal: str = ""
    trouble: str = ""
    partition_count: int = 1
    delay_ms: int = 0


class Journal:
    """What a connector went through, a line each, in a file that outlives its process."""

    def __init__(self, path: str) -> None:
        self.path = path

    def write(self, *line: Any) -> None:
        if self.path:
            with Path(self.path).open("a") as file:
                file.write(json.dumps(line) + "\n")


def hang_holding_the_gil() -> None:
    ctypes.PyDLL(None).sleep(1000)


class CountingSource(SourceConnector[CountingConfig]):
    """Counts from 0 to ``end`` (0: for ever); the offset is the next number. ``trouble`` names what goes wrong."""

    retriable = (OSError,)

    def __init__(self, config: CountingConfig, context: Any) -> None:
        super().__init__(config, context)
        self.journal = Journal(config.journal)
        self.attempts = 0
        if config.trouble == "init":
            raise ValueError("cannot begin")

    def partitions(self) -> Sequence[Partition]:
        return [{"part": number} for number in range(self.config.partition_count)]

    def read(
        self, partition: Partition, offset: Offset | None
    ) -> Iterator[SourceRecord | list[SourceRecord] | Checkpoint | None]:
        start = offset["next"] if offset else 0
        self.journal.write("read", partition, start)
        number = start
        try:
            while not self.config.end or number < self.config.end:
                self._trouble(number)
                if self.config.delay_ms:
                    time.sleep(self.config.delay_ms / 1000)
                if self.config.batch:
                    yield [self._record(partition, at) for at in range(number, number + self.config.batch)]
                    number += self.config.batch
                else:
                    yield self._record(partition, number)
                    number += 1
            if self.config.trouble == "checkpoint":
                yield Checkpoint({"next": 1_000_000})
            while self.config.trouble == "idle":
                yield None
        finally:
            self.journal.write("closed", partition)

    def _record(self, partition: Partition, number: int) -> SourceRecord:
        value = "unconvertible" if self.config.trouble == "data" and number == 3 else {"n": number}
        if self.config.trouble == "large" and number == 3:
            value = {"n": "x" * 2_000_000}
        topic = f"{self.config.topic}-{number % 2}" if self.config.trouble == "two topics" else self.config.topic
        return SourceRecord(topic, value, {"next": number + 1}, key=f"k{number % 5}")

    def _trouble(self, number: int) -> None:
        trouble = self.config.trouble
        if trouble == "log" and number == 5:
            logging.getLogger("sample").warning("five is %s", "coming")
        if trouble == "hang at once":
            self.journal.write("hanging")
            time.sleep(1000)
        if trouble == "hang in C at once":
            self.journal.write("hanging")
            hang_holding_the_gil()
        if trouble == "outage" and number == 5 and self.attempts < 2:
            self.attempts += 1
            raise OSError("the server went away")
        if trouble == "retry for ever" and number == 5:
            raise RetriableError("the server is unwell")
        if trouble == "bug" and number == 5:
            raise KeyError("missing")
        if trouble == "fenced" and number == 5:
            raise FencedError("somebody else reads this now")
        if trouble == "exit" and number == 5:
            os._exit(7)
        if trouble == "sys.exit" and number == 5:
            raise SystemExit(3)
        if trouble == "hang" and number == 5:
            time.sleep(1000)
        if trouble == "hang in C" and number == 5:
            hang_holding_the_gil()

    def commit(self, partition: Partition, offset: Offset) -> None:
        self.journal.write("commit", partition, offset)

    def keep_alive(self) -> None:
        self.journal.write("keep_alive")

    def close(self) -> None:
        self.journal.write("close")


class WritingConfig(ConnectorConfig):
    journal: str
    trouble: str = ""


class JournalSink(SinkConnector[WritingConfig]):
    """Writes what it gets into its journal; durable at each flush."""

    retriable = (OSError,)

    def __init__(self, config: WritingConfig, context: Any) -> None:
        super().__init__(config, context)
        self.journal = Journal(config.journal)
        self.attempts = 0

    def assigned(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        self.journal.write("assigned", [[*at, offset] for at, offset in sorted(offsets.items())])

    def write(self, batch: Sequence[SinkRecord]) -> None:
        if self.config.trouble == "outage" and self.attempts < 2:
            self.attempts += 1
            self.journal.write("outage", len(batch))
            raise OSError("the bucket is away")
        if self.config.trouble == "away":
            raise RetriableError("the bucket is away for long")
        if self.config.trouble == "data":
            for index, record in enumerate(batch):
                if record.value == {"n": 3}:
                    raise DataError("three is not welcome", index)
        if self.config.trouble == "bug":
            raise KeyError("missing")
        for record in batch:
            self.journal.write("record", record.topic, record.partition, record.offset, record.key, record.value)

    def flush(self) -> Mapping[TopicPartition, int] | None:
        self.journal.write("flush")
        if self.config.trouble == "holds back":
            return {}
        return None

    def tick(self) -> None:
        self.journal.write("tick")

    def close(self) -> None:
        self.journal.write("close")


class Doubling(Transformation[PluginConfig]):
    """Doubles n; drops 4; fails on 6."""

    def transform(self, record: Any) -> Any:
        number = record.value["n"]
        if number == 4:
            return None
        if number == 6:
            raise ValueError("six cannot be doubled")
        record.value = {"n": number * 2}
        return record
