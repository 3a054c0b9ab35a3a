"""Whatever a client sends: 4xx in Kafka Connect's error shape, never 5xx."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connect.rest.app import create_app
from tests.connect.rest.cluster_in_memory import SETTINGS, MemoryHerder

CLIENT = create_app(MemoryHerder(), SETTINGS, starting_seconds=0).test_client()
ENDPOINTS = [
    ("POST", "/connectors"),
    ("PUT", "/connectors/x/config"),
    ("PUT", "/connector-plugins/postgres/config/validate"),
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    # Nearly right. No class, so that no process is started per example.
    st.fixed_dictionaries({}, optional={"name": JSON_VALUES, "config": JSON_VALUES, "initial_state": JSON_VALUES}).map(
        lambda value: json.dumps(value).encode()
    ),
)


def send(method, path, data, content_type="application/json"):
    answer = CLIENT.open(path, method=method, data=data, content_type=content_type)
    assert 400 <= answer.status_code < 500, (data, answer.data)
    assert answer.json["error_code"] == answer.status_code
    assert answer.json["message"]
    return answer.json["message"]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@settings(max_examples=60, deadline=None)
@given(data=BODIES)
def test_any_body(method, path, data):
    send(method, path, data)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b'{"name":"fs"', "line 1, column 13"),
        (b"{\n 'a': 1}", "line 2, column 2"),
        (b"\xff{}", "UTF-8: byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN is no JSON value"),
        (b'{"a": "\\ud800"}', "half a surrogate pair"),
        (b"null", "null: a JSON object is expected"),
        (b"[]", "an array: a JSON object is expected"),
        (b"1", "a JSON object is expected"),
    ],
)
def test_what_is_wrong_is_said(method, path, data, says):
    assert says in send(method, path, data)


@pytest.mark.parametrize("value", [{"a": 1}, [1]])
def test_nested_values_are_named(value):
    assert "for configuration n: a string is expected" in send("PUT", "/connectors/x/config", json.dumps({"n": value}))


def test_the_body_of_a_post_is_recognized_where_its_config_is_expected():
    body = json.dumps({"name": "x", "config": {"topic": "t"}})
    for path in ("/connectors/x/config", "/connector-plugins/LinesSource/config/validate"):
        assert "which POST /connectors takes" in send("PUT", path, body)


def test_a_configuration_without_a_class_is_shown_without_its_secrets():
    body = json.dumps({"database.user": "me", "database.password": "s3cret"})
    shown = "{database.user=me, database.password=[hidden], name=x} contains no connector type"
    assert shown in send("PUT", "/connectors/x/config", body)


def test_a_huge_number_is_only_text():
    assert "no connector type" in send("PUT", "/connectors/x/config", b'{"n": ' + b"9" * 10_000 + b"}")


@settings(max_examples=80, deadline=None)
@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters="?#\\"), min_size=1, max_size=20),
    method=st.sampled_from(["PUT", "POST", "DELETE"]),
)
def test_any_path(path, method):
    answer = CLIENT.open(f"/connectors/{path}", method=method)
    assert 400 <= answer.status_code < 500
    assert answer.json["error_code"] == answer.status_code


@pytest.mark.parametrize("query", ["includeTasks=maybe", "onlyFailed="])
def test_flags(query):
    assert "has to be true or false" in send("POST", f"/connectors/x/restart?{query}", b"")
