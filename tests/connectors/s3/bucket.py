"""What tests of the sink share: records, a store in memory that can be made to fail, and the reading back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from connect.api import ConfigProblem, SinkRecord
from connectors.s3.config import S3SinkConfig


class Killed(BaseException):
    """The process is gone: nothing after this line happens."""


class MemoryStore:
    """Objects in a dict. ``kill_at`` counts puts: an even number kills before that put / 2, an odd one right after it."""

    def __init__(self, *, with_metadata: bool = True) -> None:
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, Mapping[str, str]] = {}
        self.with_metadata = with_metadata
        self.kill_at: int | None = None
        self.puts = 0

    def put_if_absent(self, key: str, body: IO[bytes], metadata: Mapping[str, str]) -> bool:
        self._step(0)
        stored = key not in self.objects
        if stored:
            self.objects[key] = body.read()
            self.metadata[key] = dict(metadata) if self.with_metadata else {}
        self._step(1)
        self.puts += 1
        return stored

    def head(self, key: str) -> Mapping[str, str] | None:
        return self.metadata.get(key)

    def read(self, key: str) -> bytes:
        return self.objects[key]

    def check(self) -> Sequence[ConfigProblem]:
        return ()

    def close(self) -> None:
        pass

    def _step(self, after: int) -> None:
        if self.kill_at is not None and 2 * self.puts + after == self.kill_at:
            raise Killed

    def lines(self) -> list[Any]:
        return [line for key, body in self.objects.items() for line in read_lines(key, body)]


def read_lines(key: str, body: bytes) -> list[Any]:
    plain = gzip.decompress(body) if key.endswith(".gz") else body
    return [json.loads(line) for line in plain.splitlines()]


def read_bucket(client: Any, bucket: str) -> dict[str, list[Any]]:
    """Every object's lines, by key."""
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            body = client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            found[item["Key"]] = read_lines(item["Key"], body)
    return found


def record(
    offset: int, value: Any = ..., topic: str = "orders", partition: int = 0, time_ms: int = 0, **fields: Any
) -> SinkRecord:
    """A schemaless record; without a value it holds its coordinates."""
    given = {"topic": topic, "partition": partition, "offset": offset} if value is ... else value
    return SinkRecord(topic, partition, offset, None, given, None, fields.get("value_schema"), time_ms, (), None, None)


def records(offsets: Iterable[int], **fields: Any) -> list[SinkRecord]:
    return [record(offset, **fields) for offset in offsets]


def config(**keys: str) -> S3SinkConfig:
    """A configuration; keys with ``_`` for ``.``."""
    given = {"s3.bucket.name": "b", "flush.size": "10", **{key.replace("_", "."): value for key, value in keys.items()}}
    return S3SinkConfig.model_validate(given)
