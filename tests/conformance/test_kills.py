"""kill -9 in the middle of a load: what was acknowledged is there, once, in order."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.fix_log import LogProcess


def test_no_acknowledged_record_is_lost_or_doubled_over_kills(log: LogProcess) -> None:
    producer = Producer(
        {"bootstrap.servers": log.bootstrap, "enable.idempotence": True, "linger.ms": 1, "retry.backoff.ms": 20}
    )
    acknowledged: list[int] = []
    failures: list[object] = []

    def delivered(error: object, message: object) -> None:
        if error:
            failures.append(error)
        else:
            acknowledged.append(int(message.value()))  # type: ignore[attr-defined]

    number = 0
    for _ in range(3):
        until = time.monotonic() + 0.7
        while time.monotonic() < until:
            producer.produce("t", b"%d" % number, partition=0, on_delivery=delivered)
            number += 1
            producer.poll(0.001)
        log.restart()
    assert producer.flush(30) == 0
    assert not failures
    assert len(acknowledged) == number

    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g", "check.crcs": True})
    consumer.assign([TopicPartition("t", 0, 0)])
    values: list[int] = []
    deadline = time.monotonic() + 30
    while len(values) < number and time.monotonic() < deadline:
        values += [int(message.value()) for message in consumer.consume(10_000, 0.1)]
    low, high = consumer.get_watermark_offsets(TopicPartition("t", 0))
    consumer.close()
    assert values == list(range(number))
    assert (low, high) == (0, number)


def test_a_clean_stop_loses_nothing_and_says_goodbye(log: LogProcess) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 0})
    producer.produce("t", b"v")
    assert producer.flush(20) == 0
    assert log.stop() == 0
    log.restart()
    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g"})
    assert consumer.get_watermark_offsets(TopicPartition("t", 0), timeout=10) == (0, 1)
    consumer.close()
