"""librdkafka, as everybody's Python code uses it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from tests.fix_log import AnyLog


@pytest.fixture
def client(any_log: AnyLog) -> AdminClient:
    return AdminClient({"bootstrap.servers": any_log.bootstrap})


def done(futures: dict[Any, Any]) -> dict[Any, Any]:
    return {key: future.result(20) for key, future in futures.items()}


def produce(any_log: AnyLog, topic: str, values: list[bytes], **config: Any) -> None:
    producer = Producer({"bootstrap.servers": any_log.bootstrap, "linger.ms": 5, **config})
    failures: list[KafkaError] = []
    for number, value in enumerate(values):
        producer.produce(topic, value, key=b"%d" % number, on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    assert producer.flush(20) == 0
    assert not failures


def read(any_log: AnyLog, topic: str, count: int, **config: Any) -> list[Any]:
    """``count`` messages from the start, in the order they came."""
    settings = {"bootstrap.servers": any_log.bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "check.crcs": True, "fetch.queue.backoff.ms": 5, "fetch.wait.max.ms": 20, **config})
    consumer.subscribe([topic])
    try:
        return take(consumer, count)
    finally:
        consumer.close()


def take(consumer: Consumer, count: int, timeout_seconds: float = 20) -> list[Any]:
    messages: list[Any] = []
    until(lambda: messages.extend(consumer.consume(count, 0.05)) or len(messages) >= count, timeout_seconds)
    bad = [message.error() for message in messages if message.error()]
    assert not bad
    return messages


def until(condition: Callable[[], Any], timeout_seconds: float = 20) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [True, False])
def test_what_is_produced_is_consumed(any_log: AnyLog, codec: str, idempotent: bool) -> None:
    values = [b"value %d " % n * 20 for n in range(500)]
    produce(any_log, any_log.topic, values, **{"compression.type": codec, "enable.idempotence": idempotent})
    messages = read(any_log, any_log.topic, len(values))
    assert [message.value() for message in messages] == values
    assert [message.offset() for message in messages] == list(range(500))
    assert messages[7].key() == b"7"


def test_headers_timestamps_nulls_and_large_values(any_log: AnyLog) -> None:
    producer = Producer({"bootstrap.servers": any_log.bootstrap})
    producer.produce(any_log.topic, b"v", timestamp=1_600_000_000_123, headers=[("a", b"1"), ("b", None)])
    producer.produce(any_log.topic, None, key=b"tombstone")
    producer.produce(any_log.topic, b"x" * 900_000)
    assert producer.flush(20) == 0
    first, second, third = read(any_log, any_log.topic, 3)
    assert (first.timestamp()[1], first.headers()) == (1_600_000_000_123, [("a", b"1"), ("b", None)])
    assert (second.key(), second.value()) == (b"tombstone", None)
    assert len(third.value()) == 900_000


def test_a_record_above_max_message_bytes_is_refused_and_the_next_accepted(any_log: AnyLog, client: AdminClient) -> None:
    done(client.create_topics([NewTopic(any_log.topic, 1, config={"max.message.bytes": "1000"})]))
    producer = Producer({"bootstrap.servers": any_log.bootstrap, "linger.ms": 0})
    outcomes: list[Any] = []
    for value in (b"x" * 2000, b"fits"):
        producer.produce(any_log.topic, value, on_delivery=lambda error, _: outcomes.append(error))
        producer.flush(20)
    assert outcomes[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert outcomes[1] is None


def test_topics_are_created_described_grown_and_deleted(any_log: AnyLog, client: AdminClient) -> None:
    one, other = f"{any_log.topic}-one", f"{any_log.topic}-other"
    done(client.create_topics([NewTopic(one, 3, config={"cleanup.policy": "compact"}), NewTopic(other, 1)]))
    found = client.list_topics(timeout=10).topics
    assert {one, other} <= set(found)
    assert len(found[one].partitions) == 3
    done(client.create_partitions([NewPartitions(other, 4)]))
    until(lambda: len(client.list_topics(other, timeout=10).topics[other].partitions) == 4)
    (configs,) = done(client.describe_configs([ConfigResource(ResourceType.TOPIC, one)])).values()
    assert configs["cleanup.policy"].value == "compact"
    assert configs["cleanup.policy"].source == 1
    assert configs["retention.ms"].is_default
    done(client.delete_topics([one]))
    until(lambda: one not in client.list_topics(timeout=10).topics)


@pytest.mark.parametrize(
    ("name", "config", "code", "text"),
    [
        ("{}", {}, KafkaError.TOPIC_ALREADY_EXISTS, "exists"),
        ("bad name", {}, KafkaError.TOPIC_EXCEPTION, "bad name"),
        ("{}-2", {"retention.mss": "1"}, KafkaError.INVALID_CONFIG, "retention.mss"),
        ("{}-2", {"retention.ms": "soon"}, KafkaError.INVALID_CONFIG, "soon"),
    ],
)
def test_a_topic_that_cannot_be_is_refused_with_the_reason(
    any_log: AnyLog, client: AdminClient, name: str, config: dict[str, str], code: int, text: str
) -> None:
    done(client.create_topics([NewTopic(any_log.topic, 1)]))
    with pytest.raises(KafkaException) as refused:
        done(client.create_topics([NewTopic(name.format(any_log.topic), 1, config=config)]))
    assert refused.value.args[0].code() == code
    assert text in refused.value.args[0].str()


def test_a_topic_made_anew_is_another_topic(any_log: AnyLog, client: AdminClient) -> None:
    done(client.create_topics([NewTopic(any_log.topic, 1)]))
    produce(any_log, any_log.topic, [b"old"])
    done(client.delete_topics([any_log.topic]))
    done(client.create_topics([NewTopic(any_log.topic, 1)]))
    produce(any_log, any_log.topic, [b"new"])
    assert [message.value() for message in read(any_log, any_log.topic, 1)] == [b"new"]


def test_a_topic_comes_to_be_by_producing_but_not_by_consuming(any_log: AnyLog, client: AdminClient) -> None:
    consumer = Consumer({"bootstrap.servers": any_log.bootstrap, "group.id": any_log.group})
    consumer.subscribe([any_log.topic])
    message = consumer.poll(5)
    consumer.close()
    assert message.error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert any_log.topic not in client.list_topics(timeout=10).topics


def test_offsets_by_time_and_at_the_ends(any_log: AnyLog, client: AdminClient) -> None:
    producer = Producer({"bootstrap.servers": any_log.bootstrap, "linger.ms": 0})
    for stamp in (1_000, 2_000, 3_000):
        producer.produce(any_log.topic, b"v", timestamp=stamp)
        producer.flush(20)

    def offset(spec: OffsetSpec) -> int:
        return done(client.list_offsets({TopicPartition(any_log.topic, 0): spec}))[TopicPartition(any_log.topic, 0)].offset

    assert offset(OffsetSpec.earliest()) == 0
    assert offset(OffsetSpec.latest()) == 3
    assert offset(OffsetSpec.for_timestamp(1_500)) == 1
    assert offset(OffsetSpec.max_timestamp()) == 2
    assert offset(OffsetSpec.for_timestamp(9_999)) == -1


def test_deleted_records_are_gone(any_log: AnyLog, client: AdminClient) -> None:
    produce(any_log, any_log.topic, [b"%d" % n for n in range(10)], **{"linger.ms": 0})
    done(client.delete_records([TopicPartition(any_log.topic, 0, 4)]))
    messages = read(any_log, any_log.topic, 6)
    assert messages[0].offset() == 4


def test_groups_are_listed_described_and_deleted(any_log: AnyLog, client: AdminClient) -> None:
    produce(any_log, any_log.topic, [b"v"] * 3)
    consumer = Consumer({"bootstrap.servers": any_log.bootstrap, "group.id": any_log.group, "auto.offset.reset": "earliest"})
    consumer.subscribe([any_log.topic])
    take(consumer, 3)
    consumer.commit(asynchronous=False)
    group = done(client.describe_consumer_groups([any_log.group]))[any_log.group]
    assert (group.state.name, len(group.members)) == ("STABLE", 1)
    assert group.members[0].assignment.topic_partitions == [TopicPartition(any_log.topic, 0)]
    assert any_log.group in {one.group_id for one in client.list_consumer_groups().result(20).valid}
    with pytest.raises(KafkaException) as refused:
        done(client.delete_consumer_groups([any_log.group]))
    assert refused.value.args[0].code() == KafkaError.NON_EMPTY_GROUP
    consumer.close()
    offsets = done(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(any_log.group)]))[any_log.group]
    assert offsets.topic_partitions[0].offset == 3
    done(client.delete_consumer_groups([any_log.group]))
    assert any_log.group not in {one.group_id for one in client.list_consumer_groups().result(20).valid}
