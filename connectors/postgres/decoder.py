"""The replication stream's messages to records: transactions, positions, what is stored already. Pure; no clock, no socket."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from typing import Any

from connect.api import DataError, Offset, SourceRecord
from connectors.postgres import pgoutput
from connectors.postgres.envelope import Moment, Table
from connectors.postgres.offsets import ResumePoint, change_offset, position_offset
from connectors.postgres.pgoutput import DELETE, INSERT, KEY_TUPLE, NEW_TUPLE, OLD_TUPLE, UPDATE, MalformedMessage
from connectors.postgres.rows import Row

_UINT64 = struct.Struct("!Q").unpack_from
_CHANGE = struct.Struct("!xQ16xxI").unpack_from  # the header's LSN, and the relation after the kind
_BODY = pgoutput.HEADER_SIZE
_AT = _BODY + 5  # kind and relation go before the tuples
_OPERATIONS = {INSERT: ("c", "INSERT"), UPDATE: ("u", "UPDATE"), DELETE: ("d", "DELETE")}


class Decoder:
    """Collects records in ``batch``; ``checkpoint`` is an offset that no record carries. The caller takes both away.

    ``describe`` gives the table for a Relation message, None if it is not captured. ``skipped`` are operations to leave out.
    """

    def __init__(
        self, describe: Callable[[pgoutput.Relation], Table | None], resume: ResumePoint, skipped: Collection[str]
    ) -> None:
        self.batch: list[SourceRecord] = []
        self.checkpoint: Offset | None = None
        self.now = Moment(0, 0, 0)
        self.in_transaction = False
        self._describe = describe
        self._resume = resume
        self._skipped = frozenset(skipped)
        self._tables: dict[int, Table | None] = {}
        self._commit_lsn: int | None = resume.commit_lsn or None
        self._position = resume.commit_lsn
        self._lsn, self._row = 0, 0
        self._xid, self._commit_us = 0, 0
        self._previous = "null"
        self._sources: dict[Table, Row] = {}
        self._is_stored: Callable[[int, int], bool] | None = None

    def feed(self, message: bytes) -> None:
        """One XLogData message, header and all. Raises MalformedMessage, DataError."""
        try:
            kind = message[_BODY]
            if kind in _OPERATIONS:
                self._change(message, kind)
            else:
                self._other(pgoutput.parse(message[_BODY:]), message)
        except (IndexError, struct.error) as error:
            raise MalformedMessage(f"A replication message of {len(message)} bytes is cut short: {error}") from error

    def idle(self, end_lsn: int) -> None:
        """The server has nothing more before ``end_lsn``: outside a transaction that is a position to confirm."""
        if not self.in_transaction and end_lsn > self._position:
            self._arrive(end_lsn)

    def _arrive(self, lsn: int) -> None:
        """Everything before ``lsn`` is in the batch or was taken away."""
        self._position = lsn
        offset = position_offset(lsn, self._commit_us or self.now.us)
        if self.batch:
            self.batch[-1].offset = offset
        else:
            self.checkpoint = offset

    def _other(self, message: pgoutput.Message, data: bytes) -> None:
        match message:
            case pgoutput.Begin():
                self._begin(message)
            case pgoutput.Commit():
                self.in_transaction = False
                self._commit_lsn = message.end_lsn
                self._arrive(message.end_lsn)
            case pgoutput.Relation():
                self._tables[message.oid] = self._describe(message)
            case pgoutput.Truncate():
                self._truncate(message, _UINT64(data, 1)[0])
            case _:
                pass  # types are looked up when a relation uses them; origins and logical messages are not served

    def _begin(self, begin: pgoutput.Begin) -> None:
        self.in_transaction = True
        self._xid, self._commit_us = begin.xid, begin.commit_us
        self._lsn, self._row = 0, 0
        self._previous = "null" if self._commit_lsn is None else f'"{self._commit_lsn}"'
        self._sources.clear()
        if begin.final_lsn < self._resume.commit_lsn:
            self._is_stored = _everything
        elif begin.xid == self._resume.xid:
            self._is_stored = self._resume.stored
        else:
            self._is_stored = None

    def _next_place(self, lsn: int) -> bool:
        """Moves on to a change; whether it is a new one."""
        if lsn == self._lsn:
            self._row += 1
        else:
            self._lsn, self._row = lsn, 0
        return self._is_stored is None or not self._is_stored(lsn, self._row)

    def _change(self, data: bytes, kind: int) -> None:
        lsn, oid = _CHANGE(data)
        if not self._next_place(lsn):
            return
        op, name = _OPERATIONS[kind]
        table = self._table(oid)
        if table is None or op in self._skipped:
            return
        source = self._source(table, lsn)
        offset = change_offset(lsn, self._row, self._position, self._xid, self._commit_us, name)
        text = data.decode("latin-1")
        try:
            if kind == INSERT:
                self._expect(data, _AT, NEW_TUPLE)
                key, row, end = table.read_row(data, text, _AT + 1, _NOTHING)
                self.batch.append(table.record("c", key, None, row, source, offset, self.now))
            elif kind == UPDATE:
                end = self._update(table, data, text, source, offset)
            else:
                key, row, end = self._old(table, data, text)
                self.batch += table.deletion(key, row, source, offset, self.now)
        except (ValueError, ArithmeticError) as error:
            pgoutput.verify_change(data[_BODY:])
            raise DataError(f"{self._where(table, lsn)} has a value that does not convert: {error}") from error
        if end != len(data):
            raise MalformedMessage(f"{self._where(table, lsn)} has {len(data)} bytes, {end} were expected")

    def _update(self, table: Table, data: bytes, text: str, source: Row, offset: Offset) -> int:
        if data[_AT] == NEW_TUPLE:
            key, row, end = table.read_row(data, text, _AT + 1, _NOTHING)
            self.batch.append(table.record("u", key, None, row, source, offset, self.now))
            return end
        old_key, before, at = self._old(table, data, text)
        self._expect(data, at, NEW_TUPLE)
        known = before if data[_AT] == OLD_TUPLE else old_key or _NOTHING
        key, row, end = table.read_row(data, text, at + 1, known)
        if key is not None and old_key is not None and key != old_key:
            self.batch += table.key_change((old_key, key), before, row, source, offset, self.now)
        else:
            shown = before if data[_AT] == OLD_TUPLE else None
            self.batch.append(table.record("u", key, shown, row, source, offset, self.now))
        return end

    def _old(self, table: Table, data: bytes, text: str) -> tuple[Row | None, Row, int]:
        """The old row, or its replica identity."""
        if data[_AT] == KEY_TUPLE:
            return table.read_identity(data, text, _AT + 1, _NOTHING)
        self._expect(data, _AT, OLD_TUPLE)
        return table.read_row(data, text, _AT + 1, _NOTHING)

    def _truncate(self, truncate: pgoutput.Truncate, lsn: int) -> None:
        if not self._next_place(lsn) or "t" in self._skipped:
            return
        tables = [table for oid in truncate.relation_oids if (table := self._table(oid)) is not None]
        for table in tables:
            record = table.record("t", None, None, None, self._source(table, lsn), None, self.now)
            record.key_schema = None
            self.batch.append(record)
        if tables:
            self.batch[-1].offset = change_offset(lsn, self._row, self._position, self._xid, self._commit_us, "TRUNCATE")

    def _table(self, oid: int) -> Table | None:
        try:
            return self._tables[oid]
        except KeyError:
            raise MalformedMessage(f"A change of relation {oid} came before the relation's description") from None

    def _source(self, table: Table, lsn: int) -> Row:
        """What a transaction's changes of a table share is put together once and then copied."""
        common = self._sources.get(table)
        if common is None:
            us = self._commit_us
            common = {**table.source, "ts_ms": us // 1000, "ts_us": us, "ts_ns": us * 1000, "txId": self._xid}
            self._sources[table] = common
        source = common.copy()
        source["sequence"] = f'[{self._previous},"{lsn}"]'
        source["lsn"] = lsn
        return source

    @staticmethod
    def _where(table: Table, lsn: int) -> str:
        return f"A change of {table} at LSN {pgoutput.lsn_text(lsn)}"

    @staticmethod
    def _expect(data: bytes, at: int, kind: int) -> None:
        if data[at] != kind:
            raise MalformedMessage(f"Byte {at} of a change is {data[at]}, {kind} was expected")


_NOTHING: dict[str, Any] = {}


def _everything(_lsn: int, _row: int) -> bool:
    return True
