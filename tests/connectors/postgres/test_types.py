"""Each served type on a real server: the value that Debezium 3.7 gives for the same input, from snapshot and stream alike."""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.connectors.postgres.driver import Database
from tests.fix_postgres import start_postgres

UUID = "6f2a2b5e-1111-2222-3333-444455556666"
WKB = "AQEAAAAAAAAAAADwPwAAAAAAAABA"
BOX = (
    "AQMAAAABAAAABQAAAAAAAAAAAAhAAAAAAAAAEEAAAAAAAAAIQAAAAAAAAABA"
    "AAAAAAAA8D8AAAAAAAAAQAAAAAAAAPA/AAAAAAAAEEAAAAAAAAAIQAAAAAAAABBA"
)


def b64(text: str) -> bytes:
    return base64.b64decode(text)


def unscaled(text: str, scale: int) -> Decimal:
    """Debezium's bytes of a Decimal."""
    return Decimal(int.from_bytes(b64(text), "big", signed=True)).scaleb(-scale)


# type, literal, value
DEBEZIUM: list[tuple[str, str, Any]] = [
    ("boolean", "true", True),
    ("smallint", "1", 1),
    ("int", "2", 2),
    ("bigint", "3", 3),
    ("oid", "4", 4),
    ("real", "1.5", 1.5),
    ("real", "'Infinity'", math.inf),
    ("double precision", "2.5", 2.5),
    ("numeric(5,2)", "123.45", unscaled("MDk=", 2)),
    ("numeric(5,2)", "'NaN'", None),
    ("numeric", "12345.6789", {"scale": 4, "value": b64("B1vNFQ==")}),
    ("numeric", "'NaN'", None),
    ("money", "12.34", unscaled("BNI=", 2)),
    ("char(5)", "'ab'", "ab   "),
    ("varchar(10)", "'vc'", "vc"),
    ("text", "'txt'", "txt"),
    ("bytea", r"'\xdeadbeef'", b64("3q2+7w==")),
    ("date", "'2024-02-29'", 19782),
    ("date", "'4713-01-01 BC'", -2440550),
    ("date", "'9999-12-31'", 2932896),
    ("time", "'12:34:56.789012'", 45296789012),
    ("time(3)", "'12:34:56.789'", 45296789),
    ("timetz", "'12:34:56.789012+02'", "10:34:56.789012Z"),
    ("timestamp", "'2024-02-29 12:34:56.789012'", 1709210096789012),
    ("timestamp", "'0044-03-15 BC 01:02:03'", -63517820277000000),
    ("timestamp", "'infinity'", 9223372036854775807),
    ("timestamp(3)", "'2024-02-29 12:34:56.789'", 1709210096789),
    ("timestamptz", "'2024-02-29 12:34:56.789012+02'", "2024-02-29T10:34:56.789012Z"),
    ("timestamptz", "'0044-03-15 BC 01:02:03+00'", "-0043-03-15T01:02:03.000000Z"),
    ("timestamptz", "'9999-12-31 23:59:59.999999+00'", "9999-12-31T23:59:59.999999Z"),
    ("timestamptz", "'-infinity'", "-infinity"),
    ("interval", "'1 year 2 mons 3 days 04:05:06.78'", 37091106780000),
    ("interval", "'-1 mon 3 days'", -2370600000000),
    ("json", """'{"a": 1}'""", '{"a": 1}'),
    ("jsonb", """'{"b":  [1,2]}'""", '{"b": [1, 2]}'),
    ("uuid", f"'{UUID}'", UUID),
    ("xml", "'<a>1</a>'", "<a>1</a>"),
    ("bit(1)", "B'1'", True),
    ("bit(8)", "B'10101010'", b64("qg==")),
    ("varbit(10)", "B'101'", b64("BQ==")),
    ("mood", "'ok'", "ok"),
    ("posint", "5", 5),
    ("inet", "'10.0.0.1/24'", "10.0.0.1/24"),
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    ("point", "'(1,2)'", {"x": 1.0, "y": 2.0, "wkb": b64(WKB), "srid": None}),
    ("box", "'(1,2),(3,4)'", {"wkb": b64(BOX), "srid": None, "extensions": {"type": "box"}}),
    ("circle", "'<(1,2),3>'", {"center": {"x": 1.0, "y": 2.0, "wkb": b64(WKB), "srid": None}, "radius": 3.0}),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("numrange", "'[1.5,2.5]'", "[1.5,2.5]"),
    ("tsrange", "'[2024-01-01,2024-01-02)'", '["2024-01-01 00:00:00","2024-01-02 00:00:00")'),
    ("tstzrange", "'[2024-01-01 00:00+00,2024-01-02 00:00+00)'", '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")'),
    ("daterange", "'[2024-01-01,2024-01-02]'", "[2024-01-01,2024-01-03)"),
    ("int[]", "'{1,2,NULL}'", [1, 2, None]),
    ("int[][]", "'{{1,2},{3,4}}'", [None, None]),
    ("text[]", """'{a,"b c",NULL}'""", ["a", "b c", None]),
    ("numeric(5,2)[]", "'{1.10,2.20}'", [unscaled("bg==", 2), unscaled("ANw=", 2)]),
    ("uuid[]", f"'{{{UUID}}}'", [UUID]),
    ("jsonb[]", r"""'{"{\"a\":1}"}'""", ['{"a": 1}']),
    ("mood[]", "'{ok,sad}'", ["ok", "sad"]),
    ("tsvector", "'a fat cat'", "'a' 'cat' 'fat'"),
    ("name", "'nam'", "nam"),
]  # fmt: skip
# What Debezium drops, or has two answers for.
OURS: list[tuple[str, str, Any]] = [
    ("date", "'infinity'", 2**31 - 1),
    ("date", "'-infinity'", -(2**31)),
    ("timestamp", "'-infinity'", -(2**63)),
    ("interval[]", "'{1 day}'", [86400000000]),
    ("money[]", "'{-1234.5}'", [Decimal("-1234.50")]),
    ("bit(12)", "B'000000000001'", b"\x01\x00"),
    ("text", r"E'tab\t nl\n back\\slash \\N ü'", "tab\t nl\n back\\slash \\N ü"),
    ("text", r"'\N'", r"\N"),
    ("text[]", r"""'{"a\\b","c\"d","NULL",""}'""", ["a\\b", 'c"d', "NULL", ""]),
    ("double precision", "'-Infinity'", -math.inf),
    ("numeric", "-0.05", {"scale": 2, "value": b"\xfb"}),
    ("numeric", "'128'", {"scale": 0, "value": b"\x00\x80"}),
    ("numeric", "('1' || repeat('0', 6000) || '.5')::numeric", {"scale": 1, "value": (10**6001 + 5).to_bytes(2492, "big")}),
]
EXTENSIONS: list[tuple[str, str, Any]] = [
    ("citext", "'CiT'", "CiT"),
    ("hstore", "'a=>1,b=>NULL'", '{"a":"1","b":null}'),
    ("ltree", "'a.b.c'", "a.b.c"),
]


