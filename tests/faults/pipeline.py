"""The pipeline of the acceptance test, seen from outside: a table that changes, a bucket that must come to equal it.

Nothing here uses our connectors or our converters: psycopg writes and reads the table, boto3 reads the objects.
"""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

TABLE = "ledger"


def create_table(connection: psycopg.Connection[Any], rows: int) -> None:
    connection.execute(
        f"create table {TABLE} (id bigint primary key, version bigint not null, quantity int, note text, paid boolean, "
        "price numeric(12,2), at timestamptz not null default now())"
    )
    connection.execute(
        f"insert into {TABLE} (id, version, quantity, note, paid, price) "
        "select g, 0, g %% 7, 'row ' || g, g %% 2 = 0, g::numeric / 100 from generate_series(1, %s) g",
        (rows,),
    )
    connection.commit()


@dataclass(eq=False)
class Workload(threading.Thread):
    """Mixed changes, in transactions of mixed sizes, paced so that kills fall among them.

    Every change that committed stands in ``ledger`` as (id, version).
    """

    connect: Callable[[], psycopg.Connection[Any]]
    changes: int
    rows: int
    seed: int
    per_second: float
    ledger: set[tuple[int, int]] = field(default_factory=set)
    done: int = 0
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self.failure = error

    def _run(self) -> None:
        dice = random.Random(self.seed)
        live = list(range(1, self.rows + 1))
        next_id = self.rows + 1
        version = 0
        began = time.monotonic()
        with self.connect() as connection:
            while self.done < self.changes:
                statements: list[tuple[str, tuple[Any, ...]]] = []
                written: list[tuple[int, int]] = []
                for _ in range(min(dice.choice((1, 1, 3, 10, 200)), self.changes - self.done)):
                    version += 1
                    action = dice.random()
                    if action < 0.35 or len(live) < 10:
                        statements.append(
                            (f"insert into {TABLE} values (%s, %s, 1, %s, true, 1.10)", (next_id, version, "new"))
                        )
                        written.append((next_id, version))
                        live.append(next_id)
                        next_id += 1
                        continue
                    place = dice.randrange(len(live))
                    row = live[place]
                    if action < 0.85:
                        statements.append((f"update {TABLE} set version = %s, quantity = 5 where id = %s", (version, row)))
                        written.append((row, version))
                    elif action < 0.9:
                        statements.append((f"update {TABLE} set id = %s, version = %s where id = %s", (next_id, version, row)))
                        written.append((next_id, version))
                        live[place] = next_id
                        next_id += 1
                    else:
                        statements.append((f"delete from {TABLE} where id = %s", (row,)))
                        live[place] = live[-1]
                        live.pop()
                with connection.pipeline(), connection.cursor() as cursor:
                    for statement, values in statements:
                        cursor.execute(statement, values)
                connection.commit()
                self.ledger.update(written)
                self.done += len(statements)
                time.sleep(max(0.0, began + self.done / self.per_second - time.monotonic()))


def wait_for_records(bootstrap: str, topic: str, count: int, timeout_seconds: float = 60) -> None:
    """Waits until the topic's only partition holds that many records."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "watch", "enable.auto.commit": False})
    deadline = time.monotonic() + timeout_seconds
    end = 0
    try:
        while end < count:
            assert time.monotonic() < deadline, f"{topic} holds {end} of {count} records"
            with suppress(KafkaException):
                end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5)[1]
            time.sleep(0.1)
    finally:
        consumer.close()


def read_objects(client: Any, bucket: str, prefix: str = "topics/") -> list[dict[str, Any]]:
    """Every record of every object, in no particular order."""
    records: list[dict[str, Any]] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            body = client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            lines = gzip.decompress(body) if item["Key"].endswith(".gz") else body
            records.extend(json.loads(line) for line in lines.splitlines() if line)
    return records


def fold(records: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The table that the records describe: per key, the change with the greatest lsn."""
    newest: dict[int, tuple[int, dict[str, Any] | None]] = {}
    for record in records:
        row = record["after"] or record["before"]
        lsn = record["source"]["lsn"]
        if row["id"] not in newest or lsn >= newest[row["id"]][0]:
            newest[row["id"]] = (lsn, record["after"])
    return {key: row for key, (_, row) in newest.items() if row is not None}


def read_table(connection: psycopg.Connection[Any]) -> dict[int, tuple[Any, ...]]:
    rows = connection.execute(f"select id, version, quantity, note, paid, price::text from {TABLE}").fetchall()
    return {row[0]: row for row in rows}


def as_table(folded: dict[int, dict[str, Any]]) -> dict[int, tuple[Any, ...]]:
    """Folded rows in the form of :func:`read_table` (price arrives as a string: decimal.handling.mode)."""
    columns = ("id", "version", "quantity", "note", "paid", "price")
    return {key: tuple(row[column] for column in columns) for key, row in folded.items()}


def differences(table: dict[int, tuple[Any, ...]], folded: dict[int, tuple[Any, ...]]) -> list[str]:
    """What differs, at most ten lines."""
    keys = [key for key in {*table, *folded} if table.get(key) != folded.get(key)]
    return [f"id {key}: table {table.get(key)}, bucket {folded.get(key)}" for key in sorted(keys)[:10]]


def wait_equal(read: Callable[[], tuple[dict[int, Any], dict[int, Any]]], timeout_seconds: float) -> None:
    """Waits until the bucket's fold equals the table."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        table, folded = read()
        if table == folded:
            return
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{len(table)} rows in the table, {len(folded)} in the bucket\n" + "\n".join(differences(table, folded))
            )
        time.sleep(1)
