"""Functions prepared per table: one reads a row as COPY sends it, others a row as pgoutput sends it.

The code is generated from the table's columns and compiled once, so that reading a row has no loop and no call for the common
types. All of them give ``(key, row)``, dicts from column name to value; the key is None for a table without one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.postgres.pgoutput import MalformedMessage
from connectors.postgres.values import ColumnType

Row = dict[str, Any]
ReadLine = Callable[[str], tuple[Row | None, Row]]
"""A line of COPY's text format, without its end, to key and row."""

ReadTuple = Callable[[bytes, str, int, Row], tuple[Row | None, Row, int]]
"""``(message, the same as latin-1 text, position of the tuple, old values)`` to key, row and the position after the tuple.
Old values stand in for what the server did not send because it did not change."""

_INT16, _INT32 = struct.Struct("!H").unpack_from, struct.Struct("!I").unpack_from
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Column:
    """A captured column. ``key`` is its place in the key, None outside of it."""

    name: str
    type: ColumnType
    optional: bool
    key: int | None = None


def in_key(columns: Sequence[Column | None]) -> list[tuple[int, Column]]:
    """The key's columns in the key's order, each with its place in the table."""
    keys = [(i, column) for i, column in enumerate(columns) if column is not None and column.key is not None]
    return sorted(keys, key=lambda pair: pair[1].key or 0)


def line_reader(columns: Sequence[Column]) -> ReadLine:
    """For lines that hold exactly these columns."""
    code = ["def read(line):", f"    {''.join(f'f{i}, ' for i in range(len(columns)))}= line.split('\\t')"]
    names: dict[str, Any] = {"unescape": unescape}
    for i, column in enumerate(columns):
        names[f"d{i}"] = column.type.decode
        code.append(f"    v{i} = {_line_expression(column, f'f{i}', i)}")
    code.append(f"    return {_dict(in_key(columns))}, {_dict(enumerate(columns))}")
    return _compiled(code, names)  # type: ignore[no-any-return]


def tuple_reader(columns: Sequence[Column | None], *, key_only: bool = False) -> ReadTuple:
    """For TupleData of a relation with these columns; None stands for one that is sent but not captured.

    ``key_only``: the tuple holds the replica identity alone; NOT NULL columns outside of it get their type's zero.
    Raises MalformedMessage.
    """
    code = [
        "def read(b, s, o, old):",
        f"    if int16(b, o)[0] != {len(columns)}: malformed(b, o)",
        "    o += 2",
    ]
    names: dict[str, Any] = {"int16": _INT16, "int32": _INT32, "malformed": _malformed}
    for i, column in enumerate(columns):
        code += _skip() if column is None else _take(column, i, names, key_only=key_only)
    captured = [(i, column) for i, column in enumerate(columns) if column is not None]
    code.append("    if o > len(b): malformed(b, o)")
    code.append(f"    return {_dict(in_key(columns))}, {_dict(captured)}, o")
    return _compiled(code, names)  # type: ignore[no-any-return]


def unescape(field: str) -> str | None:
    r"""A field of COPY's text format: ``\N`` is null, ``\t`` a tabulator, ..."""
    if field == "\\N":
        return None
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), field)


def _line_expression(column: Column, field: str, number: int) -> str:
    decoded = column.type.inline.format(field) if column.type.inline else f"d{number}({field})"
    if column.type.plain:
        return f"None if {field} == '\\\\N' else {decoded}" if column.optional else decoded
    text = f"t if (t := unescape({field})) is None else " + (
        column.type.inline.format("t") if column.type.inline else f"d{number}(t)"
    )
    return f"{decoded} if '\\\\' not in {field} else {text}"


def _take(column: Column, number: int, names: dict[str, Any], *, key_only: bool) -> list[str]:
    """Code that puts the column's value into a variable and moves on."""
    names[f"d{number}"], names[f"z{number}"] = column.type.decode, column.type.zero
    names[f"u{number}"] = column.type.unchanged
    null = f"z{number}" if key_only and not column.optional else "None"
    lines = [
        "    k = b[o]",
        "    if k == 116:",
        "        a = o + 5",
        "        o = a + int32(b, o + 1)[0]",
        "        t = s[a:o]",
    ]
    if not column.type.plain:
        lines.append("        if not t.isascii(): t = t.encode('latin-1').decode()")
    decoded = column.type.inline.format("t") if column.type.inline else f"d{number}(t)"
    return [
        *lines,
        f"        v{number} = {decoded}",
        "    elif k == 110:",
        f"        v{number} = {null}; o += 1",
        "    elif k == 117:",
        f"        v{number} = old.get({column.name!r}, u{number}); o += 1",
        "    else: malformed(b, o)",
    ]


def _skip() -> list[str]:
    return [
        "    k = b[o]",
        "    if k == 116: o += 5 + int32(b, o + 1)[0]",
        "    elif k == 110 or k == 117: o += 1",
        "    else: malformed(b, o)",
    ]


def _dict(columns: Iterable[tuple[int, Column]]) -> str:
    """A dict display; None for no columns."""
    items = ", ".join(f"{column.name!r}: v{i}" for i, column in columns)
    return f"{{{items}}}" if items else "None"


def _malformed(message: bytes, at: int) -> None:
    raise MalformedMessage(f"A row message of {len(message)} bytes does not fit its table at byte {at}")


def _compiled(code: list[str], names: dict[str, Any]) -> Any:
    exec("\n".join(code), names)  # noqa: S102 - our own text; names of columns enter it by repr() only
    return names["read"]
