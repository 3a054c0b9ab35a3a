"""Durability as the broker orders it: who waits for a sync, and what happens when one fails."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core_log.broker import Broker
from core_log.clock import Clock
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers import api00_produce, api01_fetch
from core_log.handlers.registry import LATER, Call
from core_log.protocol import record_batch
from core_log.protocol.messages.api00_produce import PartitionProduceData, ProduceRequest, TopicProduceData
from core_log.protocol.messages.api01_fetch import FetchPartition, FetchRequest, FetchTopic
from core_log.protocol.record_batch import Record
from core_log.settings import BrokerSettings
from core_log.storage.files import RealFiles


class Desk:
    """A broker without sockets, whose pool's posts are run by hand."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.posted: deque[Callable[[], None]] = deque()
        self.answers: list[Any] = []
        self.broker = Broker(
            BrokerSettings(data=str(folder), **settings),
            RealFiles(),
            str(folder),
            cluster_id="c",
            clock=Clock(),
            post=self.posted.append,
        )
        self.broker.create_topic("t", 1, {})
        self.log = self.broker.log("t", 0)

    def call(self, version: int) -> Call:
        return Call(self.broker, version, "test", "127.0.0.1", ("127.0.0.1", 9), self.answers.append)

    def produce(self, acks: int = -1) -> Any:
        data = PartitionProduceData(index=0, records=record_batch.encode([Record(None, b"v", 1)]))
        topics = [TopicProduceData(name="t", partition_data=[data])]
        return api00_produce.handle(ProduceRequest(acks=acks, timeout_ms=60_000, topic_data=topics), self.call(8))

    def fetch(self) -> Any:
        topics = [FetchTopic(topic="t", partitions=[FetchPartition(partition=0, fetch_offset=0, partition_max_bytes=1000)])]
        return api01_fetch.handle(FetchRequest(max_wait_ms=60_000, min_bytes=1, topics=topics), self.call(11))

    def settle(self) -> None:
        """Let the syncs under way end."""
        self.broker.turn()
        for _ in range(1000):
            while self.posted:
                self.posted.popleft()()
            if self.broker.idle:
                return
            time.sleep(0.005)
        raise AssertionError("a sync does not end")


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path)
    yield made
    made.settle()
    made.broker.close(lambda: None)


def test_an_acks_all_produce_and_a_fetch_wait_for_the_sync(desk: Desk) -> None:
    assert desk.fetch() is LATER
    assert desk.produce() is LATER
    assert desk.produce() is LATER
    assert (desk.log.log_end_offset, desk.log.high_watermark) == (2, 0)
    assert not desk.answers
    desk.settle()
    assert desk.log.high_watermark == 2
    offsets = sorted(
        one.responses[0].partition_responses[0].base_offset for one in desk.answers if not hasattr(one, "session_id")
    )
    assert offsets == [0, 1]
    (fetched,) = [one for one in desk.answers if hasattr(one, "session_id")]
    assert fetched.responses[0].partitions[0].high_watermark == 2


def test_acks_1_does_not_wait_but_its_record_is_not_seen_before_the_sync(desk: Desk) -> None:
    assert desk.produce(acks=1).responses[0].partition_responses[0].base_offset == 0
    assert desk.log.high_watermark == 0
    desk.settle()
    assert desk.log.high_watermark == 1


def test_without_waiting_for_syncs_everything_is_answered_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, flush_policy="os")
    assert desk.fetch() is LATER
    assert desk.produce() is not LATER
    assert len(desk.answers) == 1
    desk.broker.close(lambda: None)


def test_after_a_failed_sync_the_partition_refuses_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_file: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("core_log.storage.files.RealFile.sync", fail)
        assert desk.produce() is LATER
        desk.settle()
    (answer,) = desk.answers
    assert answer.responses[0].partition_responses[0].error_code == ErrorCode.KAFKA_STORAGE_ERROR
    assert desk.log.high_watermark == 0
    assert desk.produce().responses[0].partition_responses[0].error_code == ErrorCode.KAFKA_STORAGE_ERROR
    assert "restart the broker" in caplog.text


def test_a_deleted_topic_answers_who_waits_on_it(desk: Desk) -> None:
    assert desk.fetch() is LATER
    desk.broker.delete_topic("t")
    (answer,) = desk.answers
    assert answer.responses[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    with pytest.raises(BrokerError):
        desk.broker.log("t", 0)
    desk.broker.create_topic("t", 1, {})


def test_a_topic_deleted_while_its_sync_is_under_way(desk: Desk) -> None:
    assert desk.produce() is LATER
    desk.broker.turn()
    desk.broker.delete_topic("t")
    desk.settle()
    assert len(desk.answers) == 1
    desk.broker.create_topic("t", 1, {})
    assert desk.broker.log("t", 0).log_end_offset == 0
