"""Topic configs by Kafka's names: one table, parsed values, errors that name the key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["boolean", "double", "int", "list", "long", "string"]


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One known config: ``broker_key`` is the broker-wide setting that gives a topic its default."""

    name: str
    kind: Kind
    default: str
    broker_key: str
    doc: str


TOPIC_CONFIGS: Mapping[str, ConfigKey] = {}


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The effective values of one topic."""

    compact: bool = False
    delete: bool = True
    retention_ms: int = 604_800_000
    retention_bytes: int = -1
    segment_bytes: int = 1_073_741_824
    segment_ms: int = 604_800_000
    max_message_bytes: int = 1_048_588
    log_append_time: bool = False


def check(configs: Mapping[str, str]) -> None:
    """Raises BrokerError INVALID_CONFIG for the first key that is unknown or has a bad value, naming key and value."""
    raise NotImplementedError


def effective(configs: Mapping[str, str], broker: Mapping[str, str]) -> TopicConfig:
    """A topic's own configs over the broker-wide settings (``log.retention.ms``, ...) over Kafka's defaults."""
    raise NotImplementedError


def described(
    configs: Mapping[str, str], broker: Mapping[str, str]
) -> dict[str, tuple[str, Literal["topic", "broker", "default"]]]:
    """Every known key with its effective value and where it comes from (DescribeConfigs)."""
    raise NotImplementedError
