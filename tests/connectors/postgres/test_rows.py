"""Generated readers: whatever PostgreSQL may send in a row comes back, by both roads."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres.rows import Column, line_reader, tuple_reader, unescape
from connectors.postgres.values import Modes, PgType, column_type

TYPES = {
    16: PgType(16, "bool"),
    20: PgType(20, "int8"),
    25: PgType(25, "text"),
    701: PgType(701, "float8"),
    17: PgType(17, "bytea"),
}
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


def column(name: str, oid: int, key: int | None = None) -> Column:
    chosen = column_type(oid, -1, TYPES, Modes(), name)
    assert chosen
    return Column(name, chosen, optional=key is None, key=key)


# Names that would break generated code if they entered it unquoted.
COLUMNS = [
    column("second", 20, 1), column("it's \"it\"\\", 25, 0), column("{}; import os", 25), column("flag", 16),
    column("real", 701), column("bytes", 17),
]  # fmt: skip
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1), TEXT, st.none() | TEXT, st.none() | st.booleans(),
    st.none() | st.floats(allow_nan=False), st.none() | st.binary(),
)  # fmt: skip


def texts(row: tuple[object, ...]) -> list[str | None]:
    """As PostgreSQL's output functions write them."""
    number, key, text, flag, real, blob = row
    return [
        str(number), str(key), None if text is None else str(text), None if flag is None else "t" if flag else "f",
        None if real is None else repr(real), None if blob is None else "\\x" + bytes(blob).hex(),  # type: ignore[arg-type]
    ]  # fmt: skip


def copy_escape(text: str | None) -> str:
    if text is None:
        return "\\N"
    for char, escape in (
        ("\\", "\\\\"),
        ("\b", "\\b"),
        ("\f", "\\f"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
        ("\v", "\\v"),
    ):
        text = text.replace(char, escape)
    return text


@given(ROWS)
def test_both_roads_give_the_row(row: tuple[object, ...]) -> None:
    expected = {column.name: value for column, value in zip(COLUMNS, row, strict=True)}
    key = {COLUMNS[1].name: row[1], "second": row[0]}
    assert line_reader(COLUMNS)("\t".join(copy_escape(text) for text in texts(row))) == (key, expected)
    message = b"?" + struct.pack("!H", len(row))
    for text in texts(row):
        message += b"n" if text is None else b"t" + struct.pack("!I", len(text.encode())) + text.encode()
    assert tuple_reader(COLUMNS)(message, message.decode("latin-1"), 1, {}) == (key, expected, len(message))


@given(TEXT)
def test_unescape_is_the_reverse_of_copys_escapes(text: str) -> None:
    assert unescape(copy_escape(text)) == text


def test_a_column_that_is_not_captured_is_passed_over() -> None:
    message = struct.pack("!H", 3) + b"t\0\0\0\1x" + b"n" + b"t\0\0\0\0021\x32"
    read = tuple_reader([None, None, column("n", 20)])
    assert read(message, message.decode("latin-1"), 0, {}) == (None, {"n": 112 - 100}, len(message))
