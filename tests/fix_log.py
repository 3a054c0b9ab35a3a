"""The embedded log as its users meet it: a process, killed and restarted at will."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class LogProcess:
    """One ``python -m core_log``. ``port`` is the same after a restart."""

    data: Path
    port: int = 0
    options: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    ready_line: str = ""

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def errors(self) -> Path:
        """What the broker has written to stderr, over all its lives."""
        return self.data.with_name(self.data.name + ".stderr")

    def start(self) -> LogProcess:
        command = [sys.executable, "-m", "core_log", "--data", str(self.data), "--port", str(self.port)]
        command += [part for name, value in self.options.items() for part in ("--" + name.replace("_", "-"), str(value))]
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout
        self.ready_line = self.process.stdout.readline()
        if "ready on" not in self.ready_line:
            raise AssertionError(f"the log did not start (exit code {self.process.wait()}):\n{self.errors.read_text()[-3000:]}")
        self.port = int(self.ready_line.split(" (")[0].rpartition(":")[2])
        return self

    def kill(self) -> None:
        """SIGKILL."""
        if self.process:
            self.process.kill()
            self._reap()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process
        self.process.terminate()
        try:
            return self.process.wait(20)
        finally:
            self._reap()

    def _reap(self) -> None:
        assert self.process
        assert self.process.stdout
        self.process.wait()
        self.process.stdout.close()

    def restart(self) -> LogProcess:
        """Same port, same directory; kills the process first if it still runs."""
        self.kill()
        return self.start()


@pytest.fixture
def start_log() -> Iterator[Any]:
    """``start_log(data_dir, port=0, **options)``: options of the command line, ``flush_policy="os"``."""
    logs: list[LogProcess] = []

    def start(data_dir: Path, port: int = 0, **options: str) -> LogProcess:
        log = LogProcess(Path(data_dir), port, options)
        logs.append(log)
        return log.start()

    yield start
    for log in logs:
        log.kill()


@pytest.fixture
def log(tmp_path: Path, start_log: Any) -> LogProcess:
    """A fresh log with its defaults."""
    return start_log(tmp_path / "log")


@dataclass(frozen=True)
class AnyLog:
    """Our log or Apache Kafka, which is shared by a whole run: ``topic`` and ``group`` are names for this test alone."""

    server: Any
    topic: str
    group: str
    shortest_session_ms: int

    @property
    def bootstrap(self) -> str:
        return str(self.server.bootstrap)


@pytest.fixture(params=["ours", pytest.param("kafka", marks=pytest.mark.long)])
def any_log(request: pytest.FixtureRequest, tmp_path: Path, start_log: Any) -> AnyLog:
    """What holds of both. ``make test`` tries our log alone, ``make conformance`` Apache Kafka as well."""
    mark = uuid.uuid4().hex[:8]
    if request.param == "kafka":
        return AnyLog(request.getfixturevalue("kafka"), f"t-{mark}", f"g-{mark}", 6_000)
    config = tmp_path / "broker.properties"
    config.write_text("group.min.session.timeout.ms=2000\n")
    return AnyLog(start_log(tmp_path / "log", config=str(config)), f"t-{mark}", f"g-{mark}", 2_000)
