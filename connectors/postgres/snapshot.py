"""The tables' rows as records: one COPY per table, all on one snapshot of the database.

Which LSN do a snapshot's rows get? Readers fold records by (key, LSN): the greatest LSN of a key is its state. Rows get the
slot's ``restart_lsn``, read before the snapshot is taken, and that is right for the first snapshot and for one begun anew:

* The slot never sends a change at or before its restart_lsn, so a streamed change of a key always beats its snapshot row.
* The slot sends every transaction that commits after its first position, and it does not move while a snapshot is unfinished
  (only :meth:`PostgresSource.commit` moves it, and not for a snapshot's offset). So a key that any transaction touched since
  then has all of its changes in the stream, deletions included, and the last of them is the key's state: row locks make LSN
  order commit order within a key. What a snapshot row said, from whichever attempt, does not matter.
* A key that nobody touched since then has the same row in every attempt's snapshot.

``pg_current_wal_lsn()`` would not do: a transaction that is open while the snapshot is taken may have written its change
before that position, is not in the snapshot, and would lose against the row when it is streamed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connect.api import Checkpoint, DataError, SourceRecord
from connectors.postgres.envelope import Moment, Table, with_marker
from connectors.postgres.offsets import snapshot_offset
from connectors.postgres.session import Session

Report = Callable[[Mapping[str, Any]], None]
REPORT_SECONDS = 1.0


class Snapshot:
    """Reads ``tables`` in order through a session whose transaction holds the snapshot; ``lsn`` as explained above."""

    def __init__(self, session: Session, tables: Sequence[Table], lsn: int, report: Report) -> None:
        self._session = session
        self._tables = tables
        self._lsn = lsn
        self._report = report
        self._reported = 0.0
        self._rows = 0
        self._held: SourceRecord | None = None  # the newest record: it may turn out to be its table's last, or the last of all

    def records(self) -> Iterator[list[SourceRecord] | Checkpoint | None]:
        """Batches of records; at the end a Checkpoint that says that the snapshot is complete."""
        facts = yield from self._session.query(
            "select (extract(epoch from transaction_timestamp()) * 1000000)::bigint,"
            " txid_snapshot_xmax(txid_current_snapshot())"
        )
        taken_us, xid = (int(fact or 0) for fact in facts[0])
        offset = snapshot_offset(self._lsn, xid, taken_us, last=False, completed=False)
        for number, table in enumerate(self._tables):
            if table.captured:
                yield from self._table_records(table, number, taken_us, xid, offset)
        final = snapshot_offset(self._lsn, xid, taken_us, last=True, completed=True)
        if self._held is not None:
            with_marker(self._held, "last")
            yield [self._held]
        yield Checkpoint(final)
        self._report({"snapshot": {"state": "completed", "rows": self._rows}})

    def _table_records(
        self, table: Table, number: int, taken_us: int, xid: int, offset: dict[str, Any]
    ) -> Iterator[list[SourceRecord] | None]:
        source = {
            **table.source,
            "ts_ms": taken_us // 1000,
            "snapshot": "true",
            "sequence": f'[null,"{self._lsn}"]',
            "ts_us": taken_us,
            "ts_ns": taken_us * 1000,
            "txId": xid,
            "lsn": self._lsn,
        }
        fresh = True
        for lines in self._session.copy_rows(self._copy(table)):
            if lines is None:
                yield None
                continue
            batch = _records(table, lines, source, offset)
            if fresh:
                with_marker(batch[0], "first_in_data_collection" if self._rows else "first")
                fresh = False
            self._rows += len(batch)
            if self._held is not None:
                batch.insert(0, self._held)
            self._held = batch.pop()
            self._progress(table, number)
            if batch:
                yield batch
        if not fresh and self._held is not None and self._held.value["source"]["snapshot"] != "first":
            with_marker(self._held, "last_in_data_collection")

    def _copy(self, table: Table) -> str:
        quote = self._session.quote
        columns = ", ".join(quote(column.name) for column in table.captured)
        return f"COPY (SELECT {columns} FROM {quote(table.schema)}.{quote(table.name)}) TO STDOUT"  # noqa: S608 - quoted names

    def _progress(self, table: Table, number: int) -> None:
        now = time.monotonic()
        if now - self._reported >= REPORT_SECONDS:
            self._reported = now
            state = {
                "state": "running",
                "table": str(table),
                "tables_done": number,
                "tables": len(self._tables),
                "rows": self._rows,
            }
            self._report({"snapshot": state})


def _records(table: Table, lines: Sequence[memoryview], source: dict[str, Any], offset: dict[str, Any]) -> list[SourceRecord]:
    now = Moment.of(time.time_ns())
    read = table.read_line
    records = []
    for line in lines:
        try:
            key, row = read(str(line, "utf-8")[:-1])
        except (ValueError, ArithmeticError) as error:
            shown = bytes(line[:200]).decode(errors="replace").rstrip()
            raise DataError(f"A row of {table} has a value that does not convert: {error}. The row begins: {shown}") from error
        records.append(table.record("r", key, None, row, source, offset, now))
    return records
