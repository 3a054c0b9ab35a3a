"""``PostgresSource``: a snapshot of the captured tables, then every change, as Debezium's PostgreSQL connector has them."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator, Sequence

from psycopg import OperationalError

from connect.api import Checkpoint, ConfigError, ConfigProblem, Offset, Partition, RetriableError, SourceConnector, SourceRecord
from connectors.postgres import offsets
from connectors.postgres.config import PostgresConfig
from connectors.postgres.decoder import Decoder
from connectors.postgres.envelope import Server, context_headers
from connectors.postgres.pgoutput import lsn_text
from connectors.postgres.preflight import preflight
from connectors.postgres.session import Session, Waiting
from connectors.postgres.slot import Slot, create_slot, ensure_publication, find_slot
from connectors.postgres.snapshot import Snapshot
from connectors.postgres.stream import Stream
from connectors.postgres.tables import Tables

Step = list[SourceRecord] | Checkpoint | None


class PostgresSource(SourceConnector[PostgresConfig]):
    """Reads one database through one replication slot.

    The slot is confirmed only in :meth:`commit`, so a kill at any moment loses nothing; snapshot.py has the argument for
    snapshots that are cut short.
    """

    java_classes = ("io.debezium.connector.postgresql.PostgresConnector",)
    retriable = (OperationalError, OSError)

    _sessions: tuple[Session, ...] = ()
    _stream: Stream | None = None

    def partitions(self) -> Sequence[Partition]:
        return (offsets.partition_of(self.config.topic_prefix),)

    def check(self) -> Sequence[ConfigProblem]:
        return preflight(self.config)

    def read(self, partition: Partition, offset: Offset | None) -> Iterator[Step]:  # noqa: ARG002 - there is one partition
        """Raises ConfigError, RetriableError, DataError, ServerError."""
        try:
            yield from self._read(offset)
        finally:
            self.close()

    def commit(self, partition: Partition, offset: Offset) -> None:  # noqa: ARG002 - there is one partition
        lsn = offsets.confirmed_lsn(offset)
        if lsn is not None and self._stream is not None:
            self._stream.confirm(lsn)

    def keep_alive(self) -> None:
        if self._stream is not None:
            self._stream.send_status()

    def close(self) -> None:
        self._stream = None
        sessions, self._sessions = self._sessions, ()
        for session in sessions:
            session.close()

    def _read(self, offset: Offset | None) -> Iterator[Step]:
        config = self.config
        session = yield from self._open()
        headers = context_headers(config.topic_prefix, self.context.task_id, str(uuid.uuid4()))
        server = Server(
            config.topic_prefix,
            config.database_dbname,
            headers if config.extended_headers_enabled else (),
            config.tombstones_on_delete,
        )
        tables = Tables(config, server)
        slot = yield from find_slot(session, config.slot_name)
        if slot is not None:
            self._refuse_foreign(slot)
        if self._wants_snapshot(offset, slot):
            offset = yield from self._snapshot(session, tables, slot)
            if config.snapshot_mode == "initial_only":
                return
        else:
            yield from self._prepare(session, tables, slot, offset)
        self.close()
        yield from self._follow(tables, offset)

    def _open(self, *, replication: bool = False) -> Waiting[Session]:
        session = yield from Session.open(self.config, replication=replication)
        self._sessions = (*self._sessions, session)
        return session

    def _refuse_foreign(self, slot: Slot) -> None:
        name = self.config.slot_name
        if slot.plugin != "pgoutput":
            raise ConfigError(
                f"Replication slot {name} is of plugin {slot.plugin}, not pgoutput: choose another name.", "slot.name"
            )
        if not slot.here:
            raise ConfigError(f"Replication slot {name} belongs to database {slot.database}; choose another name.", "slot.name")
        if slot.active_pid is not None:
            raise RetriableError(f"Replication slot {name} is active for PID {slot.active_pid}: waiting until it is free.")

    def _wants_snapshot(self, offset: Offset | None, slot: Slot | None) -> bool:
        mode = self.config.snapshot_mode
        if mode in ("no_data", "initial", "initial_only"):
            return mode != "no_data" and offsets.snapshot_pending(offset)
        return mode == "always" or offsets.snapshot_pending(offset) or self._gap(slot, offset) is not None

    def _gap(self, slot: Slot | None, offset: Offset | None) -> str | None:
        """Why changes since the offset are no longer to be had, if so."""
        name = self.config.slot_name
        if slot is None:
            return f"replication slot {name} is gone"
        if slot.lost:
            return f"the server has removed WAL that replication slot {name} needs"
        stored = offsets.confirmed_lsn(offset) if offset else None
        if stored is not None and slot.confirmed_lsn > stored:
            return f"replication slot {name} is at {lsn_text(slot.confirmed_lsn)}, beyond the stored offset {lsn_text(stored)}"
        return None

    def _snapshot(self, session: Session, tables: Tables, slot: Slot | None) -> Generator[Step, None, Offset | None]:
        """Gives the offset to stream from."""
        config = self.config
        captured = yield from tables.load(session)
        exported = None
        if config.snapshot_mode != "initial_only":
            yield from ensure_publication(session, config, captured)
            if slot is not None and slot.lost:
                raise ConfigError(f"The server has removed WAL that slot {config.slot_name} needs: drop the slot.", "slot.name")
            if slot is None:
                replication = yield from self._open(replication=True)
                exported = yield from create_slot(replication, config.slot_name)
                slot = yield from find_slot(session, config.slot_name)
        lsn = slot.restart_lsn if slot is not None else (yield from self._current_lsn(session))
        yield from session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if exported is not None:
            yield from session.query(f"SET TRANSACTION SNAPSHOT '{exported}'")
        captured = yield from tables.load(session)
        snapshot = Snapshot(session, [tables.table(table) for table in captured], lsn, self.context.report)
        last: Offset | None = None
        for step in snapshot.records():
            if isinstance(step, Checkpoint):
                last = step.offset
            yield step
        return last

    def _current_lsn(self, session: Session) -> Waiting[int]:
        rows = yield from session.query("select (pg_current_wal_lsn() - '0/0')::bigint")
        return int(rows[0][0] or 0)

    def _prepare(self, session: Session, tables: Tables, slot: Slot | None, offset: Offset | None) -> Waiting[None]:
        """Before streaming without a snapshot: a publication, a slot, no gap."""
        captured = yield from tables.load(session)
        if self.config.snapshot_mode == "initial_only":
            return
        yield from ensure_publication(session, self.config, captured)
        if offset is None and slot is None:
            replication = yield from self._open(replication=True)
            yield from create_slot(replication, self.config.slot_name)
        elif offset is not None and (gap := self._gap(slot, offset)) is not None:
            raise ConfigError(
                f"Changes are missing: {gap}. Delete the connector's offsets to take a new snapshot,"
                " or set snapshot.mode=when_needed.",
                "slot.name",
            )

    def _follow(self, tables: Tables, offset: Offset | None) -> Iterator[Step]:
        config = self.config
        if config.snapshot_mode == "initial_only":
            return
        resume = offsets.resume_point(offset)
        session = yield from self._open(replication=True)
        decoder = Decoder(tables.describe, resume, config.skipped_operations)
        stream = Stream(session, decoder, resume.commit_lsn, config.status_update_interval_ms / 1000)
        yield from stream.start(config.slot_name, config.publication_name)
        self._stream = stream
        yield from stream.records()
