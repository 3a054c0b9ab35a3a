"""JSON lines hold what Kafka Connect's JsonConverter would have written."""

import base64
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.api import DataError, SinkRecord, array, struct
from connect.api.schema import FLOAT64, INT64, STRING
from connectors.formats import json_lines


def record(value: object, offset: int = 0) -> SinkRecord:
    return SinkRecord("t", 0, offset, None, value, None, None, None, (), None, None)


def encode(*values: object, schema=None) -> list[bytes]:
    return json_lines.encode([record(value, offset) for offset, value in enumerate(values)], schema)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(json_values, max_size=5))
def test_one_line_per_value_reads_back(values: list[object]) -> None:
    lines = encode(*values)
    assert [json.loads(line) for line in lines] == values
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


@given(st.integers(min_value=-(2**200), max_value=2**200), st.integers(min_value=0, max_value=20))
def test_decimals_are_javas_unscaled_bytes(unscaled: int, scale: int) -> None:
    value = Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))
    raw = base64.b64decode(json.loads(encode({"d": value})[0])["d"])
    assert int.from_bytes(raw, "big", signed=True) == unscaled
    # BigInteger.toByteArray: the fewest bytes that keep the sign
    assert len(raw) == 1 or int.from_bytes(raw[1:], "big", signed=True) != unscaled


def test_known_values() -> None:
    # 12.34 with scale 2 is 1234 = 0x04D2; bytes are base64
    assert encode({"d": Decimal("12.34"), "b": b"\xde\xad"}) == [b'{"d":"BNI=","b":"3q0="}\n']
    assert encode({"d": Decimal("-0.01")}) == [b'{"d":"/w=="}\n']
    assert encode("text", None, 2**70) == [b'"text"\n', b"null\n", b"1180591620717411303424\n"]


def test_what_is_not_finite_is_a_string_where_the_schema_has_floats() -> None:
    schema = struct(("x", FLOAT64), ("many", array(FLOAT64)), ("deep", struct(("y", FLOAT64))), ("n", INT64))
    value = {"x": float("nan"), "many": [1.5, float("-inf")], "deep": {"y": float("inf")}, "n": 1}
    line = encode(value, schema=schema)[0]
    assert json.loads(line) == {"x": "NaN", "many": [1.5, "-Infinity"], "deep": {"y": "Infinity"}, "n": 1}
    assert value["many"] == [1.5, float("-inf")], "the record's own value is left alone"
    assert encode({"s": "plain"}, schema=struct(("s", STRING))) == [b'{"s":"plain"}\n']


def test_a_value_that_json_cannot_hold_is_named() -> None:
    with pytest.raises(DataError, match="t-0 at offset 1") as caught:
        encode({"fine": 1}, {"bad": object()})
    assert caught.value.index == 1
