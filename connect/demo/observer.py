"""Watches the pipeline from outside, with a consumer and a listing of its own."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connect.demo.object_store import DemoStore, StoredObject
from connect.demo.pipeline import SINK, SOURCE, TOPIC, DemoFailed, Workers


class Change(NamedTuple):
    """One record as it came out of the log. ``latency_ms``: from the commit in Postgres to our consumer."""

    op: str
    row: dict[str, Any]
    latency_ms: int
    offset: int


@dataclass
class Observation:
    """The pipeline as it is now."""

    changes: int = 0
    records: int = 0
    stored_through: int = 0
    """The offset that the sink has committed: everything before it is in objects."""
    objects: list[StoredObject] = field(default_factory=list)
    latest: deque[Change] = field(default_factory=lambda: deque(maxlen=8))
    latencies_ms: deque[int] = field(default_factory=lambda: deque(maxlen=200))
    states: dict[str, list[str]] = field(default_factory=dict)
    failure: str = ""
    samples: deque[tuple[float, int, int]] = field(default_factory=lambda: deque([(time.monotonic(), 0, 0)], maxlen=12))
    """(when, changes, records): the rates are taken over these."""

    def rates(self) -> tuple[float, float]:
        """Changes and records a second, over the last seconds."""
        first, last = self.samples[0], self.samples[-1]
        seconds = max(last[0] - first[0], 0.001)
        return (last[1] - first[1]) / seconds, (last[2] - first[2]) / seconds

    def median_latency_ms(self) -> int | None:
        ordered = sorted(self.latencies_ms)
        return ordered[len(ordered) // 2] if ordered else None


class Observer(threading.Thread):
    """Keeps :attr:`seen` up to date. ``changes`` tells how many the workload has made."""

    def __init__(self, bootstrap_servers: str, store: DemoStore, workers: Workers, changes: Callable[[], int]) -> None:
        super().__init__(name="observer", daemon=True)
        self.seen = Observation()
        self._servers = bootstrap_servers
        self._store = store
        self._workers = workers
        self._changes = changes
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)

    def run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"connect-{SINK}",  # only to ask what the sink has committed; it never joins
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        place = TopicPartition(TOPIC, 0, 0)
        consumer.assign([place])
        try:
            looked = 0.0
            while not self._stopping.is_set():
                self._take(consumer)
                if time.monotonic() - looked > 1:
                    looked = time.monotonic()
                    self._look(consumer, place)
        finally:
            consumer.close()

    def _take(self, consumer: Consumer) -> None:
        message = consumer.poll(0.2)
        if message is None or message.error() or message.value() is None:
            return
        change = json.loads(message.value() or b"")
        latency_ms = int(time.time() * 1000) - int(change["source"]["ts_ms"])
        if change["op"] != "r":
            self.seen.latencies_ms.append(latency_ms)
        self.seen.latest.append(Change(change["op"], change["after"] or change["before"], latency_ms, message.offset() or 0))

    def _look(self, consumer: Consumer, place: TopicPartition) -> None:
        seen = self.seen
        try:
            seen.records = consumer.get_watermark_offsets(place, timeout=2)[1]
            seen.stored_through = max(0, consumer.committed([place], timeout=2)[0].offset)
            seen.objects = self._store.list()
            seen.states = {name: self._workers.states(name) for name in (SOURCE, SINK)}
        except DemoFailed as failure:
            seen.failure = str(failure)
        except (KafkaException, OSError):
            return  # a part is being started again: the next look will see it
        seen.changes = self._changes()
        seen.samples.append((time.monotonic(), seen.changes, seen.records))
