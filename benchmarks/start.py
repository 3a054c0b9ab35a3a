"""How fast everything is up, and what it costs doing nothing.

Budgets: `penstock up` ready < 3 s and < 250 MB in all; broker < 0.7 s; worker < 1.5 s.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka.admin import AdminClient

from benchmarks.processes import proportional_set_size
from connect.demo.child_process import free_port

ROUNDS = 5


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended (and waited for) at the end."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def wait_for_log(port: int) -> None:
    """Until the broker answers Metadata."""
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            break
        time.sleep(0.005)
    AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}).list_topics(timeout=10)


def wait_for_rest(port: int, path: str = "/") -> None:
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return
        time.sleep(0.01)


def broker_start() -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        begin = time.monotonic()
        with started("core_log", "--data", data, "--port", str(port)):
            wait_for_log(port)
            return time.monotonic() - begin


def worker_start() -> float:
    log_port, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data, started("core_log", "--data", data, "--port", str(log_port)):
        wait_for_log(log_port)
        properties = Path(data) / "worker.properties"
        converters = "".join(f"{half}.converter=org.apache.kafka.connect.json.JsonConverter\n" for half in ("key", "value"))
        topics = "".join(f"{kind}.storage.topic=c-{kind}\n" for kind in ("config", "offset", "status"))
        listener = f"listeners=http://127.0.0.1:{port}\n"
        properties.write_text(f"bootstrap.servers=127.0.0.1:{log_port}\ngroup.id=c\n{converters}{topics}{listener}")
        begin = time.monotonic()
        with started("connect.cli.main", "worker", "--config", str(properties)):
            wait_for_rest(port)
            return time.monotonic() - begin


def up() -> tuple[float, int]:
    """Seconds until the log and the REST API answer; bytes of memory ten seconds later."""
    log_port, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data:
        begin = time.monotonic()
        options = ("--data", data, "--kafka-port", str(log_port), "--connect-port", str(port))
        with started("connect.cli.main", "up", *options) as process:
            wait_for_rest(port, "/connectors")
            ready = time.monotonic() - begin
            time.sleep(10)
            return ready, proportional_set_size(process.pid)


def report(name: str, values: list[float], budget: float, unit: str) -> None:
    median = statistics.median(values)
    verdict = "within" if median < budget else "OVER"
    spread = f"{min(values):.2f}..{max(values):.2f}, n={len(values)}"
    print(f"{name:44} {median:8.2f} {unit} ({spread}); budget {budget:g} {unit}: {verdict}", flush=True)


def main() -> None:
    report("broker: start to first Metadata answer", [broker_start() for _ in range(ROUNDS)], 0.7, "s")
    report("worker: start to GET /", [worker_start() for _ in range(ROUNDS)], 1.5, "s")
    ups = [up() for _ in range(3)]
    report("penstock up: start to GET /connectors", [seconds for seconds, _ in ups], 3, "s")
    report("penstock up: idle, proportional set size", [size / 1e6 for _, size in ups], 250, "MB")


if __name__ == "__main__":
    main()
