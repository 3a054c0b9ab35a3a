"""The clock does its work in a running broker: what is too old goes, what is compacted or the broker's own stays."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def test_old_segments_go_and_compacted_topics_stay(tmp_path: Path, start_log: Any) -> None:
    config = tmp_path / "broker.properties"
    config.write_text("log.retention.check.interval.ms=200\n")
    log = start_log(tmp_path / "log", config=str(config))
    limits = {"retention.ms": "1000", "segment.bytes": "1048576"}
    client = AdminClient({"bootstrap.servers": log.bootstrap})
    made = client.create_topics(
        [NewTopic("short", 1, config=limits), NewTopic("kept", 1, config={**limits, "cleanup.policy": "compact"})]
    )
    for future in made.values():
        future.result(10)
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 0})
    for number in range(6):
        for topic in ("short", "kept"):
            producer.produce(topic, b"x" * 500_000, key=b"%d" % number, timestamp=1_000_000)
        assert producer.flush(10) == 0
    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g"})
    deadline = time.monotonic() + 15
    while consumer.get_watermark_offsets(TopicPartition("short", 0), timeout=5)[0] == 0:
        assert time.monotonic() < deadline, "nothing was removed"
        time.sleep(0.05)
    assert consumer.get_watermark_offsets(TopicPartition("kept", 0), timeout=5) == (0, 6)
    consumer.close()
