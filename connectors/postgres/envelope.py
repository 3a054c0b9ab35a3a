"""Debezium's record for a change: key, ``{before, after, source, op, ...}``, headers, tombstone, and their schemas. Pure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connect.api import Header, Offset, Schema, SourceRecord, Type, primitive, struct
from connect.api.schema import INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING
from connectors.postgres.rows import Column, ReadLine, ReadTuple, Row, in_key, line_reader, tuple_reader

VERSION: Final = "0.1.0"
_MARKERS: Final = primitive(
    Type.STRING,
    optional=True,
    name="io.debezium.data.Enum",
    version=1,
    parameters={"allowed": "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},
    default="false",
)

SOURCE: Final = struct(
    ("version", STRING),
    ("connector", STRING),
    ("name", STRING),
    ("ts_ms", INT64),
    ("snapshot", _MARKERS),
    ("db", STRING),
    ("sequence", OPTIONAL_STRING),
    ("ts_us", OPTIONAL_INT64),
    ("ts_ns", OPTIONAL_INT64),
    ("schema", STRING),
    ("table", STRING),
    ("txId", OPTIONAL_INT64),
    ("lsn", OPTIONAL_INT64),
    ("xmin", OPTIONAL_INT64),
    ("origin", OPTIONAL_STRING),
    ("origin_lsn", OPTIONAL_INT64),
    name="io.debezium.connector.postgresql.Source",
    version=1,
)
TRANSACTION: Final = struct(
    ("id", STRING), ("total_order", INT64), ("data_collection_order", INT64), optional=True, name="event.block", version=1
)


@dataclass(frozen=True, slots=True)
class Server:
    """What all records of a task share."""

    prefix: str
    database: str
    headers: tuple[Header, ...] = ()
    tombstones: bool = True

    def source(self, schema: str, table: str) -> Row:
        """The source block but for what a change brings."""
        return {
            "version": VERSION,
            "connector": "postgresql",
            "name": self.prefix,
            "ts_ms": 0,
            "snapshot": "false",
            "db": self.database,
            "sequence": None,
            "ts_us": 0,
            "ts_ns": 0,
            "schema": schema,
            "table": table,
            "txId": None,
            "lsn": None,
            "xmin": None,
            "origin": None,
            "origin_lsn": None,
        }


def context_headers(prefix: str, task_id: int, run_id: str) -> tuple[Header, ...]:
    """``extended.headers.enabled``."""
    values = {"connectorLogicalName": prefix, "taskId": str(task_id), "connectorName": "postgresql", "runId": run_id}
    return tuple(Header(f"__debezium.context.{name}", value, STRING) for name, value in values.items())


@dataclass(frozen=True, slots=True)
class Moment:
    """When records are made."""

    ms: int
    us: int
    ns: int

    @classmethod
    def of(cls, ns: int) -> Moment:
        return cls(ns // 1_000_000, ns // 1000, ns)


class Table:
    """A captured table in one of its shapes.

    ``columns`` are those of the relation in its order, None for one that is not captured.
    """

    def __init__(self, server: Server, schema: str, name: str, columns: Sequence[Column | None]) -> None:
        self.schema = schema
        self.name = name
        self.columns = tuple(columns)
        self.captured = tuple(column for column in columns if column is not None)
        self.topic = f"{server.prefix}.{schema}.{name}"
        self.headers = server.headers
        self.tombstones = server.tombstones
        self.source = server.source(schema, name)
        keys = [(column.name, field_schema(column)) for _, column in in_key(self.columns)]
        self.key_schema: Schema | None = struct(*keys, name=f"{self.topic}.Key") if keys else None
        row = struct(
            *((column.name, field_schema(column)) for column in self.captured), optional=True, name=f"{self.topic}.Value"
        )
        self.value_schema = struct(
            ("before", row),
            ("after", row),
            ("source", SOURCE),
            ("transaction", TRANSACTION),
            ("op", STRING),
            ("ts_ms", OPTIONAL_INT64),
            ("ts_us", OPTIONAL_INT64),
            ("ts_ns", OPTIONAL_INT64),
            name=f"{self.topic}.Envelope",
            version=2,
        )

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @functools.cached_property
    def read_line(self) -> ReadLine:
        return line_reader(self.captured)

    @functools.cached_property
    def read_row(self) -> ReadTuple:
        return tuple_reader(self.columns)

    @functools.cached_property
    def read_identity(self) -> ReadTuple:
        return tuple_reader(self.columns, key_only=True)

    def record(
        self, op: str, key: Row | None, before: Row | None, after: Row | None, source: Row, offset: Offset | None, now: Moment
    ) -> SourceRecord:
        value = {
            "before": before,
            "after": after,
            "source": source,
            "transaction": None,
            "op": op,
            "ts_ms": now.ms,
            "ts_us": now.us,
            "ts_ns": now.ns,
        }
        return SourceRecord(self.topic, value, offset, key, self.value_schema, self.key_schema, None, self.headers)

    def deletion(self, key: Row | None, before: Row, source: Row, offset: Offset, now: Moment) -> list[SourceRecord]:
        """The deletion and its tombstone; only the last carries the offset, since the two are one change."""
        if not self.tombstones or key is None:
            return [self.record("d", key, before, None, source, offset, now)]
        return [self.record("d", key, before, None, source, None, now), self._tombstone(key, offset)]

    def key_change(
        self, keys: tuple[Row, Row], before: Row, after: Row, source: Row, offset: Offset, now: Moment
    ) -> list[SourceRecord]:
        """A row that got another key: a deletion under the old one, a creation under the new one."""
        old, new = keys
        gone = self.deletion(old, before, source, offset, now)
        for record in gone:
            record.offset = None
            record.headers = (Header("__debezium.newkey", new, self.key_schema), *self.headers)
        made = self.record("c", new, None, after, source, offset, now)
        made.headers = (Header("__debezium.oldkey", old, self.key_schema), *self.headers)
        return [*gone, made]

    def _tombstone(self, key: Row, offset: Offset) -> SourceRecord:
        return SourceRecord(self.topic, None, offset, key, None, self.key_schema, None, self.headers)


def field_schema(column: Column) -> Schema:
    """A nullable column is an optional field."""
    return column.type.schema.as_optional(column.optional)


def with_marker(record: SourceRecord, marker: str) -> None:
    """Changes a snapshot record's marker (the source block of a snapshot is shared by its table's records)."""
    record.value["source"] = {**record.value["source"], "snapshot": marker}