def images(db: Database, cases: list[tuple[str, str, Any]], **keys: object) -> tuple[Any, Any]:
    """The values of one row from the snapshot and of an equal one from the stream."""
    columns = ", ".join(f"c{i} {type_}" for i, (type_, _, _) in enumerate(cases))
    literals = ", ".join(literal for _, literal, _ in cases)
    db.run(f"create table t (id serial primary key, {columns})")
    db.run(f"insert into t values (default, {literals})")
    with db.reader(**keys) as reader:
        (snapshot,) = reader.take(1)
        reader.streaming()
        db.run(f"insert into t values (default, {literals})")
        (stream,) = reader.take(1)
    assert snapshot.value_schema is stream.value_schema
    return ([row.value["after"].get(f"c{i}", "left out") for i in range(len(cases))] for row in (snapshot, stream))  # type: ignore[return-value]


def has_xml(db: Database) -> bool:
    """A server may be built without."""
    try:
        return bool(db.run("select '<a/>'::xml"))
    except psycopg.errors.FeatureNotSupported:
        return False


def test_values(db: Database) -> None:
    db.run("create type mood as enum ('sad', 'ok', 'happy'); create domain posint as integer check (value > 0)")
    cases = [case for case in DEBEZIUM + OURS if case[0] != "xml" or has_xml(db)]
    snapshot, stream = images(db, cases)
    for (type_, literal, expected), one, other in zip(cases, snapshot, stream, strict=True):
        assert one == expected, f"{type_} {literal} in the snapshot"
        assert other == expected, f"{type_} {literal} in the stream"


