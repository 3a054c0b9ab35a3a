"""Several workers' herders on topics in memory and a clock that the test turns: the same decisions, no waiting, no luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from connect.api import RetriableError
from connect.runtime.herding.herder import Herder
from connect.runtime.herding.presence import SETTLE_SECONDS
from connect.runtime.herding.surroundings import Surroundings
from connect.runtime.plan.probe_child import Outline
from connect.runtime.requests import PutConnector, Request
from connect.runtime.tasks.task import TaskExited, TaskSpec, TaskStateChanged
from connect.service.membership import Members
from connect.service.settings import WorkerSettings


@dataclass
class MemoryTopic:
    """A log of records; tables that follow it see each record as soon as it is written."""

    records: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    tables: list[MemoryTable] = field(default_factory=list)
    away: bool = False

    def append(self, key: bytes, value: bytes | None) -> None:
        if self.away:
            raise RetriableError("The log is away.")
        self.records.append((key, value))
        for table in self.tables:
            table.apply(key, value)


@dataclass
class MemoryTable:
    topic: MemoryTopic
    on_change: Callable[[bytes, bytes | None], None]
    values: dict[bytes, bytes] = field(default_factory=dict)

    def start(self) -> None:
        for key, value in self.topic.records:
            self.apply(key, value)
        self.topic.tables.append(self)

    def stop(self) -> None:
        if self in self.topic.tables:
            self.topic.tables.remove(self)

    def apply(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
        self.on_change(key, value)

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def put(self, key: bytes, value: bytes | None, timeout_seconds: float) -> None:
        self.topic.append(key, value)

    def send(self, key: bytes, value: bytes | None) -> None:
        if not self.topic.away:
            self.topic.append(key, value)

    def refresh(self, timeout_seconds: float) -> None:
        if self.topic.away:
            raise RetriableError("The log is away.")


class FakeProcess:
    """A task process that runs as soon as it is started, and ends when asked (``obedient``) or killed."""

    def __init__(self, spec: TaskSpec, on_event: Callable[[Any, Any], None], everybody: list[FakeProcess]) -> None:
        self.spec, self.on_event, self.everybody = spec, on_event, everybody
        self.obedient, self.alive = True, False

    def start(self) -> None:
        self.alive = True
        self.everybody.append(self)
        self.on_event(self, TaskStateChanged("PAUSED" if self.spec.paused else "RUNNING"))

    def pause(self) -> None:
        self.on_event(self, TaskStateChanged("PAUSED"))

    def resume(self) -> None:
        self.on_event(self, TaskStateChanged("RUNNING"))

    def stop(self) -> None:
        if self.obedient:
            self.end(0)

    def kill(self) -> None:
        self.end(-9)

    def fail(self, trace: str) -> None:
        self.on_event(self, TaskStateChanged("FAILED", trace))
        self.end(1)

    def end(self, exit_code: int) -> None:
        if self.alive:
            self.alive = False
            self.on_event(self, TaskExited(exit_code))


class NoGroupOffsets:
    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return [({"kafka_topic": "t", "kafka_partition": 0}, {"kafka_offset": 5})]

    def forget(self, connector: str) -> None:
        self.forgotten.append(connector)


class Inline(Executor):
    """A pool that does what it is given there and then."""

    def __init__(self, _threads: int, _name: str) -> None:
        """Nothing to start."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_named: Any) -> Future[Any]:
        function(*arguments)
        return Future()


def worker_settings(port: int) -> WorkerSettings:
    keys = {
        "bootstrap.servers": "127.0.0.1:1",
        "group.id": "g",
        "listeners": f"http://127.0.0.1:{port}",
        "config.storage.topic": "configs",
        "offset.storage.topic": "offsets",
        "status.storage.topic": "status",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    }
    return WorkerSettings.from_mapping(keys)


class Cluster:
    """``outlines`` is asked for each connector; an exception in it is raised. ``processes`` are all there ever were."""

    def __init__(self, workers: int = 1) -> None:
        self.topics = {role: MemoryTopic() for role in ("config", "offset", "status")}
        self.now = 1000.0
        self.generation = 0
        self.processes: list[FakeProcess] = []
        self.log_topics: dict[str, int] = {}
        self.outlines: dict[str, Outline | Exception] = {}
        self.group_offsets = NoGroupOffsets()
        self.herders: dict[str, Herder] = {}
        for number in range(workers):
            self.add(number)
        self.gather()
        self.settle(seconds=SETTLE_SECONDS)

    def add(self, number: int) -> Herder:
        settings = worker_settings(8000 + number)
        herder = Herder(
            settings,
            Surroundings(
                make_table=lambda role, on_change: MemoryTable(self.topics[role], on_change),
                start_process=lambda spec, on_event: FakeProcess(spec, on_event, self.processes),
                find_outline=self.find_outline,
                list_topics=lambda: dict(self.log_topics),
                group_offsets=self.group_offsets,
                wake_in=lambda _seconds, _wake: None,
                clock=lambda: self.now,
                make_pool=Inline,
            ),
        )
        herder.open()
        self.herders[settings.advertised_url] = herder
        return herder

    def find_outline(self, config: Mapping[str, str]) -> Outline:
        found = self.outlines[config["name"]]
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def leader(self) -> Herder:
        return next(herder for herder in self.herders.values() if herder.view.is_leader)

    def gather(self) -> None:
        """A rebalance: the first worker in line leads."""
        if not self.herders:
            return
        self.generation += 1
        urls = tuple(self.herders)
        for url, herder in self.herders.items():
            herder.members_changed(Members(url == urls[0], urls[0], urls, self.generation))
        self.settle()

    def lose(self, url: str) -> None:
        """kill -9 of a worker and its tasks, and the group has noticed."""
        herder = self.herders.pop(url)
        for process in self.running():
            if process.spec.settings.advertised_url == url:
                process.alive = False
        for store in (herder.configs, herder.offset_store, herder.statuses):
            store.stop()
        self.gather()

    def settle(self, seconds: float = 0.0) -> None:
        """Time passes, and everybody does what there is to do."""
        self.now += seconds
        for _ in range(40):
            for herder in self.herders.values():
                herder.iterate()

    def submit(self, request: Request) -> Future[Any]:
        future = self.leader.submit(request)
        self.settle()
        return future

    def create(self, name: str, tasks: int = 1, **config: str) -> None:
        self.outlines.setdefault(name, source(tasks))
        self.submit(PutConnector(name, {"connector.class": "Some", **config})).result(0)

    def running(self, name: str | None = None) -> list[FakeProcess]:
        return [process for process in self.processes if process.alive and name in (None, process.spec.connector)]

    def states(self, name: str) -> list[str]:
        """Of the connector and its tasks."""
        status = self.leader.view.status(name)
        assert status is not None
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]


def source(tasks: int, version: str = "1.0") -> Outline:
    return Outline("source", version, tasks, tuple({"p": number} for number in range(tasks)), (), None)


def sink(tasks: int, *topics: str, regex: str | None = None) -> Outline:
    return Outline("sink", "1.0", tasks, (), topics, regex)
