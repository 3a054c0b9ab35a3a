"""The guide's code is the examples' code, and both run as the guide says."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/write-a-connector.md").read_text()
EXAMPLES = ROOT / "examples"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_the_guide_shows_the_examples_as_they_are() -> None:
    assert blocks("python") == [(EXAMPLES / name).read_text() for name in ("lines_source.py", "webhook_sink.py")]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[Any]]]:
    """Answers 503 once, then takes everything."""
    posted: list[Any] = []
    refusals = iter([503])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = next(refusals, 200)
            if status == 200:
                posted.append((self.headers["Authorization"], body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/lines", posted
    server.shutdown()
    server.server_close()
    thread.join()


def until(condition: Any, timeout_seconds: float = 30) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lines_in(bootstrap: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "guide", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe(["lines"])
        found: list[bytes] = []
        deadline = time.monotonic() + 30
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append(message.value() or b"")
        return found
    finally:
        consumer.close()


def test_deployed_as_the_guide_says(
    log: Any, start_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: tuple[str, list[Any]]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    file = tmp_path / "lines.txt"
    file.write_text("one\ntwo\nhal")
    source, sink = (json.loads(block) for block in blocks("json"))
    cluster = start_cluster(log.bootstrap)

    cluster.put("lines", {**source, "file": str(file)})
    cluster.wait_running("lines")
    assert lines_in(log.bootstrap, 2) == [b"one", b"two"]

    url, posted = webhook
    cluster.put("hook", {**sink, "url": url})
    until(lambda: [line for _, body in posted for line in body] == ["one", "two"])
    with file.open("a") as more:
        more.write("f\n")
    until(lambda: [line for _, body in posted for line in body] == ["one", "two", "half"])
    assert {bearer for bearer, _ in posted} == {"Bearer secret"}


def test_a_wrong_key_is_refused_with_the_nearest_one(log: Any, start_cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    worker = start_cluster(log.bootstrap).any_worker()
    config = {"connector.class": "lines_source:LinesSource", "topic": "lines", "fiel": "/tmp/x"}
    status, answer = worker.request("PUT", "/connectors/lines/config", config)
    assert status == 400
    assert "file" in answer["message"]
    assert "Did you mean 'file'?" in answer["message"]
