"""Connect's data model: what type a value has, described apart from the value.

Values themselves are plain Python, in Connect's *physical* form:

========================  ===================================================================
INT8..INT64               int (dates, times and timestamps too: so BC, infinity and far values fit)
FLOAT32, FLOAT64          float
BOOLEAN, STRING, BYTES    bool, str, bytes
ARRAY                     list
MAP                       dict
STRUCT                    dict, field name -> value
Decimal (a named BYTES)   decimal.Decimal
========================  ===================================================================

Schemas are immutable and *interned*: building an equal schema twice gives the same object, so that whatever depends only
on the schema (an encoder, a transform's mapping) is prepared once and looked up by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final


class Type(StrEnum):
    """Kafka Connect's schema types; the values are JsonConverter's names for them."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float"
    FLOAT64 = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()


@dataclass(frozen=True, slots=True)
class Field:
    """A named member of a STRUCT."""

    name: str
    schema: Schema


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Schema:
    """One type. Made by :func:`primitive`, :func:`struct`, :func:`array`, :func:`map_of`, which intern; compare with ``is``."""

    type: Type
    optional: bool = False
    name: str | None = None
    version: int | None = None
    doc: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    default: Any = NO_DEFAULT
    fields: tuple[Field, ...] = ()
    key_schema: Schema | None = None
    value_schema: Schema | None = None

    @property
    def has_default(self) -> bool:
        return self.default is not NO_DEFAULT

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def with_fields(self, *fields: Field) -> Schema:
        """This struct with other fields."""
        return intern(replace(self, fields=fields))

    def as_optional(self, optional: bool = True) -> Schema:
        """This schema, its nulls allowed (or forbidden)."""
        return self if self.optional is optional else intern(replace(self, optional=optional))


# Schemas are few (some per table version) and live as long as the process: a plain dict.
_interned: dict[tuple[object, ...], Schema] = {}


def _identity(candidate: Schema) -> tuple[object, ...]:
    """What makes two schemas the same. Children are interned already, so their identity stands for them."""
    return (
        candidate.type,
        candidate.optional,
        candidate.name,
        candidate.version,
        candidate.doc,
        candidate.parameters,
        None if candidate.default is NO_DEFAULT else (type(candidate.default), repr(candidate.default)),
        tuple((field.name, id(field.schema)) for field in candidate.fields),
        id(candidate.key_schema) if candidate.key_schema else None,
        id(candidate.value_schema) if candidate.value_schema else None,
    )


def intern(candidate: Schema) -> Schema:
    """The one object that stands for this schema."""
    return _interned.setdefault(_identity(candidate), candidate)


def primitive(
    type_: Type,
    *,
    optional: bool = False,
    name: str | None = None,
    version: int | None = None,
    doc: str | None = None,
    parameters: dict[str, str] | None = None,
    default: Any = NO_DEFAULT,
) -> Schema:
    """A primitive schema."""
    pairs = tuple((parameters or {}).items())
    return intern(Schema(type_, optional, name, version, doc, pairs, default))


def struct(
    *fields: tuple[str, Schema],
    optional: bool = False,
    name: str | None = None,
    version: int | None = None,
    doc: str | None = None,
    parameters: dict[str, str] | None = None,
) -> Schema:
    """A STRUCT with the given ``(name, schema)`` fields, in order."""
    members = tuple(Field(field_name, field_schema) for field_name, field_schema in fields)
    pairs = tuple((parameters or {}).items())
    return intern(Schema(Type.STRUCT, optional, name, version, doc, pairs, fields=members))


def array(items: Schema, *, optional: bool = False, name: str | None = None, version: int | None = None) -> Schema:
    """An ARRAY of ``items``."""
    return intern(Schema(Type.ARRAY, optional, name, version, value_schema=items))


def map_of(keys: Schema, values: Schema, *, optional: bool = False, name: str | None = None) -> Schema:
    """A MAP from ``keys`` to ``values``."""
    return intern(Schema(Type.MAP, optional, name, key_schema=keys, value_schema=values))


INT8: Final = primitive(Type.INT8)
INT16: Final = primitive(Type.INT16)
INT32: Final = primitive(Type.INT32)
INT64: Final = primitive(Type.INT64)
FLOAT32: Final = primitive(Type.FLOAT32)
FLOAT64: Final = primitive(Type.FLOAT64)
BOOLEAN: Final = primitive(Type.BOOLEAN)
STRING: Final = primitive(Type.STRING)
BYTES: Final = primitive(Type.BYTES)
OPTIONAL_INT32: Final = primitive(Type.INT32, optional=True)
OPTIONAL_INT64: Final = primitive(Type.INT64, optional=True)
OPTIONAL_FLOAT64: Final = primitive(Type.FLOAT64, optional=True)
OPTIONAL_BOOLEAN: Final = primitive(Type.BOOLEAN, optional=True)
OPTIONAL_STRING: Final = primitive(Type.STRING, optional=True)
OPTIONAL_BYTES: Final = primitive(Type.BYTES, optional=True)

DECIMAL_NAME: Final = "org.apache.kafka.connect.data.Decimal"
DATE_NAME: Final = "org.apache.kafka.connect.data.Date"
TIME_NAME: Final = "org.apache.kafka.connect.data.Time"
TIMESTAMP_NAME: Final = "org.apache.kafka.connect.data.Timestamp"


def decimal(scale: int, *, optional: bool = False) -> Schema:
    """Connect's Decimal: an unscaled two's-complement big-endian integer and a fixed scale."""
    return primitive(Type.BYTES, optional=optional, name=DECIMAL_NAME, version=1, parameters={"scale": str(scale)})
