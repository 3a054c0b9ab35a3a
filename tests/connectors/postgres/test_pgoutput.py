"""Messages as the protocol's description has them, and damaged ones."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.api import DataError
from connectors.postgres import pgoutput
from connectors.postgres.decoder import Decoder
from connectors.postgres.envelope import Server, Table
from connectors.postgres.offsets import ResumePoint
from connectors.postgres.pgoutput import MalformedMessage
from connectors.postgres.rows import Column
from connectors.postgres.values import Modes, PgType, column_type

TYPES = {23: PgType(23, "int4"), 25: PgType(25, "text")}


def column(name: str, oid: int, key: int | None = None) -> Column:
    chosen = column_type(oid, -1, TYPES, Modes(), name)
    assert chosen
    return Column(name, chosen, optional=key is None, key=key)


TABLE = Table(Server("srv", "db"), "public", "t", [column("id", 23, 0), column("val", 25)])


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def field(value: str | None) -> bytes:
    return b"n" if value is None else b"t" + struct.pack("!I", len(value.encode())) + value.encode()


def row(*values: str | None) -> bytes:
    return struct.pack("!H", len(values)) + b"".join(map(field, values))


def wal(lsn: int, body: bytes) -> bytes:
    return b"w" + struct.pack("!QQq", lsn, lsn, 0) + body


RELATION = b"R" + struct.pack("!I", 7) + text("public") + text("t") + b"d" + struct.pack("!H", 2) + (
    b"\1" + text("id") + struct.pack("!Ii", 23, -1) + b"\0" + text("val") + struct.pack("!Ii", 25, -1)
)  # fmt: skip
BEGIN = b"B" + struct.pack("!QqI", 900, 1_000_000, 5)
COMMIT = b"C\0" + struct.pack("!QQq", 900, 950, 1_000_000)
INSERT = b"I" + struct.pack("!I", 7) + b"N" + row("1", "ü")
UPDATE = b"U" + struct.pack("!I", 7) + b"K" + row("1", None) + b"N" + row("2", "x")
DELETE = b"D" + struct.pack("!I", 7) + b"K" + row("1", None)
TRUNCATE = b"T" + struct.pack("!IBI", 1, 0, 7)
MESSAGE = b"M\1" + struct.pack("!Q", 5) + text("pfx") + struct.pack("!I", 5) + b"hello"


def decoder(resume: ResumePoint | None = None) -> Decoder:
    made = Decoder(lambda relation: TABLE if relation.oid == 7 else None, resume or ResumePoint(), ())
    for body in (BEGIN, RELATION):
        made.feed(wal(0, body))
    return made


def test_each_message() -> None:
    assert pgoutput.parse(BEGIN) == pgoutput.Begin(900, 946_684_801_000_000, 5)
    assert pgoutput.parse(COMMIT) == pgoutput.Commit(900, 950, 946_684_801_000_000)
    relation = pgoutput.parse(RELATION)
    assert relation == pgoutput.Relation(
        7, "public", "t", "d", (pgoutput.RelationColumn("id", 23, -1, True), pgoutput.RelationColumn("val", 25, -1, False))
    )
    assert pgoutput.parse(TRUNCATE) == pgoutput.Truncate((7,))
    assert pgoutput.parse(MESSAGE) == pgoutput.LogicalMessage(True, 5, "pfx", b"hello")
    assert pgoutput.parse(b"Y" + struct.pack("!I", 9) + text("s") + text("mood")) == pgoutput.Type(9, "s", "mood")
    assert pgoutput.parse(b"O" + struct.pack("!Q", 3) + text("elsewhere")) == pgoutput.Origin(3, "elsewhere")


def test_changes_become_records() -> None:
    made = decoder()
    for lsn, body in ((800, INSERT), (810, UPDATE), (820, DELETE), (900, COMMIT)):
        made.feed(wal(lsn, body))
    assert [(r.key["id"], None if r.value is None else r.value["op"]) for r in made.batch] == [
        (1, "c"), (1, "d"), (1, None), (2, "c"), (1, "d"), (1, None),
    ]  # fmt: skip
    assert made.batch[0].value["after"] == {"id": 1, "val": "ü"}
    # Within a change of several records only the last says that the change is stored; at the end the transaction is.
    assert [r.offset and r.offset["lsn"] for r in made.batch] == [800, None, None, 810, None, 950]
    assert made.batch[-1].offset == {"lsn": 950, "lsn_proc": 950, "lsn_commit": 950, "ts_usec": 946_684_801_000_000}


def test_each_change_has_a_source_block_of_its_own_transaction_and_table() -> None:
    other = Table(Server("srv", "db"), "public", "t", [column("id", 23, 0), column("val", 25)])
    shapes = iter((TABLE, other))
    made = Decoder(lambda _relation: next(shapes), ResumePoint(), ())
    second = b"B" + struct.pack("!QqI", 990, 2_000_000, 6), b"C\0" + struct.pack("!QQq", 990, 999, 2_000_000)
    for lsn, body in (
        (0, BEGIN), (0, RELATION), (800, INSERT), (810, INSERT), (0, RELATION), (820, INSERT), (900, COMMIT),
        (950, second[0]), (960, INSERT), (990, second[1]),
    ):  # fmt: skip
        made.feed(wal(lsn, body))
    blocks = [record.value["source"] for record in made.batch]
    assert len({id(block) for block in blocks}) == len(blocks)
    facts = [(800, 5, 1, "null"), (810, 5, 1, "null"), (820, 5, 1, "null"), (960, 6, 2, '"950"')]
    for block, (lsn, xid, seconds, before) in zip(blocks, facts, strict=True):
        ms = 946_684_800_000 + 1000 * seconds
        assert block == {
            **TABLE.source, "ts_ms": ms, "ts_us": ms * 1000, "ts_ns": ms * 1_000_000, "txId": xid, "lsn": lsn,
            "sequence": f'[{before},"{lsn}"]',
        }  # fmt: skip
        assert list(block) == list(TABLE.source)


def test_an_offset_within_a_transaction_skips_what_is_stored() -> None:
    made = decoder(ResumePoint(commit_lsn=700, lsn=810, row=0, xid=5))
    for lsn, body in ((800, INSERT), (810, INSERT), (810, INSERT), (820, INSERT)):
        made.feed(wal(lsn, body))
    assert [(r.offset["lsn"], r.offset.get("lsn_row")) for r in made.batch if r.offset] == [(810, 1), (820, None)]


def test_a_transaction_that_was_done_is_skipped_whatever_its_changes_positions() -> None:
    made = decoder(ResumePoint(commit_lsn=950))
    made.feed(wal(990, INSERT))
    made.feed(wal(900, COMMIT))
    assert made.batch == []


def test_positions_are_offered_between_transactions_only() -> None:
    made = decoder()
    made.idle(2000)
    assert made.checkpoint is None
    made.feed(wal(900, COMMIT))
    assert made.checkpoint
    assert made.checkpoint["lsn_commit"] == 950
    made.idle(2000)
    assert made.checkpoint["lsn_commit"] == 2000


@pytest.mark.parametrize(
    "body", [BEGIN, COMMIT, RELATION, INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE], ids=lambda body: chr(body[0])
)
def test_a_message_cut_short_anywhere_has_a_named_error(body: bytes) -> None:
    for end in range(len(body)):
        with pytest.raises(MalformedMessage):
            decoder().feed(wal(800, body[:end]))


@given(st.binary(max_size=80))
def test_noise_has_a_named_error_or_a_meaning(noise: bytes) -> None:
    made = decoder()
    for kind in b"BCRYOTMIUDxk":
        try:
            made.feed(wal(800, bytes([kind]) + noise))
        except (MalformedMessage, DataError):
            made = decoder()


def test_a_value_that_is_none_of_its_type_is_no_damaged_message() -> None:
    with pytest.raises(DataError, match=r"public\.t at LSN 0/320.*'x'"):
        decoder().feed(wal(800, b"I" + struct.pack("!I", 7) + b"N" + row("x", None)))


def test_keepalives_and_answers() -> None:
    assert pgoutput.parse_keepalive(b"k" + struct.pack("!QqB", 77, 0, 1)) == pgoutput.Keepalive(77, True)
    with pytest.raises(MalformedMessage):
        pgoutput.parse_keepalive(b"k\0")
    kind, written, flushed, applied, clock, reply = struct.unpack("!cQQQqB", pgoutput.standby_status(9, 5, 946_684_801_000_000))
    assert (kind, written, flushed, applied, clock, reply) == (b"r", 9, 5, 5, 1_000_000, 0)


@given(st.integers(0, 2**64 - 1))
def test_lsn_texts_round_trip(lsn: int) -> None:
    assert pgoutput.lsn_number(pgoutput.lsn_text(lsn)) == lsn
