"""A source of two partitions that counts, ten numbers a step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from connect.api import ConnectorConfig, Offset, Partition, SourceConnector, SourceRecord


class CountingConfig(ConnectorConfig):
    topic: str
    fail_at: int = -1
    hang_in_check: bool = False


class Counting(SourceConnector[CountingConfig]):
    version = "2.0"

    def check(self) -> Sequence[Any]:
        while self.config.hang_in_check:
            time.sleep(60)
        return ()

    def partitions(self) -> Sequence[Partition]:
        return [{"counter": 0}, {"counter": 1}]

    def read(self, partition: Partition, offset: Offset | None) -> Iterator[list[SourceRecord] | None]:
        number = offset["number"] if offset else 0
        while True:
            if number == self.config.fail_at:
                raise LookupError(f"there is no {number}")
            number += 1
            yield [SourceRecord(self.config.topic, number, {"number": number}, key=str(partition["counter"]))]
            time.sleep(0.01)
