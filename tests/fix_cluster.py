"""Workers as a user starts them: processes of the command line, on any bootstrap servers, killed and restarted at will."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connect.demo.child_process import free_port


@dataclass
class WorkerProcess:
    """One `penstock worker`."""

    properties: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self, timeout_seconds: float = 30) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "connect.cli.main", "worker", "--config", str(self.properties)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout_seconds
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the worker did not come up:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.request("GET", "/")[0] == 200
        return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def request(self, method: str, path: str, body: object = None, timeout_seconds: float = 60) -> tuple[int, Any]:
        """Status and parsed body; raises OSError where nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")


@dataclass
class Cluster:
    """Workers of one group."""

    folder: Path
    bootstrap: str
    group: str
    settings: dict[str, str] = field(default_factory=dict)
    workers: list[WorkerProcess] = field(default_factory=list)

    def add_worker(self) -> WorkerProcess:
        port = free_port()
        properties = {
            "bootstrap.servers": self.bootstrap,
            "group.id": self.group,
            "listeners": f"http://127.0.0.1:{port}",
            "config.storage.topic": f"{self.group}-configs",
            "offset.storage.topic": f"{self.group}-offsets",
            "status.storage.topic": f"{self.group}-status",
            "config.storage.replication.factor": "1",
            "offset.storage.replication.factor": "1",
            "status.storage.replication.factor": "1",
            "offset.storage.partitions": "5",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "offset.flush.interval.ms": "1000",
            **self.settings,
        }
        path = self.folder / f"worker-{port}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        worker = WorkerProcess(path, port, self.folder / f"worker-{port}.log")
        self.workers.append(worker)
        worker.start()
        return worker

    def any_worker(self) -> WorkerProcess:
        return next(worker for worker in self.workers if worker.process and worker.process.poll() is None)

    def put(self, name: str, config: dict[str, str]) -> None:
        status, answer = self.any_worker().request("PUT", f"/connectors/{name}/config", config)
        assert status in (200, 201), f"{status} {answer}"

    def status(self, name: str) -> dict[str, Any]:
        return dict(self.any_worker().request("GET", f"/connectors/{name}/status")[1])

    def host(self, name: str, timeout_seconds: float = 30) -> WorkerProcess:
        """The worker that runs the connector's first task."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            for task in self.status(name)["tasks"][:1]:
                for worker in self.workers:
                    if task["worker_id"] == f"127.0.0.1:{worker.port}" and worker.process and worker.process.poll() is None:
                        return worker
            time.sleep(0.05)
        raise AssertionError(f"nobody runs {name}: {self.status(name)}")

    def wait_running(self, name: str, timeout_seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            status, answer = self.any_worker().request("GET", f"/connectors/{name}/status")
            if status == 200:
                states = [answer["connector"]["state"], *(task["state"] for task in answer["tasks"])]
                assert "FAILED" not in states, answer
                if len(states) > 1 and set(states) == {"RUNNING"}:
                    return dict(answer)
            time.sleep(0.1)
        raise AssertionError(f"{name} is not running: {answer}\n{self.logs()}")

    def logs(self) -> str:
        return "\n".join(f"--- {worker.log}\n{worker.log.read_text()[-3000:]}" for worker in self.workers)

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Any]:
    """``start_cluster(bootstrap, workers=2, **settings)``: keys with ``_`` for ``.``."""
    clusters: list[Cluster] = []

    def start(bootstrap: str, workers: int = 1, group: str = "test", **settings: str) -> Cluster:
        cluster = Cluster(tmp_path, bootstrap, group, {key.replace("_", "."): value for key, value in settings.items()})
        clusters.append(cluster)
        for _ in range(workers):
            cluster.add_worker()
        return cluster

    yield start
    for cluster in clusters:
        cluster.stop()
