import math
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connect.api import DataError, Type, array, decimal, map_of, primitive, struct
from connect.api.schema import BOOLEAN, BYTES, FLOAT64, INT32, INT64, OPTIONAL_FLOAT64, OPTIONAL_INT32, OPTIONAL_STRING, STRING
from connect.converters.json_converter import JsonConverter, JsonConverterConfig
from connect.converters.json_encoding import unscaled_bytes

ROW = struct(
    ("id", INT32),
    ("name", OPTIONAL_STRING),
    ("amount", decimal(2, optional=True)),
    ("raw", primitive(Type.BYTES, optional=True)),
    ("seen", primitive(Type.STRING, optional=True, default="no")),
    name="orders.Value",
)


def converter(**options):
    return JsonConverter(JsonConverterConfig(**options), is_key=False)


def written(schema, value, **options):
    (payload,) = converter(**options).encode("t", schema, [value])
    return payload


def read(payload, **options):
    (schema,), (value,) = converter(**options).decode("t", [payload])
    return schema, value


def test_a_decimal_keeps_all_of_its_digits():
    schema = decimal(3)
    value = Decimal("10000000000000000000000000.001")  # more than the 28 digits that arithmetic on Decimals rounds to
    assert read(written(schema, value)) == (schema, value)
    assert read(written(schema, value, decimal_format="NUMERIC")) == (schema, value)


def test_the_envelope_has_the_jvms_bytes():
    value = {"id": 7, "name": "x", "amount": Decimal("12.34"), "raw": b"\xde\xad", "seen": None}
    assert written(ROW, value) == (
        b'{"schema":{"type":"struct","fields":['
        b'{"type":"int32","optional":false,"field":"id"},'
        b'{"type":"string","optional":true,"field":"name"},'
        b'{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,'
        b'"parameters":{"scale":"2"},"field":"amount"},'
        b'{"type":"bytes","optional":true,"field":"raw"},'
        b'{"type":"string","optional":true,"default":"no","field":"seen"}'
        b'],"optional":false,"name":"orders.Value"},'
        b'"payload":{"id":7,"name":"x","amount":"BNI=","raw":"3q0=","seen":"no"}}'
    )


def test_without_envelopes_the_payload_stands_alone():
    assert written(ROW, {"id": 7}, schemas_enable="false") == b'{"id":7,"name":null,"amount":null,"raw":null,"seen":"no"}'


def test_decimals_as_numbers_keep_every_digit():
    value = {"id": 1, "amount": Decimal("12345678901234567890.10")}
    assert b'"amount":12345678901234567890.10' in written(ROW, value, schemas_enable=False, decimal_format="numeric")
    payload = written(ROW, value, decimal_format="NUMERIC")
    assert read(payload)[1]["amount"] == Decimal("12345678901234567890.10")


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("0", 2, "00"),
        ("1.27", 2, "7f"),
        ("1.28", 2, "0080"),
        ("-1.28", 2, "80"),
        ("-1.29", 2, "ff7f"),
        ("5", 0, "05"),
        ("1E+2", 1, "03e8"),
    ],
)
def test_unscaled_bytes_are_javas_shortest_form(text, scale, expected):
    assert unscaled_bytes(Decimal(text), scale).hex() == expected


def test_numbers_that_json_lacks_are_strings_with_and_without_schema():
    schema = struct(("a", FLOAT64), ("b", array(OPTIONAL_FLOAT64)))
    value = {"a": math.nan, "b": [math.inf, -math.inf, 1.5, None]}
    assert written(schema, value, schemas_enable=False) == b'{"a":"NaN","b":["Infinity","-Infinity",1.5,null]}'
    assert written(None, value, schemas_enable=False) == b'{"a":"NaN","b":["Infinity","-Infinity",1.5,null]}'


def test_nested_bytes_and_decimals_are_converted():
    schema = struct(("l", array(decimal(1))), ("m", map_of(STRING, BYTES)), ("s", struct(("b", BYTES), optional=True)))
    value = {"l": [Decimal("1.5")], "m": {"k": b"\x01"}, "s": {"b": b"\x02"}}
    payload = written(schema, value)
    assert orjson.loads(payload)["payload"] == {"l": ["Dw=="], "m": {"k": "AQ=="}, "s": {"b": "Ag=="}}
    assert read(payload) == (schema, value)
    assert orjson.loads(written(None, value))["payload"]["m"] == {"k": "AQ=="}


def test_maps_without_text_keys_are_arrays_of_pairs():
    schema = map_of(INT32, STRING)
    payload = written(schema, {1: "a", 2: "b"}, schemas_enable=False)
    assert payload == b'[[1,"a"],[2,"b"]]'
    assert read(written(schema, {1: "a"})) == (schema, {1: "a"})
    assert written(None, {1: "a"}, schemas_enable=False) == b'[[1,"a"]]'


def test_values_are_not_changed_by_encoding():
    value = {"id": 1, "amount": Decimal(1), "seen": None}
    written(ROW, value)
    assert value == {"id": 1, "amount": Decimal(1), "seen": None}


