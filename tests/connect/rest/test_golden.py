import json

import pytest

from connect.rest.app import create_app
from connect.runtime.requests import TargetState
from tests.connect.rest import golden_calls
from tests.connect.rest.cluster_in_memory import SETTINGS, MemoryHerder


@pytest.fixture
def herder():
    return MemoryHerder()


@pytest.fixture
def client(herder):
    return create_app(herder, SETTINGS, starting_seconds=0).test_client()


def fits(expected, found):
    """Equal, where ``...`` fits anything."""
    if expected is ...:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(fits(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(fits, expected, found))
    return expected == found


def check(client, call):
    method, path, body, status, expected = call
    answer = client.open(path, method=method, json=body) if body is not None else client.open(path, method=method)
    found = json.loads(answer.data) if answer.data else None
    assert answer.status_code == status, (call, found)
    assert fits(expected, found), (method, path, expected, found)
    if found is not None:
        assert answer.content_type == "application/json"
    return answer


@pytest.mark.parametrize("call", golden_calls.EMPTY, ids=lambda call: f"{call[0]} {call[1]}")
def test_nothing_there(client, call):
    check(client, call)


@pytest.mark.parametrize("call", golden_calls.REFUSED, ids=lambda call: f"{call[0]} {call[1]} {call[2]}")
def test_refused(client, herder, call):
    check(client, call)
    assert herder.requests == []


def test_a_connectors_life(client, herder):
    herder.stored_offsets["fs"] = [{"partition": {"filename": "in.txt"}, "offset": {"position": 4}}]
    for call in golden_calls.LIFE:
        if call[0] == "RUN":
            herder.run(call[1])
            continue
        answer = check(client, call)
        if call[3] == 201:
            assert answer.headers["Location"] == f"http://127.0.0.1:38083/connectors/{answer.json['name']}"


@pytest.mark.parametrize(
    ("given", "state"), [("stopped", TargetState.STOPPED), ("PAUSED", TargetState.PAUSED), ("Running", TargetState.STARTED)]
)
def test_initial_state(client, herder, given, state):
    body = {"name": "fs", "initial_state": given, "config": golden_calls.FS}
    assert client.post("/connectors", json=body).status_code == 201
    assert herder.view.state.target("fs") is state


def test_a_failed_tasks_trace(client, herder):
    client.put("/connectors/fs/config", json=golden_calls.FS)
    from connect.runtime.herding.statuses import State

    herder.run("fs", state=State.FAILED, trace="no such file")
    assert client.get("/connectors/fs/tasks/0/status").json == {
        "id": 0,
        "state": "FAILED",
        "worker_id": "127.0.0.1:38083",
        "version": "4.3.1",
        "trace": "no such file",
    }
    answer = client.post("/connectors/fs/restart?includeTasks=true&onlyFailed=true").json
    assert (answer["connector"]["state"], answer["tasks"][0]["state"]) == ("RUNNING", "RESTARTING")


def test_numbers_and_booleans_become_the_text_they_were_written_in(client, herder):
    text = f'{{"connector.class": "{golden_calls.LINES}", "topic": 1.50, "file": true, "batch.size": 1e1}}'.replace("1e1", "12")
    answer = client.put("/connectors/fs/config", data=text, content_type="application/json; charset=utf-8")
    assert answer.status_code == 201
    assert (answer.json["config"]["topic"], answer.json["config"]["file"]) == ("1.50", "true")


def test_warnings_come_under_our_own_key(client):
    body = {**golden_calls.FS, "poll.interval.ms": "5"}
    warnings = client.put("/connectors/fs/config", json=body).json["penstock"]["warnings"]
    assert len(warnings) == 1
    assert "poll.interval.ms" in warnings[0]


def test_validate_shows_every_key(client):
    body = {"connector.class": golden_calls.LINES, "topic": "t", "tasks.max": "x", "name": "n", "passwrd": "1", "password": "p"}
    answer = client.put(f"/connector-plugins/{golden_calls.LINES}/config/validate", json=body).json
    assert answer["name"] == golden_calls.LINES
    assert answer["error_count"] == 2
    assert answer["groups"][:5] == ["Common", "Transforms", "Predicates", "Error Handling", "Topic Creation"]
    values = {entry["value"]["name"]: entry for entry in answer["configs"]}
    assert values["tasks.max"]["value"]["errors"] == ["Invalid value x for configuration tasks.max: Not a number of type INT"]
    assert values["password"]["value"]["value"] == "[hidden]"
    assert values["passwrd"]["definition"] is None
    assert "password" in values["passwrd"]["value"]["errors"][0]
    assert values["name"]["definition"] == {
        "name": "name",
        "type": "STRING",
        "required": True,
        "default_value": None,
        "importance": "HIGH",
        "documentation": "The connector's name, unique in the cluster.",
        "group": "Common",
        "order_in_group": 1,
        "width": "MEDIUM",
        "display_name": "Connector name",
        "dependents": [],
    }


def test_plugins(client):
    connectors = client.get("/connector-plugins").json
    assert {plugin["type"] for plugin in connectors} <= {"source", "sink"}
    everything = client.get("/connector-plugins?connectorsOnly=false").json
    assert {"class": "org.apache.kafka.connect.json.JsonConverter", "type": "converter"} in everything
    assert connectors == [plugin for plugin in everything if plugin in connectors]
