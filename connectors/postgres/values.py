"""PostgreSQL's types: for each column a schema and one function from its text to its value.

COPY and pgoutput both give the text that the type's output function makes, so snapshot and stream share one decoder and agree
by construction. The mapping is Debezium's (docs/connectors/postgres.md lists the differences).
"""

from __future__ import annotations

import base64
import functools
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any

from connect.api import Schema, Type, array, decimal, primitive, struct
from connect.api.schema import BOOLEAN, BYTES, FLOAT32, FLOAT64, INT16, INT32, INT64, STRING, intern
from connectors.postgres import geometry, temporal
from connectors.postgres.literals import array_items, hstore_json

log = logging.getLogger(__name__)

Decode = Callable[[str], Any]
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)


@dataclass(frozen=True, slots=True)
class PgType:
    """A row of pg_type: ``kind`` is typtype (b base, d domain, e enum, r range, ...)."""

    oid: int
    name: str
    kind: str = "b"
    element: int = 0
    base: int = 0
    modifier: int = -1
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Modes:
    """The configuration's ways to represent values."""

    decimals: str = "precise"
    times: str = "adaptive"
    binary: str = "bytes"
    intervals: str = "numeric"
    placeholder: str = "__debezium_unavailable_value"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """How a column's text becomes its value.

    ``schema`` is the required form. ``inline`` is the same as ``decode`` as a Python expression over ``{}``, for generated
    code. ``plain``: the text is ASCII and has no backslash. ``zero`` stands for a NOT NULL column that the server did not
    send; ``unchanged`` for a value out of line that the server did not send because it did not change.
    """

    schema: Schema
    decode: Decode
    zero: Any
    inline: str | None = None
    plain: bool = False
    unchanged: Any = None