def test_no_value_is_no_payload():
    assert converter().encode("t", ROW, [None]) == [None]
    assert converter().decode("t", [None]) == ([None], [None])


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (ROW, {"id": None}, "Field 'id': null value for field that is required"),
        (ROW, {"id": 1, "amount": Decimal("1.234")}, "Field 'amount': 1.234 has more than 2 digits"),
        (ROW, {"id": 1, "raw": "text"}, "Field 'raw': bytes are expected, not str"),
        (ROW, {"id": 1, "nme": "x"}, "the schema has no field 'nme'"),
        (ROW, {"id": object()}, "not JSON serializable"),
        (struct(("s", ROW)), {"s": {"id": None}}, "Field 's.id': null"),
        (None, object(), "not JSON serializable"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place(schema, value, reason):
    good = {"s": {"id": 1}} if schema is not ROW and schema is not None else {"id": 1}
    with pytest.raises(DataError) as caught:
        converter().encode("t", schema, [good, value])
    assert caught.value.index == 1
    assert reason in str(caught.value)


def test_plain_json_where_an_envelope_is_expected_says_what_to_set():
    for payload in (b'{"id":1}', b'{"schema":null,"payload":1,"more":2}', b"[1]", b"1"):
        with pytest.raises(DataError, match=r"set schemas\.enable=false in your converter configuration"):
            read(payload)


@pytest.mark.parametrize("enable", [True, False])
def test_bytes_that_are_no_json_are_a_data_error(enable):
    with pytest.raises(DataError, match="serialization error") as caught:
        converter(schemas_enable=enable).decode("t", [None, b"{"])
    assert caught.value.index == 1


def test_plain_values_come_back_plain():
    assert read(b'{"a":1,"b":2.5,"c":[null,"x"]}', schemas_enable=False) == (None, {"a": 1, "b": 2.5, "c": [None, "x"]})
    assert read(b'{"schema":null,"payload":{"a":1}}') == (None, {"a": 1})


def test_a_known_envelope_is_recognised_and_a_tampered_one_is_not():
    reader = converter()
    payloads = converter().encode("t", ROW, [{"id": 1}, {"id": 2}])
    schemas, values = reader.decode("t", payloads)
    assert schemas[0] is schemas[1] is ROW
    assert [value["id"] for value in values] == [1, 2]
    with pytest.raises(DataError, match="may not contain additional fields"):
        reader.decode("t", [payloads[0][:-1] + b',"more":1}'])


def test_members_in_another_order_are_read_too():
    schema, value = read(b'{ "payload" : 5, "schema" : {"optional":true, "type":"int64"} }')
    assert (schema, value) == (primitive(Type.INT64, optional=True), 5)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"schema":{"type":"int33"},"payload":1}', "Unknown schema type: int33"),
        (b'{"schema":{"type":"int32","optional":false},"payload":null}', "Invalid null value for required INT32 field"),
        (b'{"schema":{"type":"int32"},"payload":"1"}', "int32 is expected, not '1'"),
        (b'{"schema":{"type":"bytes"},"payload":"*"}', "bytes are expected in base64"),
        (
            b'{"schema":{"type":"struct","fields":[{"type":"boolean","field":"f"}]},"payload":{"f":1}}',
            "Field 'f': boolean is expected",
        ),
    ],
)
def test_a_payload_that_does_not_fit_its_schema_is_named(payload, reason):
    with pytest.raises(DataError) as caught:
        read(payload)
    assert reason in str(caught.value)


def test_null_for_a_default_is_a_choice():
    payload = b'{"schema":{"type":"int32","optional":true,"default":5},"payload":null}'
    assert read(payload)[1] == 5
    assert read(payload, replace_null_with_default=False)[1] is None
    schema = struct(("a", primitive(Type.INT32, optional=True, default=5)))
    assert written(schema, {"a": None}, schemas_enable=False, replace_null_with_default=False) == b'{"a":null}'


def test_a_fixed_schema_reads_payloads_without_envelope():
    content = '{"type":"struct","fields":[{"type":"bytes","field":"b"}]}'
    schema, value = read(b'{"b":"AQ=="}', schema_content=content)
    assert (schema, value) == (struct(("b", BYTES)), {"b": b"\x01"})


def test_wrong_options_are_refused():
    with pytest.raises(ValidationError):
        JsonConverterConfig.model_validate({"decimal.format": "HEX"})
    with pytest.raises(ValidationError):
        JsonConverterConfig.model_validate({"schemas.enabled": "true"})


VALUES = st.fixed_dictionaries(
    {
        "i": st.integers(-(2**63), 2**63 - 1),
        "f": st.floats(allow_nan=False),
        "b": st.booleans(),
        "s": st.none() | st.text(),
        "y": st.binary(),
        "d": st.decimals(allow_nan=False, allow_infinity=False, places=3),
        "l": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)),
    }
)
SCHEMA = struct(
    ("i", INT64),
    ("f", FLOAT64),
    ("b", BOOLEAN),
    ("s", OPTIONAL_STRING),
    ("y", BYTES),
    ("d", decimal(3)),
    ("l", array(OPTIONAL_INT32)),
)


@given(VALUES, st.sampled_from(["BASE64", "NUMERIC"]))
def test_what_is_written_is_read_back(value, decimal_format):
    assert read(written(SCHEMA, value, decimal_format=decimal_format)) == (SCHEMA, value)
