"""librdkafka, as everybody's Python code uses it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from tests.fix_log import LogProcess


@pytest.fixture
def client(log: LogProcess) -> AdminClient:
    return AdminClient({"bootstrap.servers": log.bootstrap})


def done(futures: dict[Any, Any]) -> dict[Any, Any]:
    return {key: future.result(20) for key, future in futures.items()}


def produce(log: LogProcess, topic: str, values: list[bytes], **config: Any) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 5, **config})
    failures: list[KafkaError] = []
    for number, value in enumerate(values):
        producer.produce(topic, value, key=b"%d" % number, on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    assert producer.flush(20) == 0
    assert not failures


def read(log: LogProcess, topic: str, count: int, **config: Any) -> list[Any]:
    """``count`` messages from the start, in the order they came."""
    settings = {"bootstrap.servers": log.bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "check.crcs": True, "fetch.queue.backoff.ms": 5, **config})
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
def test_what_is_produced_is_consumed(log: LogProcess, codec: str, idempotent: bool) -> None:
    values = [b"value %d " % n * 20 for n in range(500)]
    produce(log, "t", values, **{"compression.type": codec, "enable.idempotence": idempotent})
    messages = read(log, "t", len(values))
    assert [message.value() for message in messages] == values
    assert [message.offset() for message in messages] == list(range(500))
    assert messages[7].key() == b"7"


def test_headers_timestamps_nulls_and_large_values(log: LogProcess) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap})
    producer.produce("t", b"v", timestamp=1_600_000_000_123, headers=[("a", b"1"), ("b", None)])
    producer.produce("t", None, key=b"tombstone")
    producer.produce("t", b"x" * 900_000)
    assert producer.flush(20) == 0
    first, second, third = read(log, "t", 3)
    assert (first.timestamp()[1], first.headers()) == (1_600_000_000_123, [("a", b"1"), ("b", None)])
    assert (second.key(), second.value()) == (b"tombstone", None)
    assert len(third.value()) == 900_000


def test_a_record_above_max_message_bytes_is_refused_and_the_next_accepted(log: LogProcess, client: AdminClient) -> None:
    done(client.create_topics([NewTopic("small", 1, config={"max.message.bytes": "1000"})]))
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 0})
    outcomes: list[Any] = []
    for value in (b"x" * 2000, b"fits"):
        producer.produce("small", value, on_delivery=lambda error, _: outcomes.append(error))
        producer.flush(20)
    assert outcomes[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert outcomes[1] is None


def test_topics_are_created_described_grown_and_deleted(log: LogProcess, client: AdminClient) -> None:
    done(client.create_topics([NewTopic("a", 3, 3, config={"cleanup.policy": "compact"}), NewTopic("b", 1, 1)]))
    found = client.list_topics(timeout=10).topics
    assert {"a", "b"} <= set(found)
    assert len(found["a"].partitions) == 3
    assert "one copy" in log.errors.read_text()
    done(client.create_partitions([NewPartitions("b", 4)]))
    assert len(client.list_topics("b", timeout=10).topics["b"].partitions) == 4
    (configs,) = done(client.describe_configs([ConfigResource(ResourceType.TOPIC, "a")])).values()
    assert configs["cleanup.policy"].value == "compact"
    assert configs["cleanup.policy"].source == 1
    assert configs["retention.ms"].is_default
    done(client.delete_topics(["a"]))
    assert "a" not in client.list_topics(timeout=10).topics


@pytest.mark.parametrize(
    ("topic", "code", "text"),
    [
        (NewTopic("again", 1), KafkaError.TOPIC_ALREADY_EXISTS, "again"),
        (NewTopic("bad name", 1), KafkaError.TOPIC_EXCEPTION, "bad name"),
        (NewTopic("t", 1, config={"retention.mss": "1"}), KafkaError.INVALID_CONFIG, "retention.mss"),
        (NewTopic("t", 1, config={"retention.ms": "soon"}), KafkaError.INVALID_CONFIG, "soon"),
    ],
)
def test_a_topic_that_cannot_be_is_refused_with_the_reason(
    log: LogProcess, client: AdminClient, topic: NewTopic, code: int, text: str
) -> None:
    done(client.create_topics([NewTopic("again", 1)]))
    with pytest.raises(KafkaException) as refused:
        done(client.create_topics([topic]))
    assert refused.value.args[0].code() == code
    assert text in refused.value.args[0].str()


def test_a_topic_made_anew_is_another_topic(log: LogProcess, client: AdminClient) -> None:
    done(client.create_topics([NewTopic("t", 1)]))
    produce(log, "t", [b"old"])
    done(client.delete_topics(["t"]))
    done(client.create_topics([NewTopic("t", 1)]))
    produce(log, "t", [b"new"])
    assert [message.value() for message in read(log, "t", 1)] == [b"new"]


def test_a_topic_comes_to_be_by_producing_but_not_by_consuming(log: LogProcess, client: AdminClient) -> None:
    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g"})
    consumer.subscribe(["nowhere"])
    message = consumer.poll(5)
    consumer.close()
    assert message.error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert "nowhere" not in client.list_topics(timeout=10).topics


def test_offsets_by_time_and_at_the_ends(log: LogProcess, client: AdminClient) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap, "linger.ms": 0})
    for stamp in (1_000, 2_000, 3_000):
        producer.produce("t", b"v", timestamp=stamp)
        producer.flush(20)

    def offset(spec: OffsetSpec) -> int:
        return done(client.list_offsets({TopicPartition("t", 0): spec}))[TopicPartition("t", 0)].offset

    assert offset(OffsetSpec.earliest()) == 0
    assert offset(OffsetSpec.latest()) == 3
    assert offset(OffsetSpec.for_timestamp(1_500)) == 1
    assert offset(OffsetSpec.max_timestamp()) == 2
    assert offset(OffsetSpec.for_timestamp(9_999)) == -1


def test_deleted_records_are_gone(log: LogProcess, client: AdminClient) -> None:
    produce(log, "t", [b"%d" % n for n in range(10)], **{"linger.ms": 0})
    done(client.delete_records([TopicPartition("t", 0, 4)]))
    messages = read(log, "t", 6)
    assert messages[0].offset() == 4


def test_groups_are_listed_described_and_deleted(log: LogProcess, client: AdminClient) -> None:
    produce(log, "t", [b"v"] * 3)
    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["t"])
    take(consumer, 3)
    consumer.commit(asynchronous=False)
    group = done(client.describe_consumer_groups(["g"]))["g"]
    assert (group.state.name, len(group.members)) == ("STABLE", 1)
    assert group.members[0].assignment.topic_partitions == [TopicPartition("t", 0)]
    assert "g" in {one.group_id for one in client.list_consumer_groups().result(20).valid}
    with pytest.raises(KafkaException) as refused:
        done(client.delete_consumer_groups(["g"]))
    assert refused.value.args[0].code() == KafkaError.NON_EMPTY_GROUP
    consumer.close()
    offsets = done(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions("g")]))["g"]
    assert offsets.topic_partitions[0].offset == 3
    done(client.delete_consumer_groups(["g"]))
    assert "g" not in {one.group_id for one in client.list_consumer_groups().result(20).valid}


def test_a_transactional_producer_is_told_that_it_cannot(log: LogProcess) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap, "transactional.id": "x"})
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(20)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_the_cluster_describes_itself(log: LogProcess, client: AdminClient) -> None:
    cluster = client.describe_cluster().result(20)
    assert (cluster.controller.id, cluster.nodes[0].port) == (1, log.port)
    log.stop()
    log.restart()
    assert client.describe_cluster().result(20).cluster_id == cluster.cluster_id
    (configs,) = done(client.describe_configs([ConfigResource(ResourceType.BROKER, "1")])).values()
    assert configs["log.flush.policy"].value == "ack"
