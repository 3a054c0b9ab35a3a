import pytest

from connect.api import DataError, PluginConfig
from connect.api.schema import BOOLEAN, FLOAT64, INT8, INT16, INT64, OPTIONAL_BYTES, OPTIONAL_STRING, STRING
from connect.converters.byte_array_converter import ByteArrayConverter
from connect.converters.header_converter import SimpleHeaderConverter
from connect.converters.string_converter import StringConverter, StringConverterConfig


def strings(**options):
    return StringConverter(StringConverterConfig(**options), is_key=False)


def test_text_goes_out_and_comes_back_in_the_named_encoding():
    assert strings().encode("t", STRING, ["é", None, 5, True]) == ["é".encode(), None, b"5", b"true"]
    assert strings(converter_encoding="ISO-8859-1").encode("t", None, ["é"]) == [b"\xe9"]
    assert strings(converter_encoding="ISO-8859-1").decode("t", [b"\xe9", None]) == ([OPTIONAL_STRING] * 2, ["é", None])


def test_what_the_encoding_lacks_is_a_data_error_with_its_place():
    with pytest.raises(DataError) as caught:
        strings(converter_encoding="ascii").encode("t", None, ["a", "é"])
    assert caught.value.index == 1
    with pytest.raises(DataError) as caught:
        strings().decode("t", [b"a", b"b", b"\xff"])
    assert caught.value.index == 2


def test_an_unknown_encoding_is_a_wrong_config():
    with pytest.raises(ValueError, match="no text encoding is called 'UTF-9'"):
        StringConverterConfig(converter_encoding="UTF-9")


def test_bytes_pass_and_nothing_else_does():
    plain = ByteArrayConverter(PluginConfig(), is_key=True)
    assert plain.encode("t", None, [b"a", None]) == [b"a", None]
    assert plain.decode("t", [b"a"]) == ([OPTIONAL_BYTES], [b"a"])
    with pytest.raises(DataError, match="not compatible with objects of type str") as caught:
        plain.encode("t", None, [b"a", "b"])
    assert caught.value.index == 1
    with pytest.raises(DataError, match="STRING"):
        plain.encode("t", STRING, ["b"])


@pytest.mark.parametrize(
    ("value", "text", "schema"),
    [
        ("some text", b"some text", STRING),
        (True, b"true", BOOLEAN),
        (7, b"7", INT8),
        (300, b"300", INT16),
        (2**40, b"1099511627776", INT64),
        (1.5, b"1.5", FLOAT64),
        (["a", 1, None], b'["a",1,null]', None),
        ({"a": True}, b'{"a":true}', None),
        (None, None, None),
    ],
)
def test_header_values_are_text_and_come_back_as_what_they_look_like(value, text, schema):
    headers = SimpleHeaderConverter(PluginConfig(), is_key=False)
    assert headers.encode("t", None, [value]) == [text]
    assert headers.decode("t", [text]) == ([schema], [value])


def test_header_bytes_of_any_kind_are_read():
    headers = SimpleHeaderConverter(PluginConfig(), is_key=False)
    assert headers.decode("t", [b"\xff", b"[1,", b"1.e"]) == ([STRING] * 3, ["\ufffd", "[1,", "1.e"])
