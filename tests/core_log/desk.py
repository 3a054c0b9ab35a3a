"""A broker without sockets on a modelled disk, for tests that look at one step at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from core_log.broker import Broker
from core_log.clock import Clock
from core_log.handlers import api00_produce, api01_fetch
from core_log.handlers.registry import Call
from core_log.protocol import record_batch
from core_log.protocol.messages.api00_produce import PartitionProduceData, ProduceRequest, TopicProduceData
from core_log.protocol.messages.api01_fetch import FetchPartition, FetchRequest, FetchTopic
from core_log.protocol.record_batch import Record
from core_log.settings import BrokerSettings
from core_log.storage.memory_files import MemoryFiles


class Time(Clock):
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


class Desk:
    """A broker without sockets on a modelled disk, whose pool's posts are run by hand."""

    def __init__(self, **settings: Any) -> None:
        self.posted: deque[Callable[[], None]] = deque()
        self.answers: list[Any] = []
        self.files = MemoryFiles()
        self.files.make_directory("/data")
        self.files.sync_directory("")
        self.time = Time()
        self.broker = self.start(**settings)
        self.broker.create_topic("t", 2, {})
        self.log = self.broker.log("t", 0)

    def start(self, **settings: Any) -> Broker:
        return Broker(
            BrokerSettings(data="/data", **settings),
            self.files,
            "/data",
            cluster_id="c",
            clock=self.time,
            post=self.posted.append,
        )

    def call(self, version: int) -> Call:
        return Call(self.broker, version, "test", "127.0.0.1", ("127.0.0.1", 9), self.answers.append)

    def produce(self, acks: int = -1, partitions: tuple[int, ...] = (0,)) -> Any:
        batch = record_batch.encode([Record(None, b"v", 1)])
        topics = [TopicProduceData(name="t", partition_data=[PartitionProduceData(index=n, records=batch) for n in partitions])]
        return api00_produce.handle(ProduceRequest(acks=acks, timeout_ms=60_000, topic_data=topics), self.call(8))

    def fetch(self) -> Any:
        topics = [FetchTopic(topic="t", partitions=[FetchPartition(partition=0, fetch_offset=0, partition_max_bytes=1000)])]
        return api01_fetch.handle(FetchRequest(max_wait_ms=60_000, min_bytes=1, topics=topics), self.call(11))

    def run_posted(self) -> None:
        while self.posted:
            self.posted.popleft()()

    def outcome(self, number: int = -1) -> list[tuple[int, int]]:
        """(error code, base offset) of each partition in an answer."""
        (topic,) = self.answers[number].responses
        return [(one.error_code, one.base_offset) for one in topic.partition_responses]

    def wait(self, ms: int) -> None:
        self.time.ms += ms
        self.settle()

    def settle(self) -> None:
        """Let the syncs under way end."""
        self.broker.turn()
        for _ in range(1000):
            self.run_posted()
            if self.broker.idle:
                return
            time.sleep(0.005)
        raise AssertionError("a sync does not end")
