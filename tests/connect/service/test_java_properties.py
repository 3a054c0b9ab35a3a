import pytest

from connect.service.java_properties import MalformedProperties, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("a = b ", {"a": "b "}),
        ("a:b", {"a": "b"}),
        ("a b", {"a": "b"}),
        ("a : = b", {"a": "= b"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("  \t a=b", {"a": "b"}),
        ("#a=b\n!c=d\n\ne=f", {"e": "f"}),
        ("a=1\ra=2\r\nb=3", {"a": "2", "b": "3"}),
        ("a=x,\\\n   y,\\\n\tz", {"a": "x,y,z"}),
        ("a=x\\", {"a": "x"}),
        ("a=x\\\\\nb=y", {"a": "x\\", "b": "y"}),
        ("a=x\\\n#no comment", {"a": "x#no comment"}),
        ("#a\\\nb=c", {"b": "c"}),
        (r"a\=b\:c\ d=e", {"a=b:c d": "e"}),
        (r"a=\t\n\r\f\q\\", {"a": "\t\n\r\fq\\"}),
        (r"a=\u00e9\ud83d\ude00", {"a": "é😀"}),
        (
            "sasl.jaas.config=x required username=\"u\" password='p=#!';",
            {"sasl.jaas.config": "x required username=\"u\" password='p=#!';"},
        ),
    ],
)
def test_java_reads_the_same(text, expected):
    assert parse(text) == expected


def test_a_cut_unicode_escape_names_its_line():
    with pytest.raises(MalformedProperties) as caught:
        parse("a=b\n\nc=\\u12")
    assert caught.value.line == 3
