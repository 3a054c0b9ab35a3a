"""Everything the demo starts, and stops again in reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from connect.demo.object_store import DemoStore, relative_to_here
from connect.demo.pipeline import SINK, SOURCE, TOPIC, DemoFailed, Workers, sink_config, source_config
from connect.demo.postgres_server import PostgresServer
from connect.demo.workload import create_orders
from connect.service.supervisor import Role, Supervisor


@dataclass
class Stage:
    """A PostgreSQL, a log with workers, and a store. As a context: started inside, stopped when left."""

    data: Path
    postgres: PostgresServer
    store: DemoStore
    roles: Sequence[Role]
    """The log first, then the workers in the order of ``urls``."""
    bootstrap_servers: str
    urls: Sequence[str]
    say: Callable[[str], None]
    _open: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.workers = Workers(self.urls)
        self.supervisor = Supervisor(self.roles, log_dir=self.data / "logs", say=self.say)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def _start(self) -> None:
        begun = time.monotonic()
        self._open.callback(self.postgres.stop)
        self.postgres.start()
        self.say(f"PostgreSQL with wal_level=logical on {self.postgres.host}:{self.postgres.port}")
        self._open.callback(self.store.stop)
        self.store.start()
        self.say(f"Objects go to {self.store.description}{f' ({self.store.note})' if self.store.note else ''}")
        self._open.callback(self.supervisor.stop)
        self.supervisor.start()
        self.say(f"Log on {self.bootstrap_servers}, workers on {', '.join(self.urls)}")
        self.say(f"Data and logs in {relative_to_here(self.data)}")
        self.say(f"All up after {time.monotonic() - begun:.1f} s")

    def deploy(self, rows: int, *, flush_size: int, rotate_ms: int) -> None:
        """Fills the table and deploys both connectors."""
        create_orders(self.postgres.connect, rows)
        self.workers.deploy(SOURCE, source_config(self.postgres))
        self._wait_running(SOURCE)
        self.workers.deploy(SINK, sink_config(self.store, flush_size, rotate_ms))
        self._wait_running(SINK)
        self.say(f"public.orders ({rows} rows) flows into the topic {TOPIC} and on into objects")

    def _wait_running(self, name: str, timeout_seconds: float = 40) -> None:
        deadline = time.monotonic() + timeout_seconds
        while (states := self.workers.states(name)) != ["RUNNING"]:
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"{name} is not running after {timeout_seconds:g} s but {', '.join(states)}; see {self.data}/logs"
                )
            time.sleep(0.1)

    def pid_of_worker(self, worker_id: str) -> tuple[str, int]:
        """The name and process of the worker that REST calls ``host:port``."""
        number = [url.removeprefix("http://") for url in self.urls].index(worker_id)
        name = self.roles[1 + number].name
        return name, self.supervisor.pid(name)