_QUOTED = re.compile(r"'((?:[^']|'')*)'::[^()']+(?:\(\d+(?:,\s*\d+)?\))?[^()']*")
_BARE = re.compile(r"\(?(-?\d+(?:\.\d+)?)\)?(?:::[a-z ]+(?:\([\d,]+\))?)?")
_INTEGERS = {"int2": INT16, "int4": INT32, "int8": INT64, "oid": INT64}
_FLOATS = {"float4": FLOAT32, "float8": FLOAT64}
_TEXTS: Mapping[str, str | None] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "char", "name", "citext", "inet", "cidr", "macaddr", "macaddr8")),
    **dict.fromkeys(("isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "ean13", "upc")),
    **dict.fromkeys(("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange")),
    "uuid": "io.debezium.data.Uuid",
    "json": "io.debezium.data.Json",
    "jsonb": "io.debezium.data.Json",
    "xml": "io.debezium.data.Xml",
    "ltree": "io.debezium.data.Ltree",
    "tsvector": "io.debezium.data.Tsvector",
}
VARIABLE_SCALE_DECIMAL = struct(
    ("scale", INT32),
    ("value", BYTES),
    name="io.debezium.data.VariableScaleDecimal",
    version=1,
    doc="Variable scaled decimal",
)


def column_type(type_oid: int, modifier: int, types: Mapping[int, PgType], modes: Modes, where: str) -> ColumnType | None:
    """The type of a column, or None if there is no mapping for it. ``where`` names the column in warnings."""
    pg = types.get(type_oid)
    while pg is not None and pg.kind == "d":
        modifier = pg.modifier if modifier == -1 else modifier
        pg = types.get(pg.base)
    if pg is None:
        return None
    if pg.kind == "e":
        allowed = {"allowed": ",".join(pg.labels)}
        return _string(primitive(Type.STRING, name="io.debezium.data.Enum", version=1, parameters=allowed), modes)
    if pg.element and pg.name.startswith("_"):
        element = column_type(pg.element, modifier, types, modes, where)
        return None if element is None else _array(element, where)
    return _scalar(pg.name, modifier, modes, where)


def with_default(column: ColumnType, expression: str) -> ColumnType:
    """A NOT NULL column with a default: a literal's value, the type's zero for any other expression."""
    text = _literal(expression)
    value = column.zero
    if text is not None:
        try:
            value = column.decode(text)
        except (ValueError, ArithmeticError):
            log.debug("default %s is no literal of its type", expression)
    return replace(column, schema=intern(replace(column.schema, default=value)), zero=value)


def _literal(expression: str) -> str | None:
    """The text of a constant as pg_get_expr() writes it."""
    if expression in ("true", "false"):
        return expression[0]
    found = _QUOTED.fullmatch(expression) or _BARE.fullmatch(expression)
    return found[1].replace("''", "'") if found else None


def _scalar(name: str, modifier: int, modes: Modes, where: str) -> ColumnType | None:
    if schema := _INTEGERS.get(name):
        return ColumnType(schema, int, 0, "int({})", plain=True)
    if schema := _FLOATS.get(name):
        return ColumnType(schema, float, 0.0, "float({})", plain=True)
    if name in _TEXTS:
        label = _TEXTS[name]
        kind = STRING if label is None else primitive(Type.STRING, name=label, version=1)
        return replace(_string(kind, modes), plain=name == "uuid")
    special = _SPECIAL.get(name)
    return special(modifier, modes, where) if special else None


def _string(schema: Schema, modes: Modes, decode: Decode = str) -> ColumnType:
    return ColumnType(schema, decode, "", "{}" if decode is str else None, unchanged=modes.placeholder)


def _array(element: ColumnType, where: str) -> ColumnType:
    decode = element.decode

    def items(text: str) -> list[Any]:
        values: list[Any] = []
        for item in array_items(text):
            if isinstance(item, list):
                _warn_once(f"{where}: an array of several dimensions; its inner arrays become null")
                values.append(None)
            else:
                values.append(None if item is None else decode(item))
        return values

    unchanged = None if element.unchanged is None else [element.unchanged]
    return ColumnType(array(element.schema.as_optional()), items, [], unchanged=unchanged)


@functools.cache
def _warn_once(text: str) -> None:
    log.warning(text)


def _boolean(_modifier: int, _modes: Modes, _where: str) -> ColumnType:
    return ColumnType(BOOLEAN, _is_true, False, '{} == "t"', plain=True)


def _is_true(text: str) -> bool:
    return text == "t"


def _numeric(modifier: int, modes: Modes, where: str) -> ColumnType:
    if modes.decimals == "string":
        return ColumnType(STRING, str, "0", "{}", plain=True)
    if modes.decimals == "double":
        return ColumnType(FLOAT64, float, 0.0, "float({})", plain=True)
    if modifier == -1:
        return ColumnType(
            VARIABLE_SCALE_DECIMAL, functools.partial(_variable_scale, where), {"scale": 0, "value": b"\0"}, plain=True
        )
    precision, scale = (modifier - 4) >> 16, (((modifier - 4) & 0x7FF) ^ 1024) - 1024
    parameters = {"scale": str(scale), "connect.decimal.precision": str(precision)}
    schema = primitive(Type.BYTES, name="org.apache.kafka.connect.data.Decimal", version=1, parameters=parameters)
    return ColumnType(schema, functools.partial(_decimal, where), Decimal(0).scaleb(-scale), plain=True)


def _decimal(where: str, text: str) -> Decimal | None:
    """NaN and infinity have no Decimal in Connect: null, as Debezium has it."""
    value = Decimal(text)
    if value.is_finite():
        return value
    _warn_once(f"{where}: NaN and infinity become null; decimal.handling.mode=double or string keeps them")
    return None


def _variable_scale(where: str, text: str) -> dict[str, Any] | None:
    value = _decimal(where, text)
    if value is None:
        return None
    _whole, _, fraction = text.partition(".")
    unscaled = int(value.scaleb(len(fraction), _EXACT))  # of text Python reads 4300 digits; PostgreSQL has 131072
    size = (unscaled + (unscaled < 0)).bit_length() // 8 + 1
    return {"scale": len(fraction), "value": unscaled.to_bytes(size, "big", signed=True)}


def _money(_modifier: int, modes: Modes, _where: str) -> ColumnType:
    if modes.decimals == "string":
        return ColumnType(STRING, _money_text, "0.00", plain=True)
    if modes.decimals == "double":
        return ColumnType(FLOAT64, lambda text: float(_money_text(text)), 0.0, plain=True)
    return ColumnType(decimal(2), lambda text: Decimal(_money_text(text)), Decimal("0.00"), plain=True)


def _money_text(text: str) -> str:
    """``-$1,234.56`` (lc_monetary C) without its ornaments."""
    return text.replace("$", "").replace(",", "")


def _bytea(_modifier: int, modes: Modes, _where: str) -> ColumnType:
    def content(text: str) -> bytes:
        if not text.startswith("\\x"):
            raise ValueError("bytea_output is not hex")
        return bytes.fromhex(text[2:])

    if modes.binary == "bytes":
        return ColumnType(BYTES, content, b"", unchanged=modes.placeholder.encode())
    if modes.binary == "hex":
        return _string(STRING, modes, lambda text: content(text).hex())
    encode = base64.b64encode if modes.binary == "base64" else base64.urlsafe_b64encode
    return _string(STRING, modes, lambda text: encode(content(text)).decode())


def _bits(modifier: int, _modes: Modes, _where: str, *, varying: bool = False) -> ColumnType:
    """bit(1) is a boolean; longer ones are little-endian bytes, the last bit first."""
    if modifier == 1 and not varying:
        return ColumnType(BOOLEAN, lambda text: text == "1", False, '{} == "1"', plain=True)
    length = modifier if modifier > 0 else 0 if not varying else temporal.INT32_MAX
    schema = primitive(Type.BYTES, name="io.debezium.data.Bits", version=1, parameters={"length": str(length)})

    def little_endian(text: str) -> bytes:
        value = int(text or "0", 2)
        return value.to_bytes((value.bit_length() + 7) // 8 if varying else (len(text) + 7) // 8, "little")

    return ColumnType(schema, little_endian, b"", plain=True)


def _varbits(modifier: int, modes: Modes, where: str) -> ColumnType:
    return _bits(modifier, modes, where, varying=True)


def _number(type_: Type, name: str, decode: Decode) -> ColumnType:
    return ColumnType(primitive(type_, name=name, version=1), decode, 0, plain=True)


def _date(_modifier: int, modes: Modes, _where: str) -> ColumnType:
    name = "org.apache.kafka.connect.data.Date" if modes.times == "connect" else "io.debezium.time.Date"
    return _number(Type.INT32, name, temporal.days)


def _time(modifier: int, modes: Modes, _where: str) -> ColumnType:
    if modes.times == "connect":
        return _number(Type.INT32, "org.apache.kafka.connect.data.Time", temporal.time_ms)
    if 0 <= modifier <= 3:
        return _number(Type.INT32, "io.debezium.time.Time", temporal.time_ms)
    return _number(Type.INT64, "io.debezium.time.MicroTime", temporal.time_us)


def _timestamp(modifier: int, modes: Modes, _where: str) -> ColumnType:
    if modes.times == "connect":
        return _number(Type.INT64, "org.apache.kafka.connect.data.Timestamp", temporal.timestamp_ms)
    if 0 <= modifier <= 3:
        return _number(Type.INT64, "io.debezium.time.Timestamp", temporal.timestamp_ms)
    return _number(Type.INT64, "io.debezium.time.MicroTimestamp", temporal.timestamp_us)


def _timestamptz(modifier: int, _modes: Modes, _where: str) -> ColumnType:
    digits = modifier if modifier >= 0 else 6
    decode = functools.partial(temporal.zoned_timestamp, digits)
    zero = decode("1970-01-01 00:00:00+00")
    return ColumnType(primitive(Type.STRING, name="io.debezium.time.ZonedTimestamp", version=1), decode, zero, plain=True)


def _timetz(_modifier: int, _modes: Modes, _where: str) -> ColumnType:
    schema = primitive(Type.STRING, name="io.debezium.time.ZonedTime", version=1)
    return ColumnType(schema, temporal.zoned_time, "00:00:00Z", plain=True)


def _interval(_modifier: int, modes: Modes, _where: str) -> ColumnType:
    if modes.intervals == "string":
        schema = primitive(Type.STRING, name="io.debezium.time.Interval", version=1)
        return ColumnType(schema, temporal.interval_text, "P0Y0M0DT0H0M0S", plain=True)
    return _number(Type.INT64, "io.debezium.time.MicroDuration", temporal.interval_us)


def _shape(schema: Schema, decode: Decode, zero: str) -> Callable[[int, Modes, str], ColumnType]:
    column = ColumnType(schema, decode, decode(zero), plain=True)
    return lambda _modifier, _modes, _where: column


def _hstore(_modifier: int, modes: Modes, _where: str) -> ColumnType:
    return _string(primitive(Type.STRING, name="io.debezium.data.Json", version=1), modes, hstore_json)


_SPECIAL: Mapping[str, Callable[[int, Modes, str], ColumnType]] = {
    "bool": _boolean,
    "numeric": _numeric,
    "money": _money,
    "bytea": _bytea,
    "bit": _bits,
    "varbit": _varbits,
    "date": _date,
    "time": _time,
    "timetz": _timetz,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "interval": _interval,
    "point": _shape(geometry.POINT, geometry.point, "(0,0)"),
    "box": _shape(geometry.GEOMETRY, geometry.box, "(0,0),(0,0)"),
    "circle": _shape(geometry.CIRCLE, geometry.circle, "<(0,0),0>"),
    "hstore": _hstore,
}
