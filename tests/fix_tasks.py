"""Task processes as the herder starts them, on a broker, with their events collected."""

from __future__ import annotations

import json
import os
import queue
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connect.runtime.tasks.task import TaskEvent, TaskExited, TaskProgress, TaskSpec, TaskStateChanged
from connect.runtime.tasks.task_process import TaskProcess
from connect.service.settings import WorkerSettings

SAMPLES = "tests.connect.runtime.tasks.task_samples"


@dataclass
class Collected:
    """One task process and what it told."""

    spec: TaskSpec
    events: list[TaskEvent] = field(default_factory=list)
    _arriving: queue.Queue[TaskEvent] = field(default_factory=queue.Queue)

    def start(self) -> Collected:
        self.process = TaskProcess(self.spec, lambda _process, event: self._arriving.put(event))
        self.process.start()
        return self

    def wait_for(self, wanted: Callable[[TaskEvent], Any], timeout_seconds: float = 30) -> Any:
        """The first event, old or new, for which ``wanted`` is true."""
        for event in self.events:
            if wanted(event):
                return event
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                event = self._arriving.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"it never came; there were {self.events}") from None
            self.events.append(event)
            if wanted(event):
                return event

    def wait_state(self, state: str, timeout_seconds: float = 30) -> TaskStateChanged:
        found: TaskStateChanged = self.wait_for(
            lambda event: isinstance(event, TaskStateChanged) and event.state == state, timeout_seconds
        )
        return found

    def wait_records(self, at_least: int, timeout_seconds: float = 30) -> TaskProgress:
        found: TaskProgress = self.wait_for(
            lambda event: isinstance(event, TaskProgress) and event.records >= at_least, timeout_seconds
        )
        return found

    def wait_exit(self, timeout_seconds: float = 30) -> int:
        return int(self.wait_for(lambda event: isinstance(event, TaskExited), timeout_seconds).exit_code)

    def forget(self) -> None:
        """Waits for new events only from here on."""
        while not self._arriving.empty():
            self._arriving.get()
        self.events.clear()

    def stop(self, timeout_seconds: float = 30) -> int:
        self.process.stop()
        return self.wait_exit(timeout_seconds)


@dataclass
class TaskBench:
    """A broker, worker settings with names of their own, and the tasks started on them."""

    bootstrap: str
    folder: Path
    prefix: str = field(default_factory=lambda: f"tasks-{uuid.uuid4().hex[:8]}")
    flush_ms: int = 1000
    tasks: list[Collected] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = self.folder / "journal"
        self.journal.touch()
        self.create_topic(self.offset_topic, 3)

    @property
    def topic(self) -> str:
        return f"{self.prefix}-t"

    @property
    def offset_topic(self) -> str:
        return f"{self.prefix}-offsets"

    def settings(self, **more: str) -> WorkerSettings:
        return WorkerSettings.from_mapping(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": self.prefix,
                "config.storage.topic": f"{self.prefix}-configs",
                "offset.storage.topic": self.offset_topic,
                "status.storage.topic": f"{self.prefix}-status",
                "key.converter": f"{SAMPLES}:PlainJson",
                "value.converter": f"{SAMPLES}:PlainJson",
                "header.converter": f"{SAMPLES}:PlainJson",
                "offset.flush.interval.ms": str(self.flush_ms),
                **{key.replace("_", "."): value for key, value in more.items()},
            }
        )

    def source(self, partitions: int = 1, offsets: list[Any] | None = None, paused: bool = False, **config: str) -> Collected:
        parts = [{"part": number} for number in range(partitions)]
        full = {"connector.class": f"{SAMPLES}:CountingSource", "topic": self.topic, "partition.count": str(partitions)}
        return self._start("source", {**full, **_dotted(config)}, parts, offsets or [], paused)

    def sink(self, partitions: list[Any] | None = None, paused: bool = False, **config: str) -> Collected:
        full = {"connector.class": f"{SAMPLES}:JournalSink", "topics": self.topic}
        return self._start("sink", {**full, **_dotted(config)}, partitions or [[self.topic, 0]], [], paused)

    def _start(self, kind: Any, config: dict[str, str], partitions: list[Any], offsets: list[Any], paused: bool) -> Collected:
        config = {"name": self.prefix, "journal": str(self.journal), **config}
        spec = TaskSpec(self.prefix, 0, kind, config, partitions, offsets, 1, paused, self.settings())
        self.tasks.append(Collected(spec).start())
        return self.tasks[-1]

    def journaled(self, kind: str = "") -> list[list[Any]]:
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [line for line in lines if not kind or line[0] == kind]

    def create_topic(self, name: str, partitions: int = 1) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)

    def delete_topics(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        mine = [name for name in admin.list_topics(timeout=10).topics if name.startswith(self.prefix)]
        for future in admin.delete_topics(mine).values() if mine else ():
            future.result(30)

    def produce(self, values: list[bytes | None], topic: str = "", key: bytes | None = None) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for value in values:
            producer.produce(topic or self.topic, value, key)
        assert producer.flush(30) == 0

    def consume(self, topic: str = "") -> list[tuple[bytes | None, bytes | None]]:
        """All (key, value) pairs of a topic as it is now."""
        topic = topic or self.topic
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.prefix}-reader"})
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            ends = {
                number: consumer.get_watermark_offsets(KafkaPartition(topic, number), timeout=10)[1] for number in partitions
            }
            consumer.assign([KafkaPartition(topic, number, 0) for number in partitions])
            found: list[tuple[bytes | None, bytes | None]] = []
            while len(found) < sum(ends.values()):
                message = consumer.poll(10)
                assert message is not None, f"{len(found)} of {sum(ends.values())} came"
                assert message.error() is None, message.error()
                found.append((message.key(), message.value()))
            return found
        finally:
            consumer.close()

    def numbers(self, topic: str = "") -> list[int]:
        return [json.loads(value)["n"] for _, value in self.consume(topic) if value is not None]

    def stored_offsets(self) -> list[Any]:
        """The newest offset of each source partition, as the next task is given them."""
        newest = dict(self.consume(self.offset_topic))
        return [[json.loads(key)[1], json.loads(value)] for key, value in newest.items() if key and value]

    def committed(self, partition: int = 0) -> int:
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"connect-{self.prefix}"})
        try:
            return int(consumer.committed([KafkaPartition(self.topic, partition)], timeout=10)[0].offset)
        finally:
            consumer.close()


def _dotted(config: dict[str, str]) -> dict[str, str]:
    return {key.replace("_", "."): value for key, value in config.items()}


@pytest.fixture
def tasks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TaskBench]:
    """On the embedded log, or on any other broker: ``PENSTOCK_TEST_BOOTSTRAP=host:port``."""
    bootstrap = os.environ.get("PENSTOCK_TEST_BOOTSTRAP") or request.getfixturevalue("log").bootstrap
    bench = TaskBench(bootstrap, tmp_path)
    yield bench
    for task in bench.tasks:
        task.process.kill()
        task.wait_exit()
    bench.delete_topics()
