"""JSON lines: one JSON value per record, each ended by a newline.

Values are rendered as Kafka Connect's JsonConverter renders them without schemas: structs as objects, bytes as base64,
Decimal as base64 of its unscaled big-endian two's complement (``decimal.format=BASE64``), dates and times as integers,
NaN and the infinities as the strings "NaN", "Infinity", "-Infinity".
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import orjson

from connect.api import DataError, Schema, SinkRecord, Type

EXTENSION = "json"


def encode(records: Sequence[SinkRecord], schema: Schema | None) -> list[bytes]:
    """One line per record; all share ``schema``. Raises DataError with the index of a value that JSON cannot hold."""
    prepare = _float_quoting(schema) if schema is not None else None
    lines: list[bytes] = []
    append, dumps = lines.append, orjson.dumps
    for index, record in enumerate(records):
        value = prepare(record.value) if prepare else record.value
        try:
            append(dumps(value, _render, orjson.OPT_APPEND_NEWLINE))
        except TypeError:
            append(_encode_slowly(value, record, index))
    return lines


def _encode_slowly(value: Any, record: SinkRecord, index: int) -> bytes:
    """What orjson does not take: integers beyond 64 bits, keys that are no strings."""
    try:
        text = json.dumps(value, default=_render, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode() + b"\n"
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        where = f"{record.topic}-{record.partition} at offset {record.offset}"
        raise DataError(f"the value of the record of {where} cannot be written as JSON: {error}", index) from error


def _render(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Decimal):
        return base64.b64encode(_unscaled(value)).decode("ascii")
    raise TypeError(f"{type(value).__name__} is no value of Connect's data model")


def _unscaled(value: Decimal) -> bytes:
    """Java's ``BigDecimal.unscaledValue().toByteArray()``: the fewest bytes that hold the sign."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise TypeError(f"the Decimal {value} has no digits")
    # From the digits: arithmetic on Decimals rounds to the context's 28 digits.
    number = int("".join(map(str, digits)) + "0" * max(exponent, 0)) * (-1 if sign else 1)
    bits = number.bit_length() if number >= 0 else (number + 1).bit_length()
    return number.to_bytes(bits // 8 + 1, "big", signed=True)


_Quoting = Callable[[Any], Any]
_quotings: dict[Schema, _Quoting | None] = {}


def _float_quoting(schema: Schema) -> _Quoting | None:
    """A function that puts JsonConverter's strings where a value of this schema is not finite; None: it holds no floats."""
    if schema not in _quotings:
        _quotings[schema] = _make_quoting(schema)
    return _quotings[schema]


def _make_quoting(schema: Schema) -> _Quoting | None:
    if schema.type in (Type.FLOAT32, Type.FLOAT64):
        return _quote_float
    if schema.type is Type.STRUCT:
        members = [(field.name, quote) for field in schema.fields if (quote := _make_quoting(field.schema))]
        return (lambda value: _quote_members(value, members)) if members else None
    if schema.type in (Type.ARRAY, Type.MAP) and schema.value_schema is not None:
        inner = _make_quoting(schema.value_schema)
        return (lambda value: _quote_items(value, inner)) if inner else None
    return None


def _quote_float(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _quote_members(value: Any, members: list[tuple[str, _Quoting]]) -> Any:
    """The struct, copied only if something in it changes (nested values are shared)."""
    if not isinstance(value, dict):
        return value
    changed = {name: new for name, quote in members if (new := quote(old := value.get(name))) is not old}
    return {**value, **changed} if changed else value


def _quote_items(value: Any, quote: _Quoting) -> Any:
    if isinstance(value, list):
        return [quote(item) for item in value]
    if isinstance(value, dict):
        return {key: quote(item) for key, item in value.items()}
    return value
