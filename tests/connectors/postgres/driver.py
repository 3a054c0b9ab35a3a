"""Drives a PostgresSource as the runtime does: steps, commits, closes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import psycopg

from connect.api import Checkpoint, Offset, SourceRecord, TaskContext
from connectors.postgres.config import PostgresConfig
from connectors.postgres.source import PostgresSource


class Database:
    """An empty database on a real server, and connectors for it."""

    def __init__(self, server: Any, name: str) -> None:
        self.server = server
        self.name = name
        self.connection: psycopg.Connection[Any] = server.connect(dbname=name, autocommit=True)

    def run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def clear(self) -> None:
        """Empties it, whatever a test has left."""
        slots = "from pg_replication_slots where database = current_database()"
        self.run(f"select pg_terminate_backend(active_pid, 5000) {slots} and active_pid is not null")
        self.run(f"select pg_drop_replication_slot(slot_name) {slots}")
        for (publication,) in self.run("select quote_ident(pubname) from pg_publication"):
            self.run(f"drop publication {publication}")
        self.run("drop schema public cascade; create schema public; reset all")

    def keys(self, **more: object) -> dict[str, str]:
        """A configuration; ``table_include_list="public.t"`` stands for the key with dots."""
        server = self.server
        keys = {
            "topic.prefix": "srv",
            "database.hostname": server.host,
            "database.port": str(server.port),
            "database.user": server.user,
            "database.password": server.password,
            "database.dbname": self.name,
            "slot.name": f"slot_{self.name}",
        }
        return keys | {key.replace("_", "."): str(value) for key, value in more.items()}

    def source(self, **more: object) -> PostgresSource:
        return PostgresSource(PostgresConfig.model_validate(self.keys(**more)), TaskContext("test", 0))

    def reader(self, offset: Offset | None = None, **more: object) -> Reader:
        self.wait_for_senders_to_end()
        return Reader(self.source(**more), offset)

    def wait_for_senders_to_end(self, seconds: float = 10) -> None:
        """The server notices a moment later that the last reader has gone; the runtime would try again until then."""
        deadline = time.monotonic() + seconds
        while self.run("select 1 from pg_stat_replication where application_name <> 'standby'"):
            assert time.monotonic() < deadline, "a WAL sender goes on without a client"
            time.sleep(0.01)

    def slot(self) -> dict[str, Any]:
        row = self.run(
            "select active_pid, (confirmed_flush_lsn - '0/0')::bigint, (restart_lsn - '0/0')::bigint"
            " from pg_replication_slots where slot_name = %s",
            f"slot_{self.name}",
        )[0]
        return {"pid": row[0], "confirmed": row[1], "restart": row[2]}


class Reader:
    """One run of a source. ``offset`` is what a log would have stored after everything read so far."""

    def __init__(self, source: PostgresSource, offset: Offset | None) -> None:
        self.source = source
        self.offset = offset
        self.records: list[SourceRecord] = []
        self.checkpoints: list[Offset] = []
        self.steps: Iterator[Any] = source.read({"server": "srv"}, offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self) -> bool:
        """One step; False when there was nothing."""
        step = next(self.steps)
        if step is None:
            return False
        if isinstance(step, Checkpoint):
            self.checkpoints.append(step.offset)
            self.offset = step.offset
            return True
        batch = step if isinstance(step, list) else [step]
        for record in batch:
            self.offset = record.offset or self.offset
        self.records += batch
        return True

    def until(self, done: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds} s: {len(self.records)} records, {self.checkpoints[-3:]}"
            self.step()

    def take(self, count: int) -> list[SourceRecord]:
        """The next records; no more than these come."""
        self.until(lambda: len(self.records) >= count)
        taken, self.records = self.records, []
        assert len(taken) == count
        return taken

    def streaming(self) -> Reader:
        """Past the snapshot and connected to the slot."""
        self.until(lambda: self.source._stream is not None)
        return self

    def settle(self) -> None:
        """The transaction's end has come too, which may be a step after its last change."""
        self.until(lambda: bool(self.offset) and "messageType" not in (self.offset or {}))

    def commit(self) -> None:
        assert self.offset
        self.source.commit({"server": "srv"}, self.offset)

    def close(self) -> None:
        self.steps.close()  # type: ignore[attr-defined]
        self.source.close()


def ops(records: list[SourceRecord]) -> list[tuple[str, Any]]:
    """``(op, key)`` of each; a tombstone's op is "-"."""
    return [("-" if record.value is None else record.value["op"], record.key) for record in records]


def fold(records: list[SourceRecord]) -> dict[Any, Any]:
    """The table, as a reader sees it who takes the greatest LSN of each key."""
    newest: dict[Any, tuple[int, Any]] = {}
    for record in records:
        if record.value is None:
            continue
        key = tuple(record.key.values())
        lsn = record.value["source"]["lsn"]
        if key not in newest or lsn >= newest[key][0]:
            newest[key] = (lsn, record.value["after"])
    return {key: row for key, (_, row) in newest.items() if row is not None}
