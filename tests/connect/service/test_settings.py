import pickle
from pathlib import Path

import pytest

from connect.api import ConfigError
from connect.service.settings import WorkerSettings
from connect.service.worker_keys import SERVED, UNSERVED

MINIMAL = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "connect-cluster",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "config.storage.topic": "connect-configs",
    "offset.storage.topic": "connect-offsets",
    "status.storage.topic": "connect-status",
}


def settings(**changes):
    return WorkerSettings.from_mapping(MINIMAL | {key.replace("_", "."): value for key, value in changes.items()})


def problems(raw):
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_mapping(raw)
    return str(caught.value).splitlines()


def test_a_file_of_kafka_connect_is_taken_as_it_is(tmp_path):
    file = tmp_path / "connect-distributed.properties"
    file.write_text(
        "# A comment\n"
        + "\n".join(f"{key}={value}" for key, value in MINIMAL.items())
        + "\nkey.converter.schemas.enable=true\nvalue.converter.schemas.enable=false\noffset.storage.replication.factor=1\n"
        "#offset.storage.partitions=25\nconfig.storage.replication.factor=1\nstatus.storage.replication.factor=1\n"
        "offset.flush.interval.ms=10000\nplugin.path=/usr/share/java,\\\n  /opt/plugins\nstatus.storage.min.insync.replicas=2\n"
    )
    loaded = WorkerSettings.load(file)
    assert loaded.converter_options["key"] == {"schemas.enable": "true"}
    assert loaded.converter_options["value"] == {"schemas.enable": "false"}
    assert (loaded.offset_flush_interval_ms, loaded.config_replication_factor, loaded.offset_partitions) == (10000, 1, 25)
    assert loaded.topic_options["status"] == {"min.insync.replicas": "2"}
    assert loaded.warnings == ("plugin.path has no effect: connectors are Python packages, found by their entry points.",)
    assert loaded.raw["plugin.path"] == "/usr/share/java,/opt/plugins"


def test_defaults_are_kafkas_where_nothing_else_is_named():
    defaults = settings()
    assert (defaults.offset_partitions, defaults.status_partitions, defaults.offset_replication_factor) == (25, 5, 3)
    assert (defaults.offset_flush_interval_ms, defaults.task_shutdown_graceful_timeout_ms) == (60000, 5000)
    assert (defaults.session_timeout_ms, defaults.heartbeat_interval_ms) == (6000, 500)
    assert defaults.listeners == ("http://127.0.0.1:8083",)
    assert (defaults.advertised_url, defaults.worker_id) == ("http://127.0.0.1:8083", "127.0.0.1:8083")
    assert defaults.warnings == ()


def test_settings_travel_to_other_processes():
    assert pickle.loads(pickle.dumps(settings())) == settings()


def test_every_key_of_the_table_can_be_given_its_default():
    raw = {key: value for key, value in SERVED.items() if value} | dict.fromkeys(UNSERVED, "") | MINIMAL
    WorkerSettings.from_mapping(raw)


def test_all_problems_are_reported_at_once():
    raw = MINIMAL | {
        "group.id": "",
        "offset.flush.intervall.ms": "1",
        "status.storage.partitions": "many",
        "config.providers": "file",
        "producer.ack": "all",
        "listeners": "https://:8443",
        "exactly.once.source.support": "enabled",
    }
    group, typo, providers, exactly_once, producer, listener, partitions = problems(raw)
    assert group.startswith("group.id is required. Add the line group.id=connect-cluster")
    assert typo == "offset.flush.intervall.ms is no setting of a worker. Did you mean 'offset.flush.interval.ms'?"
    assert providers.startswith("config.providers=file cannot be served: config providers are not supported yet.")
    assert exactly_once.endswith("Set exactly.once.source.support=disabled: delivery is then at least once.")
    assert producer == "producer.ack is no setting of Kafka's producer. Did you mean 'acks'?"
    assert listener.startswith("https://:8443: HTTPS is not supported yet.")
    assert partitions == "status.storage.partitions=many is wrong. Use a whole number from 1 up."


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.properties cannot be read: No such file"):
        WorkerSettings.load(tmp_path / "nothing.properties")


def test_connectors_clients_get_the_shared_and_the_prefixed_keys():
    made = WorkerSettings.from_mapping(
        MINIMAL | {"request.timeout.ms": "20000", "producer.compression.type": "lz4", "consumer.fetch.min.bytes": "2"}
    )
    base = {"bootstrap.servers": "localhost:9092", "request.timeout.ms": "20000"}
    assert made.client("producer") == base | {"compression.type": "lz4"}
    assert made.client("consumer") == base | {"fetch.min.bytes": "2"}
    assert made.client("producer", internal=True) == base


def test_the_members_session_is_no_client_setting():
    made = settings(session_timeout_ms="10000", heartbeat_interval_ms="3000")
    assert (made.session_timeout_ms, made.heartbeat_interval_ms) == (10000, 3000)
    assert made.client("consumer", internal=True) == {"bootstrap.servers": "localhost:9092"}
    assert made.warnings == ()


def test_a_client_problem_is_said_once_and_where():
    raw = MINIMAL | {"security.protocol": "SSL", "ssl.truststore.location": "/t.jks", "consumer.max.poll.recods": "1"}
    found = problems(raw)
    assert len(found) == 2
    assert found[0].startswith("/t.jks is a JKS trust store")
    assert found[1] == "consumer.max.poll.recods is no setting of Kafka's consumer. Did you mean 'max.poll.records'?"


@pytest.mark.parametrize("url", ["http://0.0.0.0:8083", "http://192.0.2.7:8083", "http://connect.example.org:8083"])
def test_an_open_listener_needs_the_line_that_says_so(url):
    (problem,) = problems(MINIMAL | {"listeners": url})
    assert "penstock.insecure=true" in problem
    assert settings(listeners=url, penstock_insecure="true").listeners == (url,)


def test_a_listener_without_a_host_is_loopback():
    assert settings(listeners="HTTP://:8084").listeners == ("http://127.0.0.1:8084",)


def test_loopback_is_not_advertised_beside_far_brokers():
    far = MINIMAL | {"bootstrap.servers": "kafka1:9092,kafka2:9092"}
    (problem,) = problems(far)
    assert "rest.advertised.host.name=" in problem
    made = WorkerSettings.from_mapping(far | {"rest.advertised.host.name": "worker7"})
    assert made.advertised_url == "http://worker7:8083"


def test_port_zero_takes_the_bound_port():
    made = settings(listeners="http://127.0.0.1:0").with_bound_port(4711)
    assert made.advertised_url == "http://127.0.0.1:4711"
    assert settings(rest_advertised_port="9").with_bound_port(4711).advertised_url == "http://127.0.0.1:9"


def test_override_policies_are_known_by_their_java_names():
    name = "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy"
    assert settings(connector_client_config_override_policy=name).override_policy == "none"


def test_the_file_that_users_copy_is_right():
    loaded = WorkerSettings.load(Path(__file__).parents[3] / "config" / "worker.properties")
    assert loaded.warnings == ()
    assert loaded.offset_flush_interval_ms == 10000
