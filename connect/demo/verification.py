"""Is the table what the topic says, and what the objects say? Read with clients of its own, by none of our connectors' code.

Both are *folded*: per primary key the change with the greatest LSN counts, a delete takes the row away.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connect.demo.object_store import DemoStore
from connect.demo.postgres_server import PostgresServer

_COLUMNS = ("id", "customer", "item", "quantity", "amount", "status", "note")
Row = tuple[Any, ...]
Rows = Mapping[int, Row]


@dataclass(frozen=True)
class Finding:
    """What was compared."""

    table: Rows
    topic: Rows
    objects: Rows
    records: int
    """How many changes the objects hold."""
    repeated: int
    """How many of the topic's records the objects hold more than once, or not at all."""

    @property
    def equal(self) -> bool:
        return self.table == self.topic == self.objects and self.repeated == 0

    def differences(self) -> list[str]:
        """The first few."""
        told = [f"{self.repeated} records of the topic are not in the objects exactly once"] if self.repeated else []
        for name, rows in (("topic", self.topic), ("objects", self.objects)):
            wrong = sorted(key for key in {*self.table, *rows} if self.table.get(key) != rows.get(key))
            told += [f"id {key}: the table has {self.table.get(key)}, the {name}: {rows.get(key)}" for key in wrong[:3]]
        return told


def compare(postgres: PostgresServer, bootstrap_servers: str, topic: str, store: DemoStore) -> Finding:
    """Reads all three."""
    table = read_table(postgres)
    of_topic = list(read_topic(bootstrap_servers, topic))
    of_objects = list(read_objects(store))
    return Finding(table, fold(of_topic), fold(of_objects), len(of_objects), _not_once(of_topic, of_objects))


def _not_once(expected: list[Any], found: list[Any]) -> int:
    """How many records occur another number of times in one than in the other."""
    counts: dict[str, int] = {}
    for sign, changes in ((1, expected), (-1, found)):
        for change in changes:
            text = json.dumps(change, sort_keys=True)
            counts[text] = counts.get(text, 0) + sign
    return sum(abs(count) for count in counts.values())


def read_table(postgres: PostgresServer) -> Rows:
    """The rows as they are now; a column that is not there yet is null."""
    with postgres.connect() as connection:
        cursor = connection.execute("select * from orders")
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {row["id"]: _row({**row, "amount": str(row["amount"])}) for row in rows}


def read_topic(bootstrap_servers: str, topic: str) -> Iterable[Any]:
    """Every change in the topic, tombstones left out."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "demo-verification", "enable.auto.commit": False})
    try:
        partitions = list(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
        ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)[1] for number in partitions}
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number, end in ends.items() if end])
        left = {number for number, end in ends.items() if end}
        while left:
            for message in consumer.consume(500, timeout=0.2):
                if message.error():
                    continue
                number, offset, value = message.partition(), message.offset(), message.value()
                assert number is not None
                assert offset is not None
                if value is not None and offset < ends[number]:
                    yield json.loads(value)
                if offset + 1 >= ends[number]:
                    left.discard(number)
    finally:
        consumer.close()


def read_objects(store: DemoStore) -> Iterable[Any]:
    """Every change in the objects."""
    for item in store.list():
        for line in gzip.decompress(store.read(item.key)).splitlines():
            yield json.loads(line)


def fold(changes: Iterable[Any]) -> Rows:
    """The table that changes describe."""
    newest: dict[int, tuple[int, Any]] = {}
    for change in changes:
        key = (change["after"] or change["before"])["id"]
        lsn = change["source"]["lsn"]
        if key not in newest or lsn >= newest[key][0]:
            newest[key] = (lsn, change["after"])
    return {key: _row(after) for key, (_, after) in newest.items() if after is not None}


def _row(values: Mapping[str, Any]) -> Row:
    return tuple(values.get(column) for column in _COLUMNS)
