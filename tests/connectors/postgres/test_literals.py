import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres.literals import array_items, hstore_json

ITEMS = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=12)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(items: object) -> str:
    if items is None:
        return "NULL"
    return "{" + ",".join(map(literal, items)) + "}" if isinstance(items, list) else quoted(str(items))


@given(st.lists(ITEMS, max_size=5))
def test_arrays_round_trip(items: list[object]) -> None:
    assert array_items(literal(items)) == items


@pytest.mark.parametrize(
    ("text", "items"),
    [("{}", []), ("{1,NULL,x}", ["1", None, "x"]), ("[0:1]={1,2}", ["1", "2"]), ('{"NULL",a b}', ["NULL", "a b"])],
)
def test_arrays_as_postgresql_writes_them(text: str, items: list[object]) -> None:
    assert array_items(text) == items


@pytest.mark.parametrize("text", ["", "1", "{", '{"a}', "{a}b}", "{{1}"])
def test_what_is_no_array(text: str) -> None:
    with pytest.raises(ValueError, match="array"):
        array_items(text)


@given(st.dictionaries(st.text(), st.none() | st.text(), max_size=5))
def test_hstore_becomes_json(pairs: dict[str, str | None]) -> None:
    text = ", ".join(f"{quoted(key)}=>{'NULL' if value is None else quoted(value)}" for key, value in pairs.items())
    assert json.loads(hstore_json(text)) == pairs


def test_what_is_no_hstore() -> None:
    with pytest.raises(ValueError, match="hstore"):
        hstore_json('"a"=>1')
