import pytest
from confluent_kafka import Consumer, Producer

from connect.api import ConfigError
from connect.service.client_keys import RULES, Ignored, Passed
from connect.service.kafka_clients import DEFAULTS, translate

# A value for each kind of key that Java's clients accept; librdkafka has to accept what it becomes.
JAVA_VALUES = {
    "bootstrap.servers": "localhost:9092,other:9093",
    "client.dns.lookup": "use_all_dns_ips",
    "metadata.recovery.strategy": "rebootstrap",
    "enable.metrics.push": "true",
    "connections.max.idle.ms": "-1",
    "receive.buffer.bytes": "-1",
    "send.buffer.bytes": "131072",
    "acks": "-1",
    "batch.size": "0",
    "compression.type": "zstd",
    "enable.idempotence": "true",
    "max.in.flight.requests.per.connection": "5",
    "auto.offset.reset": "none",
    "isolation.level": "read_uncommitted",
    "check.crcs": "false",
    "allow.auto.create.topics": "false",
    "client.id": "a b",
    "client.rack": "r1",
    "fetch.max.wait.ms": "500",
    "max.request.size": "20971520",
    "fetch.max.bytes": "52428800",
    "max.partition.fetch.bytes": "10485760",
}


@pytest.mark.parametrize(
    ("role", "key"), [(role, key) for role, rules in RULES.items() for key, rule in rules.items() if isinstance(rule, Passed)]
)
def test_librdkafka_takes_every_key_that_is_passed(role, key):
    config = dict(DEFAULTS[role]) | translate(role, {key: JAVA_VALUES.get(key, "2000")}).config
    if role == "consumer":
        Consumer(config | {"group.id": "g"}).close()
    else:
        Producer(config)


@pytest.mark.parametrize("role", ["producer", "consumer", "admin"])
def test_librdkafka_takes_all_keys_together(role):
    java = {key: JAVA_VALUES.get(key, "2000") for key, rule in RULES[role].items() if isinstance(rule, Passed | Ignored)}
    config = dict(DEFAULTS[role]) | translate(role, java).config
    if role == "consumer":
        Consumer(config | {"group.id": "g"}).close()
    else:
        Producer(config)


def test_names_and_units_are_converted():
    config = translate("producer", {"buffer.memory": "33554433", "max.request.size": "5", "acks": "-1"}).config
    assert config == {"queue.buffering.max.kbytes": "32769", "message.max.bytes": "1000"}


def test_acks_one_gives_idempotence_up_unless_it_is_asked_for():
    assert translate("producer", {"acks": "1"}).config == {"acks": "1", "enable.idempotence": "false"}
    both = translate("producer", {"acks": "1", "enable.idempotence": "true"})
    assert both.config == {"enable.idempotence": "true"}
    assert "acks is taken as all" in both.notes[0]


def test_more_in_flight_than_idempotence_allows_is_capped_and_said():
    translated = translate("producer", {"max.in.flight.requests.per.connection": "20"})
    assert translated.config["max.in.flight.requests.per.connection"] == "5"
    assert translated.notes


def test_keys_of_the_jvm_are_ignored_with_a_line_each():
    java = {
        "key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
        "delivery.timeout.ms": "120000",
        "interceptor.classes": "io.confluent.Monitoring",
        "metrics.num.samples": "3",
    }
    translated = translate("producer", java)
    assert translated.config == {}
    assert [note.split()[0] for note in translated.notes] == ["key.serializer", "delivery.timeout.ms", "interceptor.classes"]


def test_every_problem_is_reported_at_once_with_a_remedy():
    java = {
        "partitioner.class": "org.apache.kafka.clients.producer.RoundRobinPartitioner",
        "compresion.type": "lz4",
        "linger.ms": "soon",
        "transactional.id": "x",
    }
    with pytest.raises(ConfigError) as caught:
        translate("producer", java)
    partitioner, typo, number, transaction = str(caught.value).splitlines()
    assert partitioner.endswith("Remove it, or have a transform or the source choose the partition.")
    assert typo == "compresion.type is no setting of Kafka's producer. Did you mean 'compression.type'?"
    assert number == "linger.ms: 'soon' is not a whole number."
    assert transaction == "transactional.id=x cannot be served: the runtime names transactions itself. Remove it."


def test_the_default_partitioner_may_be_named():
    java = {"partitioner.class": "org.apache.kafka.clients.producer.internals.DefaultPartitioner"}
    assert translate("producer", java) == translate("producer", {})


def test_keys_go_to_the_partition_java_gives_them():
    assert DEFAULTS["producer"]["partitioner"] == "murmur2_random"
