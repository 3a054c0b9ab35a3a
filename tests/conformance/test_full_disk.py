"""A disk that fills up under a real producer: it is told to try again, and nothing is lost or doubled when there is room."""

from __future__ import annotations

import resource
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.fix_log import LogProcess


def test_a_producer_waits_out_a_full_disk(log: LogProcess) -> None:
    """No file may grow beyond 64 KiB for a while: the system's answer to a write is then the same as that of a full disk."""
    producer = Producer({"bootstrap.servers": log.bootstrap, "enable.idempotence": True, "linger.ms": 1})
    outcomes: list[object] = []
    resource.prlimit(log.pid, resource.RLIMIT_FSIZE, (65_536, resource.RLIM_INFINITY))
    for number in range(100):
        producer.produce("t", b"%03d" % number * 1_000, partition=0, on_delivery=lambda error, _: outcomes.append(error))
        producer.poll(0.005)
    deadline = time.monotonic() + 10
    while "a record was refused" not in log.errors.read_text():
        assert time.monotonic() < deadline
        producer.poll(0.05)
    assert len(outcomes) < 100
    resource.prlimit(log.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert producer.flush(20) == 0
    assert outcomes == [None] * 100
    assert len([line for line in log.errors.read_text().splitlines() if "a record was refused" in line]) == 1

    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g", "check.crcs": True})
    consumer.assign([TopicPartition("t", 0, 0)])
    values: list[bytes] = []
    while len(values) < 100 and time.monotonic() < deadline + 10:
        values += [message.value()[:3] for message in consumer.consume(100, 0.1)]
    consumer.close()
    assert values == [b"%03d" % number for number in range(100)]
