"""Where our log differs from Apache Kafka on purpose, as librdkafka sees it."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from tests.fix_log import LogProcess


@pytest.fixture
def client(log: LogProcess) -> AdminClient:
    return AdminClient({"bootstrap.servers": log.bootstrap})


def test_a_replication_factor_is_capped_and_said(log: LogProcess, client: AdminClient) -> None:
    client.create_topics([NewTopic("t", 1, 3)])["t"].result(20)
    assert len(client.list_topics("t", timeout=10).topics["t"].partitions[0].replicas) == 1
    assert "one copy" in log.errors.read_text()


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
    broker = ConfigResource(ResourceType.BROKER, "1")
    configs = client.describe_configs([broker])[broker].result(20)
    assert configs["log.flush.policy"].value == "ack"
