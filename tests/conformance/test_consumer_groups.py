"""Consumer groups of librdkafka: members that come, go and die, and offsets that outlive the broker's process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.fix_log import AnyLog

PARTITIONS = 6


class Member:
    """A consumer on a thread; ``owned`` follows its assignment."""

    def __init__(self, log: AnyLog, **config: Any) -> None:
        self.topic = log.topic
        self.owned: set[int] = set()
        self.seen: Counter[bytes] = Counter()
        self.assignments = 0
        self.consumer = Consumer(
            {
                "bootstrap.servers": log.bootstrap,
                "group.id": log.group,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": log.shortest_session_ms,
                "heartbeat.interval.ms": 100,
                "fetch.wait.max.ms": 50,
                **config,
            }
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        while not self._stop.is_set():
            message = self.consumer.poll(0.05)
            if message is not None and not message.error():
                self.seen[message.value()] += 1

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.assignments += 1
        self.owned |= {one.partition for one in partitions}
        consumer.incremental_assign(partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.owned -= {one.partition for one in partitions}
        consumer.incremental_unassign(partitions)

    def leave(self) -> None:
        """A clean goodbye."""
        self.vanish()
        self.consumer.close()

    def vanish(self) -> None:
        """Stop polling; heartbeats go on until max.poll.interval.ms."""
        self._stop.set()
        self._thread.join()


@pytest.fixture
def topic(any_log: AnyLog) -> str:
    client = AdminClient({"bootstrap.servers": any_log.bootstrap})
    client.create_topics([NewTopic(any_log.topic, PARTITIONS)])[any_log.topic].result(20)
    return any_log.topic


@pytest.fixture
def members(any_log: AnyLog, topic: str) -> Iterator[Any]:
    started: list[Member] = []

    def join(**config: Any) -> Member:
        started.append(Member(any_log, **config))
        return started[-1]

    yield join
    for member in started:
        member.leave()


def wait_shared(members: list[Member], timeout_seconds: float = 30) -> None:
    """Until every partition has one owner and nobody has more than a fair share."""
    deadline = time.monotonic() + timeout_seconds
    fair = -(-PARTITIONS // len(members))
    while True:
        owned = [set(member.owned) for member in members]
        shared = set().union(*owned) == set(range(PARTITIONS)) and sum(map(len, owned)) == PARTITIONS
        if shared and max(map(len, owned)) <= fair:
            return
        assert time.monotonic() < deadline, owned
        time.sleep(0.02)


def produce(log: AnyLog, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 2})
    for number, value in enumerate(values):
        producer.produce(log.topic, value, partition=number % PARTITIONS)
    assert producer.flush(20) == 0


def wait_seen(members: list[Member], values: list[bytes], timeout_seconds: float = 20) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not set(values) <= set().union(*(member.seen for member in members)):
        assert time.monotonic() < deadline, "not everything arrived"
        time.sleep(0.02)


def wait_committed(log: AnyLog, offset: int, timeout_seconds: float = 10) -> None:
    """Until the group's offset of every partition is this one."""
    client = AdminClient({"bootstrap.servers": log.bootstrap})
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = (
            client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(log.group)])[log.group].result(20).topic_partitions
        )
        if {one.partition: one.offset for one in found} == dict.fromkeys(range(PARTITIONS), offset):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_members_share_join_and_leave_without_stopping_the_rest(any_log: AnyLog, members: Any) -> None:
    first = members()
    wait_shared([first])
    kept = set(first.owned)
    second, third = members(), members()
    wait_shared([first, second, third])
    assert first.owned < kept, "a cooperative member keeps what it is left with"
    third.leave()
    wait_shared([first, second])
    values = [b"%d" % n for n in range(300)]
    produce(any_log, values)
    wait_seen([first, second], values)
    assert sum(first.seen.values()) + sum(second.seen.values()) == len(values)


def test_a_static_member_comes_back_unnoticed(members: Any) -> None:
    def static(number: int) -> Member:
        return members(**{"group.instance.id": f"static-{number}"})

    both = [static(1), static(2)]
    wait_shared(both)
    before = [set(member.owned) for member in both]
    again = both[0].assignments
    both[1].leave()
    back = static(2)
    wait_shared([both[0], back])
    assert back.owned == before[1], "a static member finds its partitions again"
    assert both[0].assignments == again, "and nobody else is disturbed"


def test_a_member_that_dies_is_expelled_and_its_partitions_move(any_log: AnyLog, members: Any) -> None:
    first = members()
    wait_shared([first])
    dying = members(**{"max.poll.interval.ms": any_log.shortest_session_ms})
    wait_shared([first, dying])
    dying.vanish()
    wait_shared([first], timeout_seconds=30)


@pytest.mark.parametrize("any_log", ["ours"], indirect=True)
def test_offsets_outlive_a_kill_of_the_broker_and_members_go_on(any_log: AnyLog, members: Any) -> None:
    member = members(**{"auto.commit.interval.ms": 100})
    wait_shared([member])
    early = [b"early %d" % n for n in range(60)]
    produce(any_log, early)
    wait_seen([member], early)
    wait_committed(any_log, 10)
    any_log.server.restart()
    late = [b"late %d" % n for n in range(60)]
    produce(any_log, late)
    wait_seen([member], late)
    member.leave()
    wait_committed(any_log, 20)
    any_log.server.restart()
    wait_committed(any_log, 20)
    fresh = members()
    wait_shared([fresh])
    final = [b"final %d" % n for n in range(12)]
    produce(any_log, final)
    wait_seen([fresh], final)
    assert set(fresh.seen) == set(final), "what was committed is not read again"
