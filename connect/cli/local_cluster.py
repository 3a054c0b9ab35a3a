"""A whole cluster on one machine: one log, some workers, under a supervisor."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from connect.service.errors import ENVIRONMENT_EXIT_CODE, EnvironmentProblem
from connect.service.supervisor import Role, Supervisor

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Where the parts of a local cluster live."""

    data: Path
    kafka_port: int
    connect_ports: tuple[int, ...]

    @property
    def bootstrap_servers(self) -> str:
        return f"{_HOST}:{self.kafka_port}"

    @property
    def urls(self) -> tuple[str, ...]:
        """The workers' REST APIs."""
        return tuple(f"http://{_HOST}:{port}" for port in self.connect_ports)

    def roles(self) -> list[Role]:
        """The log first, then the workers; writes the workers' properties files, for a user to read and to change."""
        log = Role("broker", "core_log", ("--data", str(self.data / "log"), "--host", _HOST, "--port", str(self.kafka_port)))
        return [log, *(self._worker(number, port) for number, port in enumerate(self.connect_ports, start=1))]

    def _worker(self, number: int, port: int) -> Role:
        name = f"worker {number}"
        file = self.data / f"worker-{number}.properties"
        file.write_text(worker_properties(self.bootstrap_servers, port), encoding="ascii")
        return Role(name, "connect.cli.main", ("worker", "--config", str(file)))


def worker_properties(bootstrap_servers: str, port: int) -> str:
    """The properties of a worker beside a log of its own: one replica of everything, plain JSON."""
    return f"""\
# Written by `penstock up` at each start. Kafka Connect's own keys: this file also serves `penstock worker --config`.
bootstrap.servers={bootstrap_servers}
group.id=penstock
listeners=http://{_HOST}:{port}
config.storage.topic=penstock-configs
config.storage.replication.factor=1
offset.storage.topic=penstock-offsets
offset.storage.partitions=5
offset.storage.replication.factor=1
status.storage.topic=penstock-status
status.storage.partitions=1
status.storage.replication.factor=1
offset.flush.interval.ms=5000
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
"""


def free_ports(wanted: list[int]) -> list[int]:
    """The ports wanted, with a free one in place of each 0."""
    held = [socket.socket() for port in wanted if port == 0]
    try:
        for probe in held:
            probe.bind((_HOST, 0))
        found = iter([int(probe.getsockname()[1]) for probe in held])
        return [port or next(found) for port in wanted]
    finally:
        for probe in held:
            probe.close()


def check_ports(wanted: Mapping[str, Sequence[int]]) -> None:
    """``wanted``: the ports (0: any) by the option that asks for them. Raises EnvironmentProblem where one cannot be had."""
    for option, ports in wanted.items():
        for port in ports:
            if why := _hindrance(port):
                raise EnvironmentProblem(f"Port {port} cannot be had: {why}. Choose another with {option}.")


def _hindrance(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((_HOST, port))
        except OverflowError:
            return "there is none above 65535"
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            return "another program uses it, perhaps another `penstock up`" if in_use else error.strerror
    return None


def lock(data: Path) -> TextIO:
    """Keeps the directory to this process for as long as the file stays open. Raises EnvironmentProblem."""
    holder = (data / "up.lock").open("a+")
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder.seek(0)
        pid = holder.read().strip()
        holder.close()
        raise EnvironmentProblem(
            f"{data} is in use by another `penstock up` (pid {pid}). Stop that, or choose another directory with --data."
        ) from None
    holder.truncate(0)
    holder.write(str(os.getpid()))
    holder.flush()
    return holder


def say(line: str) -> None:
    """One line for the user."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(data: Path, kafka_port: int, connect_port: int, workers: int) -> int:
    """Runs until Ctrl-C, SIGTERM or SIGHUP. Returns the exit code: 3 for surroundings that do not allow it."""
    started = time.monotonic()
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    connect_ports = [connect_port + number if connect_port else 0 for number in range(workers)]
    data = data.absolute()
    try:
        check_ports({"--kafka-port": [kafka_port], "--connect-port": connect_ports})
        kafka_port, *connect_ports = free_ports([kafka_port, *connect_ports])
        cluster = LocalCluster(data, kafka_port, tuple(connect_ports))
        data.mkdir(parents=True, exist_ok=True)
        held = lock(data)
        supervisor = Supervisor(cluster.roles(), log_dir=data / "logs", say=say)
        supervisor.start()
    except OSError as error:
        print(f"{data} cannot be written: {error.strerror}. Choose another directory with --data.", file=sys.stderr)  # noqa: T201
        return ENVIRONMENT_EXIT_CODE
    except EnvironmentProblem as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the user at the terminal
        return ENVIRONMENT_EXIT_CODE
    say(welcome(cluster, time.monotonic() - started))
    stop.wait()
    say("Stopping ...")
    supervisor.stop()
    held.close()
    say(f"Stopped. Everything is kept in {data}; `penstock up` goes on from there.")
    return 0


def welcome(cluster: LocalCluster, seconds: float) -> str:
    """What runs where, and what to try first."""
    rest = cluster.urls[0]
    return f"""\
Ready in {seconds:.1f} s.

  Log (Kafka protocol)   {cluster.bootstrap_servers}
  Connect REST           {"  ".join(cluster.urls)}
  Data, logs, settings   {cluster.data}

Try:
  curl {rest}/connector-plugins
  curl {rest}/connectors
  kcat -b {cluster.bootstrap_servers} -L

Ctrl-C stops it all; the data stays."""
