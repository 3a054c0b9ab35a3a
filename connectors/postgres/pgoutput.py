"""PostgreSQL's logical replication messages, protocol version 1: bytes in, values out.

Format: PostgreSQL manual, chapters "Streaming Replication Protocol" and "Logical Replication Message Formats". Row messages
(INSERT, UPDATE, DELETE) are the hot path and are read by a function prepared for the table (rows.py); this module has
everything else, and the layout that both share.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from connect.api import ConnectError

INSERT, UPDATE, DELETE = ord("I"), ord("U"), ord("D")
NEW_TUPLE, KEY_TUPLE, OLD_TUPLE = ord("N"), ord("K"), ord("O")
TEXT, NULL, UNCHANGED = ord("t"), ord("n"), ord("u")
HEADER_SIZE = 25
"""An XLogData header: 'w', the change's LSN, the end of the WAL on the server, the server's clock."""

_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000-01-01
_STATUS = struct.Struct("!cQQQqB")
_KEEPALIVE = struct.Struct("!QqB")
_BEGIN = struct.Struct("!QqI")
_COMMIT = struct.Struct("!BQQq")
_MESSAGE = struct.Struct("!BQ")


class MalformedMessage(ConnectError):
    """Bytes that are no pgoutput message of protocol version 1."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction starts. ``final_lsn`` is where its commit record begins, ``commit_us`` its time since 1970."""

    final_lsn: int
    commit_us: int
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction ends. ``end_lsn`` is the position after it."""

    commit_lsn: int
    end_lsn: int
    commit_us: int


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """``is_key``: part of the replica identity."""

    name: str
    type_oid: int
    type_modifier: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table's shape, before its first change and after each alteration. ``identity`` is pg_class.relreplident."""

    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """A type that is not built in."""

    oid: int
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The transaction came from another server by replication."""

    lsn: int
    name: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables were emptied."""

    relation_oids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LogicalMessage:
    """pg_logical_emit_message()."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Keepalive:
    """The server has sent everything up to ``end_lsn``."""

    end_lsn: int
    reply_wanted: bool


Message = Begin | Commit | Relation | Type | Origin | Truncate | LogicalMessage


def parse(message: bytes) -> Message:
    """A message's body (without the XLogData header). Raises MalformedMessage."""
    kind = message[:1]
    read = _READERS.get(kind)
    if read is None:
        raise MalformedMessage(f"{kind!r} is no message of pgoutput's protocol version 1")
    try:
        return read(_Reader(message, 1))
    except (IndexError, ValueError, struct.error) as error:
        raise MalformedMessage(f"A message of kind {kind!r} ends after {len(message)} bytes or is damaged: {error}") from error


def verify_change(message: bytes) -> None:
    """Walks the tuples of a row message's body. Raises MalformedMessage if it does not end where they do."""
    reader = _Reader(message, 5)
    try:
        while reader.at < len(message):
            reader.number(1)
            for _ in range(reader.number(2)):
                if reader.number(1) == TEXT:
                    value = reader.rest(reader.number(4))
                    reader.at += len(value)
    except IndexError as error:
        raise MalformedMessage(f"A row message ends after {len(message)} bytes: {error}") from error


def parse_keepalive(data: bytes) -> Keepalive:
    """A 'k' message. Raises MalformedMessage."""
    try:
        end_lsn, _clock, reply = _KEEPALIVE.unpack_from(data, 1)
    except struct.error as error:
        raise MalformedMessage(f"A keepalive ends after {len(data)} bytes") from error
    return Keepalive(end_lsn, bool(reply))


def standby_status(received_lsn: int, flushed_lsn: int, now_us: int) -> bytes:
    """The answer: received up to here, and what the server may forget. ``now_us`` counts from 1970."""
    return _STATUS.pack(b"r", received_lsn, flushed_lsn, flushed_lsn, now_us - _EPOCH_US, 0)


def lsn_text(lsn: int) -> str:
    """27412320 as PostgreSQL writes it: 0/1A24760."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    """The reverse of :func:`lsn_text`."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


class _Reader:
    """A position in a message."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, layout: struct.Struct) -> tuple[int, ...]:
        values = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def number(self, size: int) -> int:
        chunk = self.data[self.at : self.at + size]
        if len(chunk) < size:
            raise IndexError("a number is cut short")
        self.at += size
        return int.from_bytes(chunk, "big")

    def text(self) -> str:
        end = self.data.index(0, self.at)
        value = self.data[self.at : end].decode()
        self.at = end + 1
        return value

    def rest(self, size: int) -> bytes:
        chunk = self.data[self.at : self.at + size]
        if len(chunk) < size:
            raise IndexError("the content is cut short")
        return chunk


def _begin(reader: _Reader) -> Begin:
    final_lsn, commit_us, xid = reader.take(_BEGIN)
    return Begin(final_lsn, commit_us + _EPOCH_US, xid)


def _commit(reader: _Reader) -> Commit:
    _flags, commit_lsn, end_lsn, commit_us = reader.take(_COMMIT)
    return Commit(commit_lsn, end_lsn, commit_us + _EPOCH_US)


def _relation(reader: _Reader) -> Relation:
    oid, schema, name, identity = reader.number(4), reader.text(), reader.text(), chr(reader.number(1))
    columns = []
    for _ in range(reader.number(2)):
        is_key, column = bool(reader.number(1) & 1), reader.text()
        type_oid, modifier = reader.number(4), reader.number(4)
        columns.append(RelationColumn(column, type_oid, modifier - (1 << 32) if modifier >> 31 else modifier, is_key))
    # pg_catalog is sent as an empty string.
    return Relation(oid, schema or "pg_catalog", name, identity, tuple(columns))


def _type(reader: _Reader) -> Type:
    return Type(reader.number(4), reader.text() or "pg_catalog", reader.text())


def _origin(reader: _Reader) -> Origin:
    return Origin(reader.number(8), reader.text())


def _truncate(reader: _Reader) -> Truncate:
    count, _flags = reader.number(4), reader.number(1)
    return Truncate(tuple(reader.number(4) for _ in range(count)))


def _message(reader: _Reader) -> LogicalMessage:
    flags, lsn = reader.take(_MESSAGE)
    prefix = reader.text()
    return LogicalMessage(bool(flags & 1), lsn, prefix, reader.rest(reader.number(4)))


_READERS: dict[bytes, Callable[[_Reader], Message]] = {
    b"B": _begin,
    b"C": _commit,
    b"R": _relation,
    b"Y": _type,
    b"O": _origin,
    b"T": _truncate,
    b"M": _message,
}
