"""What orjson reads to values of Connect's data model, prepared once per schema: plain types pass as they are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connect.api.schema import DECIMAL_NAME, Schema, Type
from connect.converters.json_encoding import EXACT, scale_of

Decode = Callable[[Any], Any]


class Undecodable(ValueError):
    """JSON that does not fit its schema."""


class Inexact(Exception):
    """A decimal number has gone through a binary one: read the text again, with exact numbers."""


_EXPECTED: Mapping[Type, tuple[type, ...]] = {
    Type.INT8: (int,),
    Type.INT16: (int,),
    Type.INT32: (int,),
    Type.INT64: (int,),
    Type.BOOLEAN: (bool,),
    Type.STRING: (str,),
}


def _float(value: Any) -> float:
    if isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity"):
        raise Undecodable(f"'{value}' is no number")
    return float(value)


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Undecodable(f"bytes are expected in base64: {error}") from error


def _decimal(scale: int) -> Decode:
    def decode(value: Any) -> Decimal:
        if isinstance(value, float):
            raise Inexact
        if isinstance(value, int | Decimal):
            return Decimal(value)
        return Decimal(int.from_bytes(_bytes(value), "big", signed=True)).scaleb(-scale, EXACT)

    return decode


def _plain(type_: Type) -> Decode:
    expected = _EXPECTED[type_]

    def decode(value: Any) -> Any:
        if type(value) not in expected:
            raise Undecodable(f"{type_} is expected, not {value!r:.40}")
        return value

    return decode


@dataclass(frozen=True, slots=True)
class Decoders:
    """Makes decoders. Each takes null too."""

    replace_null_with_default: bool

    def prepare(self, schema: Schema) -> Decode:
        """How to read values of this schema."""
        decode = self._present(schema)
        default = schema.default if schema.has_default and self.replace_null_with_default else None

        def decode_or_null(value: Any) -> Any:
            if value is not None:
                return decode(value)
            if default is None and not schema.optional:
                raise Undecodable(f"Invalid null value for required {schema.type.name} field")
            return default

        return decode_or_null

    def _present(self, schema: Schema) -> Decode:  # noqa: PLR0911 - a case for each type
        if schema.name == DECIMAL_NAME:
            return _decimal(scale_of(schema))
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
                return _plain(schema.type)

    def _array(self, schema: Schema) -> Decode:
        decode_item = self.prepare(schema.value_schema) if schema.value_schema else lambda value: value

        def decode(value: Any) -> list[Any]:
            if not isinstance(value, list):
                raise Undecodable(f"an array is expected, not {value!r:.40}")
            return [decode_item(item) for item in value]

        return decode

    def _map(self, schema: Schema) -> Decode:
        decode_key = self.prepare(schema.key_schema) if schema.key_schema else lambda value: value
        decode_item = self.prepare(schema.value_schema) if schema.value_schema else lambda value: value

        def decode(value: Any) -> dict[Any, Any]:
            try:
                pairs = value.items() if isinstance(value, dict) else value
                return {decode_key(key): decode_item(item) for key, item in pairs}
            except (TypeError, ValueError) as error:
                raise Undecodable(f"a map is expected, as an object or an array of pairs: {error}") from error

        return decode

    def _struct(self, schema: Schema) -> Decode:
        decoders = [(field.name, self.prepare(field.schema)) for field in schema.fields]

        def decode(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise Undecodable(f"an object is expected, not {value!r:.40}")
            result = {}
            for name, decode_field in decoders:
                try:
                    result[name] = decode_field(value.get(name))
                except Undecodable as error:
                    raise Undecodable(f"Field '{name}': {error}") from error
            return result

        return decode
