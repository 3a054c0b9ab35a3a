"""Values to what orjson writes, prepared once per schema: plain types pass as they are."""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from operator import itemgetter
from typing import Any, Literal

import orjson

from connect.api.schema import DECIMAL_NAME, Schema, Type

DecimalFormat = Literal["BASE64", "NUMERIC"]
Encode = Callable[[Any], Any]

OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
"""A value that is not of Connect's data model is an error, not something that orjson happens to know."""


EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""Moves the point of any number without rounding it."""


class Unencodable(ValueError):
    """A value that does not fit its schema; ``path`` leads to it."""

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def below(self, name: str) -> Unencodable:
        """The same, seen from one level further up."""
        return Unencodable(self.message, (name, *self.path))

    def __str__(self) -> str:
        return f"Field '{'.'.join(self.path)}': {self.message}" if self.path else self.message


def unscaled_bytes(value: Decimal, scale: int) -> bytes:
    """Connect's Decimal: the unscaled value as the shortest big-endian two's complement. Raises Unencodable."""
    if not value.is_finite():
        raise Unencodable(f"{value} is no decimal number")
    shifted = value.scaleb(scale, EXACT)  # a third of the time that the digits as a tuple take
    unscaled = int(shifted)
    if unscaled != shifted:
        raise Unencodable(f"{value} has more than {scale} digits after the point, which its schema allows")
    bits = (unscaled + 1 if unscaled < 0 else unscaled).bit_length()
    return unscaled.to_bytes(bits // 8 + 1, "big", signed=True)


def scale_of(schema: Schema) -> int:
    """The scale of a Decimal schema."""
    return int(dict(schema.parameters).get("scale", "0"))


def _base64(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode("ascii")


def _float(value: float) -> float | str:
    """Numbers that JSON lacks are strings, as Jackson writes them."""
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN differs from itself


def _bytes(value: bytes) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Unencodable(f"bytes are expected, not {type(value).__name__}")
    return _base64(bytes(value))


@dataclass(frozen=True, slots=True)
class Encoders:
    """Makes encoders. An encoder of None means that orjson writes the value as it is."""

    decimal_format: DecimalFormat
    replace_null_with_default: bool

    def prepare(self, schema: Schema) -> Encode | None:  # noqa: PLR0911 - a case for each type
        """How to encode values of this schema that are not null."""
        if schema.name == DECIMAL_NAME:
            return self._decimal(scale_of(schema))
        match schema.type:
            case Type.BYTES:
                return _bytes
            case Type.FLOAT32 | Type.FLOAT64:
                return _float
            case Type.ARRAY:
                return self._array(schema)
            case Type.MAP:
                return self._map(schema)
            case Type.STRUCT:
                return self._struct(schema)
            case _:
                return None

    def nullable(self, schema: Schema) -> Encode | None:
        """How to encode values of this schema, null included."""
        encode = self.prepare(schema)
        null = self._null_or_none(schema)
        if encode is None and null is None:
            return None

        def encode_or_null(value: Any) -> Any:
            if value is None:
                value = null() if null else None
                if value is None:
                    return None
            return encode(value) if encode else value

        return encode_or_null

    def schemaless(self, value: Any) -> Any:  # noqa: PLR0911 - a case for each type
        """A value without a schema, by its Python type."""
        if isinstance(value, dict):
            if all(isinstance(key, str) for key in value):
                return {key: self.schemaless(item) for key, item in value.items()}
            return [[self.schemaless(key), self.schemaless(item)] for key, item in value.items()]
        if isinstance(value, list | tuple):
            return [self.schemaless(item) for item in value]
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, bytes):
            return _base64(value)
        if isinstance(value, Decimal):
            return self._decimal(max(0, -int(value.as_tuple().exponent)) if value.is_finite() else 0)(value)
        return value

    def _decimal(self, scale: int) -> Encode:
        def to_base64(value: Any) -> str:
            return _base64(unscaled_bytes(_as_decimal(value), scale))

        def to_number(value: Any) -> orjson.Fragment:
            return orjson.Fragment(str(_as_decimal(value)))

        return to_number if self.decimal_format == "NUMERIC" else to_base64

    def _null_of(self, schema: Schema) -> Callable[[], Any]:
        """What null becomes. Raises Unencodable where null may not be."""
        if schema.has_default and schema.default is not None and self.replace_null_with_default:
            return lambda: schema.default
        if schema.optional:
            return lambda: None

        def refuse() -> Any:
            raise Unencodable("null value for field that is required and has no default value")

        return refuse

    def _array(self, schema: Schema) -> Encode | None:
        encode = self.nullable(schema.value_schema) if schema.value_schema else self.schemaless
        return (lambda items: [encode(item) for item in items]) if encode else None

    def _map(self, schema: Schema) -> Encode | None:
        keys = self.nullable(schema.key_schema) if schema.key_schema else None
        values = self.nullable(schema.value_schema) if schema.value_schema else self.schemaless
        if schema.key_schema and schema.key_schema.type is Type.STRING and not schema.key_schema.optional:
            return (lambda entries: {key: values(value) for key, value in entries.items()}) if values else None

        def pairs(entries: Mapping[Any, Any]) -> list[list[Any]]:
            return [[keys(key) if keys else key, values(value) if values else value] for key, value in entries.items()]

        return pairs

    def _struct(self, schema: Schema) -> Encode:
        names = tuple(field.name for field in schema.fields)
        encoders = [(field.name, encode) for field in schema.fields if (encode := self.prepare(field.schema))]
        nulls = {field.name: null for field in schema.fields if (null := self._null_or_none(field.schema))}
        # Only these fields' nulls matter. The first name comes twice, since of a single name it would give no tuple.
        watched = itemgetter(*nulls, next(iter(nulls))) if nulls else None

        def encode_struct(value: dict[str, Any]) -> dict[str, Any]:
            if tuple(value) != names:
                value = arranged(value, names)
            if watched and None in watched(value):
                value = without_nulls(value, nulls)
            if not encoders:
                return value
            result = value.copy()
            for name, encode in encoders:
                item = value[name]
                if item is not None:
                    try:
                        result[name] = encode(item)
                    except Unencodable as error:
                        raise error.below(name) from None
                    except (TypeError, AttributeError, ArithmeticError) as error:
                        raise Unencodable(str(error), (name,)) from error
            return result

        return encode_struct

    def _null_or_none(self, schema: Schema) -> Callable[[], Any] | None:
        """Only fields whose null is not simply null need a look."""
        plain = schema.optional and not (schema.has_default and self.replace_null_with_default)
        return None if plain else self._null_of(schema)


def _as_decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    raise Unencodable(f"a Decimal is expected, not {type(value).__name__}")


def arranged(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The struct in its schema's order, absent fields as null. Raises Unencodable for one that the schema lacks."""
    if not isinstance(value, Mapping):
        raise Unencodable(f"a struct is expected, not {type(value).__name__}")
    unknown = value.keys() - set(names)
    if unknown:
        raise Unencodable(f"the schema has no field {', '.join(sorted(map(repr, unknown)))}")
    return {name: value.get(name) for name in names}


def without_nulls(value: dict[str, Any], nulls: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The struct with defaults in place of nulls. Raises Unencodable for a null that may not be."""
    result = value.copy()
    for name, null in nulls.items():
        if result[name] is None:
            try:
                result[name] = null()
            except Unencodable as error:
                raise error.below(name) from None
    return result
