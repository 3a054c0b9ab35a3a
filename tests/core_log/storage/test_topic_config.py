import pytest

from core_log.errors import BrokerError, ErrorCode
from core_log.storage.topic_config import TOPIC_CONFIGS, TopicConfig, check, described, effective


def test_defaults_are_kafkas():
    assert effective({}, {}) == TopicConfig()
    check({name: key.default for name, key in TOPIC_CONFIGS.items()})


def test_a_topics_own_values_stand_before_the_brokers_and_those_before_the_defaults():
    broker = {"log.retention.ms": "100", "message.max.bytes": "2000", "log.roll.hours": "2"}
    config = effective({"retention.ms": "50", "cleanup.policy": "compact,delete"}, broker)
    assert (config.retention_ms, config.max_message_bytes, config.segment_ms) == (50, 2000, 7_200_000)
    assert config.compact
    assert config.delete
    sources = described({"retention.ms": "50"}, broker)
    assert sources["retention.ms"] == ("50", "topic")
    assert sources["max.message.bytes"] == ("2000", "broker")
    assert sources["segment.ms"] == ("7200000", "broker")
    assert sources["retention.bytes"] == ("-1", "default")


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        ({"log.retention.hours": "1"}, 3_600_000),
        ({"log.retention.hours": "1", "log.retention.minutes": "1"}, 60_000),
        ({"log.retention.hours": "1", "log.retention.minutes": "1", "log.retention.ms": "7"}, 7),
        ({"log.retention.hours": "-1"}, -1),
    ],
)
def test_the_finest_spelling_of_a_time_wins(broker, expected):
    assert effective({}, broker).retention_ms == expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("retention.ms", "a week", "must be a whole number"),
        ("retention.ms", "-2", "at least -1"),
        ("segment.bytes", str(2**31), "at most"),
        ("cleanup.policy", "compress", "some of delete, compact"),
        ("cleanup.policy", "", "some of delete, compact"),
        ("message.timestamp.type", "createtime", "one of CreateTime, LogAppendTime"),
        ("min.cleanable.dirty.ratio", "1.5", "at most 1"),
        ("preallocate", "yes", "true or false"),
        ("cleanup.polici", "delete", "did you mean cleanup.policy?"),
        ("xyz", "1", "unknown topic config xyz"),
    ],
)
def test_a_wrong_config_is_named_with_its_value(name, value, says):
    with pytest.raises(BrokerError, match=name) as caught:
        check({name: value})
    assert caught.value.code is ErrorCode.INVALID_CONFIG
    assert says in caught.value.message
