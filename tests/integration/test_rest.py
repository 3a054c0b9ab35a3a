"""The REST API of real workers on a real log."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

CLASS = "tests.integration.counting_source:Counting"


@pytest.fixture
def cluster(log, start_cluster):
    return start_cluster(log.bootstrap, workers=2, group="rest")


def wait_for(check, timeout_seconds=20):
    deadline = time.monotonic() + timeout_seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)
    return found


def test_a_connectors_life_through_any_worker(cluster):
    first, second = cluster.workers
    status, body = second.request(
        "POST", "/connectors", {"name": "a/b", "config": {"connector.class": CLASS, "topic": "n", "tasks.max": 2}}
    )
    assert (status, body["name"], body["type"]) == (201, "a/b", "source")
    assert first.request("POST", "/connectors", {"name": "a/b", "config": body["config"]})[0] == 409
    cluster.wait_running("a%2Fb")
    assert first.request("GET", "/connectors/a%2Fb/topics")[1] == {"a/b": {"topics": ["n"]}}
    assert len(second.request("GET", "/connectors/a%2Fb/tasks")[1]) == 2

    assert second.request("PUT", "/connectors/a%2Fb/pause")[0] == 202
    wait_for(lambda: {task["state"] for task in cluster.status("a%2Fb")["tasks"]} == {"PAUSED"})
    assert first.request("PUT", "/connectors/a%2Fb/resume")[0] == 202
    cluster.wait_running("a%2Fb")

    assert second.request("DELETE", "/connectors/a%2Fb/offsets")[0] == 400
    assert first.request("PUT", "/connectors/a%2Fb/stop")[0] == 204
    assert wait_for(lambda: cluster.status("a%2Fb")["connector"]["state"] == "STOPPED")
    offsets = second.request("GET", "/connectors/a%2Fb/offsets")[1]["offsets"]
    assert sorted(offset["partition"]["counter"] for offset in offsets) == [0, 1]
    assert second.request("DELETE", "/connectors/a%2Fb/offsets")[0] == 200
    assert first.request("GET", "/connectors/a%2Fb/offsets") == (200, {"offsets": []})

    status, body = second.request("PATCH", "/connectors/a%2Fb/config", {"tasks.max": 1})
    assert (status, body["config"]["tasks.max"]) == (200, "1")
    assert second.request("DELETE", "/connectors/a%2Fb")[0] == 204
    wait_for(lambda: first.request("GET", "/connectors")[1] == second.request("GET", "/connectors")[1] == [])


def test_a_failed_task_says_why_and_is_restarted_through_any_worker(cluster):
    cluster.put("x", {"connector.class": CLASS, "topic": "n", "fail.at": "5"})
    for worker in cluster.workers:
        failed = wait_for(lambda: next((task for task in cluster.status("x")["tasks"] if task["state"] == "FAILED"), None))
        assert "there is no 5" in failed["trace"]
        assert worker.request("POST", "/connectors/x/tasks/0/restart")[0] == 204
        status, body = worker.request("POST", "/connectors/x/restart?includeTasks=true&onlyFailed=true")
        assert (status, body["name"]) == (202, "x")


def test_a_check_that_hangs_holds_up_nobody_else(cluster):
    worker = cluster.workers[0]
    cluster.put("x", {"connector.class": CLASS, "topic": "n"})
    config = {"connector.class": CLASS, "topic": "n", "hang.in.check": "true"}

    def hang():
        with suppress(OSError):  # the worker ends first
            worker.request("PUT", "/connectors/hangs/config", config)

    waiting = threading.Thread(target=hang)
    waiting.start()
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        assert worker.request("GET", "/connectors/x/status")[0] == 200
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    assert slowest < 0.2
    worker.kill()
    waiting.join()
