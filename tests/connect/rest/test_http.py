"""Through a real server: what clients send that no test client would."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from connect.rest.app import MAX_BODY_BYTES, create_app
from connect.runtime.requests import NotLeader
from connect.service import listeners
from tests.connect.rest.cluster_in_memory import SETTINGS, MemoryHerder
from tests.connect.rest.golden_calls import FS

JSON = {"Content-Type": "application/json"}


def follower(leader_url):
    herder = MemoryHerder()
    herder.view = herder.view.__class__(ready=True, is_leader=False, leader_url=leader_url)
    return herder


@pytest.fixture(scope="module")
def serve():
    servers = []

    def start(herder):
        server = listeners.serve(create_app(herder, SETTINGS, starting_seconds=0.1), "http://127.0.0.1:0")
        servers.append(server)
        return server.port

    yield start
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(lambda server: server.stop(), servers))


def call(port, method, path, body=None, headers=JSON):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    data = json.dumps(body) if isinstance(body, (dict, list)) else body
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer, json.loads(text) if text else None


@pytest.mark.parametrize(
    ("name", "path"),
    [("a/b", "a%2Fb"), ("a/b", "a%2fb"), ("a b/c ü", "a%20b%2Fc%20%C3%BC"), ("50%", "50%25"), ("%2F", "%252F"), ("a+b", "a+b")],
)
def test_names_with_any_character(serve, name, path):
    port = serve(MemoryHerder())
    answer, created = call(port, "PUT", f"/connectors/{path}/config", FS)
    assert (answer.status, created["name"]) == (201, name)
    location = answer.headers["Location"].removeprefix("http://127.0.0.1:38083")
    assert call(port, "GET", location)[1]["name"] == name
    assert call(port, "GET", "/connectors/")[1] == [name]
    assert call(port, "GET", f"/connectors/{path}/config/")[1]["name"] == name
    assert call(port, "DELETE", f"/connectors/{path}")[0].status == 204


def test_content_types(serve):
    port = serve(MemoryHerder())
    for headers in ({}, {"Content-Type": ""}, {"Content-Type": "text/plain"}):
        answer, body = call(port, "POST", "/connectors", '{"name": "a"}', headers)
        assert (answer.status, body) == (415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"})


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 5 * MAX_BODY_BYTES])
def test_a_body_that_is_too_large(serve, size):
    port = serve(MemoryHerder())
    answer, body = call(port, "PUT", "/connectors/x/config", b" " * size)
    assert (answer.status, body["error_code"]) == (413, 413)
    assert call(port, "GET", "/connectors")[0].status == 200


def test_head_and_options(serve):
    port = serve(MemoryHerder())
    answer, body = call(port, "HEAD", "/connectors")
    assert (answer.status, body, answer.headers["Content-Type"]) == (200, None, "application/json")
    answer, _ = call(port, "OPTIONS", "/connectors")
    assert answer.status == 200
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.headers["Allow"].split(", "))
    assert set(call(port, "DELETE", "/connectors")[0].headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_writes_are_forwarded_to_the_leader(serve):
    leader = MemoryHerder()
    leader_port = serve(leader)
    port = serve(follower(f"http://127.0.0.1:{leader_port}/"))
    answer, body = call(port, "PUT", "/connectors/a%2Fb/config?x=1", FS)
    assert (answer.status, body["name"]) == (201, "a/b")
    assert answer.headers["Location"] == "http://127.0.0.1:38083/connectors/a%2Fb"
    assert list(leader.view.connectors) == ["a/b"]
    answer, body = call(port, "POST", "/connectors", {"name": "a/b", "config": FS})
    assert (answer.status, body["message"]) == (409, "Connector a/b already exists")
    answer, body = call(port, "DELETE", "/connectors/a%2Fb")
    assert (answer.status, body) == (204, None)
    assert call(port, "PUT", "/connectors/x/config", "{")[0].status == 400


def test_forwarding_goes_no_further_than_two_hops(serve):
    herder = follower("http://127.0.0.1:1")
    port = serve(herder)
    herder.view = herder.view.__class__(ready=True, is_leader=False, leader_url=f"http://127.0.0.1:{port}")
    answer, body = call(port, "DELETE", "/connectors/x")
    assert (answer.status, body["message"]) == (
        409,
        "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
    )


def test_no_leader_and_a_leader_that_is_gone(serve):
    answer, body = call(serve(follower(None)), "DELETE", "/connectors/x")
    assert (answer.status, body["message"]) == (409, str(NotLeader(None)))
    answer, body = call(serve(follower("http://127.0.0.1:1")), "DELETE", "/connectors/x")
    assert answer.status == 409  # what clients try again
    assert body["message"].startswith(str(NotLeader(None)))
    assert "The leader at http://127.0.0.1:1 does not answer:" in body["message"]
    assert "Connection refused." in body["message"]


def test_a_worker_that_is_starting(serve):
    herder = MemoryHerder()
    herder.view = herder.view.__class__(ready=False)
    port = serve(herder)
    assert call(port, "GET", "/")[0].status == 200
    answer, body = call(port, "GET", "/health")
    assert (answer.status, body["status"]) == (503, "starting")
    assert call(port, "GET", "/connectors")[0].status == 503


def test_metrics(serve):
    herder = MemoryHerder()
    port = serve(herder)
    call(port, "PUT", "/connectors/fs/config", FS)
    herder.run("fs")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert "kafka_connect_worker_connector_count 1.0" in text
    assert 'kafka_connect_connector_tasks{connector="fs",state="running"} 1.0' in text