def test_values_on_another_version(tmp_path: Path) -> None:
    server = start_postgres(tmp_path / "server", 16)
    try:
        database = Database(server, "postgres")
        test_values(database)
        database.connection.close()
    finally:
        server.stop()


def test_values_of_extensions(db: Database) -> None:
    available = {name for (name,) in db.run("select name from pg_available_extensions")}
    if missing := {type_ for type_, _, _ in EXTENSIONS} - available:
        pytest.skip(f"the server has no extension {', '.join(sorted(missing))}")
    for type_, _, _ in EXTENSIONS:
        db.run(f"create extension {type_}")
    snapshot, stream = images(db, EXTENSIONS)
    assert snapshot == stream == [expected for _, _, expected in EXTENSIONS]


@pytest.mark.parametrize(
    ("keys", "type_", "literal", "expected"),
    [
        ({"decimal_handling_mode": "double"}, "numeric(5,2)", "1.50", 1.5),
        ({"decimal_handling_mode": "double"}, "money", "-1234.56", -1234.56),
        ({"decimal_handling_mode": "string"}, "numeric", "1.50", "1.50"),
        ({"decimal_handling_mode": "string"}, "money", "1234.56", "1234.56"),
        ({"time_precision_mode": "connect"}, "timestamp", "'2024-02-29 12:34:56.789012'", 1709210096789),
        ({"time_precision_mode": "connect"}, "timestamp", "'294276-12-31 23:59:59.999999'", 9224318015999999),
        ({"time_precision_mode": "connect"}, "time", "'12:34:56.789012'", 45296789),
        ({"binary_handling_mode": "base64"}, "bytea", r"'\xfbff'", "+/8="),
        ({"binary_handling_mode": "base64-url-safe"}, "bytea", r"'\xfbff'", "-_8="),
        ({"binary_handling_mode": "hex"}, "bytea", r"'\xfbff'", "fbff"),
        ({"interval_handling_mode": "string"}, "interval", "'1 year 2 mons 3 days 04:05:06.78'", "P1Y2M3DT4H5M6.78S"),
    ],
)
def test_modes(db: Database, keys: dict[str, str], type_: str, literal: str, expected: Any) -> None:
    assert [list(image) for image in images(db, [(type_, literal, None)], **keys)] == [[expected], [expected]]


def test_a_type_without_mapping_is_left_out_aloud(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    db.run("create type comp as (a int, b text)")
    cases = [
        ("comp", "row(1, 'x')", None),
        ("pg_lsn", "'16/B374D848'", None),
        ("int4multirange", "'{[1,3)}'", None),
        ("int", "1", 1),
    ]
    snapshot, stream = images(db, cases)
    assert snapshot == stream == ["left out", "left out", "left out", 1]
    assert "public.t.c0 is left out of the records" in caplog.text


def test_generated_columns_are_in_neither(db: Database) -> None:
    snapshot, stream = images(db, [("int generated always as (1) stored", "default", None), ("int", "1", 1)])
    assert snapshot == stream == ["left out", 1]


def test_required_columns_carry_their_default(db: Database) -> None:
    cases = [
        ("int not null default 7", "1", 7),
        ("text not null default 'it''s'", "'x'", "it's"),
        ("timestamptz not null default now()", "now()", "1970-01-01T00:00:00.000000Z"),
        ("boolean not null default true", "false", True),
        ("numeric(5,2) not null default '-1.5'", "2", Decimal("-1.5")),
        ("uuid not null default gen_random_uuid()", f"'{UUID}'", ""),
    ]
    columns = ", ".join(f"c{i} {type_}" for i, (type_, _, _) in enumerate(cases))
    db.run(f"create table t (id serial primary key, {columns}, nullable int default 5); insert into t values (1)")
    with db.reader() as reader:
        (record,) = reader.take(1)
    assert record.value_schema
    row = record.value_schema.fields[1].schema
    assert [row.field(f"c{i}").schema.default for i in range(len(cases))] == [default for _, _, default in cases]  # type: ignore[union-attr]
    assert row.fields[0].schema.default == 0
    assert not row.field("nullable").schema.has_default  # type: ignore[union-attr]  # a null there stays null
