"""Puts the demo together from the command's options, runs it, and says where the data is."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from connect.cli.local_cluster import LocalCluster, free_ports, say
from connect.demo.live import run_live
from connect.demo.object_store import StoreMissing, choose_store, relative_to_here
from connect.demo.once import run_once
from connect.demo.pipeline import DemoFailed
from connect.demo.postgres_server import PostgresMissing, PostgresServer, wheel_programs
from connect.demo.stage import Stage
from connect.service.errors import ENVIRONMENT_EXIT_CODE, EnvironmentProblem

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Once: what has been started is being stopped then, and that takes a moment."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    once: bool
    build_s3: bool
    s3_endpoint: str | None
    bucket: str
    data: Path
    rate: float
    workers: int
    kafka_port: int
    connect_port: int


def run(options: Options) -> int:
    """The exit code: 0, 1 where the check failed, 3 where the surroundings do not allow it."""
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        stage = prepare(options)
        code = run_once(stage) if options.once else run_live(stage, options.rate)
    except KeyboardInterrupt:
        say("Stopped before the end.")
        return 130
    except (PostgresMissing, StoreMissing, EnvironmentProblem, OSError) as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - for the user at the terminal
        return ENVIRONMENT_EXIT_CODE
    except DemoFailed as failure:
        print(failure, file=sys.stderr)  # noqa: T201
        return 1
    if not options.once:
        kept, rows = relative_to_here(options.data), relative_to_here(stage.postgres.data)
        say(f"Stopped. Data and logs are in {kept}; PostgreSQL's in {rows}.")
    return code


def prepare(options: Options) -> Stage:
    """Nothing runs yet, everything is decided."""
    programs = wheel_programs()
    data = options.data
    if data.exists() and any(data.iterdir()):
        raise EnvironmentProblem(
            f"{data} is not empty; the demo begins anew in a folder of its own. Choose another with --data."
        )
    data.mkdir(parents=True, exist_ok=True)
    store = choose_store(
        data / "objects", build=options.build_s3, endpoint=options.s3_endpoint, bucket=options.bucket, cache=_cache(), say=say
    )
    first = options.connect_port
    ports = [options.kafka_port, *(first + number if first else 0 for number in range(options.workers))]
    kafka_port, *connect_ports = free_ports(ports)
    cluster = LocalCluster(data, kafka_port, tuple(connect_ports))
    return Stage(
        data=data,
        postgres=PostgresServer(programs, data / "postgres"),
        store=store,
        roles=cluster.roles(),
        bootstrap_servers=cluster.bootstrap_servers,
        urls=cluster.urls,
        say=say,
    )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"
