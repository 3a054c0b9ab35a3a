"""What is prepared and cut short for speed writes what the plain rules say, on random schemas and rows."""

import base64
from decimal import Decimal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from connect.api import DataError, Schema, Type, decimal, primitive, struct
from connect.converters.json_converter import JsonConverter, JsonConverterConfig
from connect.converters.json_encoding import Unencodable, unscaled_bytes

VALUES = {
    Type.INT32: st.integers(-(2**31), 2**31 - 1),
    Type.STRING: st.text(max_size=8),
    Type.BOOLEAN: st.booleans(),
    Type.FLOAT64: st.floats(),
    Type.BYTES: st.binary(max_size=8),
}
DECIMALS = st.integers(-(10**20), 10**20).map(lambda unscaled: Decimal(unscaled).scaleb(-2))
DEFAULTS = {Type.INT32: 7, Type.STRING: "none", Type.BOOLEAN: True, Type.FLOAT64: 1.5, Type.BYTES: b"\x01"}


@st.composite
def fields(draw: st.DrawFn) -> tuple[Schema, object]:
    """A field's schema and a value for it, null now and then."""
    optional = draw(st.booleans())
    kind = draw(st.sampled_from([*VALUES, "decimal"]))
    if kind == "decimal":
        return decimal(2, optional=optional), draw(st.none() | DECIMALS)
    more = {"default": DEFAULTS[kind]} if draw(st.booleans()) else {}
    return primitive(kind, optional=optional, **more), draw(st.none() | VALUES[kind])


@st.composite
def structs(draw: st.DrawFn, depth: int = 1) -> tuple[Schema, dict]:
    """A struct and a value, its fields in any order, absent ones included."""
    drawn = draw(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), fields(), min_size=1, max_size=6))
    if depth:
        drawn["inner"] = draw(structs(depth - 1))
    schema = struct(*((name, schema) for name, (schema, _) in drawn.items()), optional=draw(st.booleans()))
    names = draw(st.permutations(list(drawn)))
    absent = draw(st.sets(st.sampled_from(names)))
    return schema, {name: drawn[name][1] for name in names if name not in absent}


def plainly(schema: Schema, value: object) -> object:
    """What is written, by the rules and nothing else. ValueError: it cannot be."""
    if value is None and schema.has_default:
        value = schema.default
    if value is None:
        if not schema.optional:
            raise ValueError
        return None
    if schema.type is Type.STRUCT:
        return {field.name: plainly(field.schema, value.get(field.name)) for field in schema.fields}
    if isinstance(value, Decimal):
        value = by_digits(value, 2)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def by_digits(value: Decimal, scale: int) -> bytes:
    """The unscaled bytes from a number's own digits. ValueError where some would be lost."""
    sign, digits, exponent = value.as_tuple()
    magnitude, lost = divmod(int("".join(map(str, digits))) * 10 ** max(0, scale + exponent), 10 ** max(0, -scale - exponent))
    if lost:
        raise ValueError
    unscaled = -magnitude if sign else magnitude
    size = next(size for size in range(1, 100) if -(1 << 8 * size - 1) <= unscaled < 1 << 8 * size - 1)
    return unscaled.to_bytes(size, "big", signed=True)


@given(st.lists(structs(), min_size=1, max_size=3))
def test_rows_with_a_schema(rows: list[tuple[Schema, dict]]) -> None:
    converter = JsonConverter(JsonConverterConfig(schemas_enable=False), is_key=False)
    for schema, value in rows:
        before = repr(value)
        try:
            expected = orjson.dumps(plainly(schema, value))
        except ValueError:
            expected = None
        try:
            (payload,) = converter.encode("t", schema, [value])
        except DataError:
            payload = None
        assert payload == expected
        assert repr(value) == before


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None), st.integers(-3, 40))
def test_unscaled_bytes(value: Decimal, scale: int) -> None:
    if abs(int(value.as_tuple().exponent)) > 60:
        return
    try:
        expected = by_digits(value, scale)
    except ValueError:
        expected = None
    try:
        got = unscaled_bytes(value, scale)
    except Unencodable:
        got = None
    assert got == expected
