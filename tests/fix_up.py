"""`penstock up` as a user starts it: the console script, in a directory of its own, on free ports."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(sys.executable).parent


@dataclass
class Up:
    """One `penstock up`. ``environment`` replaces what tests inherit: no PYTHONPATH, the programs first on the PATH."""

    directory: Path
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    bootstrap: str = ""
    url: str = ""

    def start(self) -> Up:
        command = [str(PROGRAMS / "penstock"), "up", "--kafka-port", "0", "--connect-port", "0", *self.options]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | self.environment
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=self.directory, env=environment, **pipes)
        assert self.process.stdout
        assert self.process.stderr
        said = ""
        while "the data stays" not in said:
            line = self.process.stdout.readline()
            assert line, f"{said}\n{self.process.stderr.read()}"
            said += line
        self.bootstrap = re.search(r"Log \(Kafka protocol\) +(\S+)", said)[1]
        self.url = re.search(r"Connect REST +(\S+)", said)[1]
        return self

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; the exit code, and what was said since the start."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        said, errors = self.process.communicate(timeout=60)
        return self.process.returncode, said + errors

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for all tests of a module, in an empty directory."""
    running = Up(tmp_path_factory.mktemp("up")).start()
    yield running
    running.end()
