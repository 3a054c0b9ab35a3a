"""Apache Kafka itself, one KRaft node: what we claim of our log, and of our workers on Kafka, is tried on the original.

The jars come from ``PENSTOCK_KAFKA_LIBS``, or from ``.cache/kafka-libs``, which maven fills from Maven Central once when
``PENSTOCK_FETCH_KAFKA=1`` (``make conformance``). Without java or jars the tests are skipped aloud.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

HERE = Path(__file__).parent / "kafka"
CACHED = Path(__file__).parent.parent / ".cache" / "kafka-libs"


def find_jars() -> Path | None:
    """The folder of jars, fetched if that was asked for; None where there is none."""
    given = os.environ.get("PENSTOCK_KAFKA_LIBS")
    if given:
        return Path(given)
    if not any(CACHED.glob("kafka_2.13-*.jar")) and os.environ.get("PENSTOCK_FETCH_KAFKA") and shutil.which("mvn"):
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={CACHED}", "-DincludeScope=runtime"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), *copy], check=True, timeout=900)
    return CACHED if any(CACHED.glob("kafka_2.13-*.jar")) else None


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class KafkaServer:
    """One node. ``kill`` and ``restart`` as for our own log."""

    jars: Path
    folder: Path
    port: int = 0
    controller_port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def _java(self, main: str, *arguments: str) -> list[str]:
        return ["java", "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-cp", f"{self.jars}/*", main, *arguments]

    def start(self) -> None:
        properties = self.folder / "server.properties"
        if not properties.exists():
            self.port, self.controller_port = _free_ports(2)
            listeners = f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}"
            ours = f"listeners={listeners}\nadvertised.listeners=PLAINTEXT://{self.bootstrap}\n"
            ours += f"controller.quorum.voters=1@127.0.0.1:{self.controller_port}\nlog.dirs={self.folder}/data\n"
            properties.write_text((HERE / "server.properties").read_text() + ours)
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            form = self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties))
            subprocess.run(form, check=True, capture_output=True, timeout=120)
        with (self.folder / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(self._java("kafka.Kafka", str(properties)), stdout=log, stderr=log)
        self._wait_ready()

    def _wait_ready(self) -> None:
        assert self._process
        deadline = time.monotonic() + 90
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        while True:
            try:
                if admin.list_topics(timeout=2).brokers:
                    return
            except KafkaException:
                printed = (self.folder / "kafka.log").read_text()[-2000:]
                assert self._process.poll() is None, f"Kafka ended:\n{printed}"
                assert time.monotonic() < deadline, f"Kafka does not answer:\n{printed}"

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """Apache Kafka 4.3.1 for the whole run."""
    if shutil.which("java") is None:
        pytest.skip("needs Apache Kafka: there is no java on the PATH")
    jars = find_jars()
    if jars is None:
        pytest.skip("needs Apache Kafka's jars: set PENSTOCK_KAFKA_LIBS, or run `make conformance`, which fetches them once")
    with tempfile.TemporaryDirectory(prefix="penstock-test-kafka-") as folder:
        server = KafkaServer(jars, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
