"""Topic configs by Kafka's names: one table, parsed values, errors that name the key.

Names, defaults and ranges: https://kafka.apache.org/documentation/#topicconfigs
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core_log.errors import BrokerError, ErrorCode

Kind = Literal["boolean", "double", "int", "list", "long", "string"]
Source = Literal["topic", "broker", "default"]


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One known config. ``broker_key`` is the broker-wide setting that gives topics their default; ``units`` are its coarser
    spellings (``log.retention.hours``) with their length in the key's own unit. ``choices`` limits strings and list
    elements.
    """

    name: str
    kind: Kind
    default: str
    broker_key: str
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    units: Mapping[str, int] = field(default_factory=dict)


_MAX_LONG = "9223372036854775807"
_KEYS = (
    ConfigKey(
        "cleanup.policy",
        "list",
        "delete",
        "log.cleanup.policy",
        "delete: retention removes old segments; compact: the latest record of each key is kept.",
        choices=("delete", "compact"),
    ),
    ConfigKey(
        "compression.type",
        "string",
        "producer",
        "compression.type",
        "Batches are stored as producers send them; other values are accepted and change nothing.",
        choices=("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"),
    ),
    ConfigKey(
        "delete.retention.ms",
        "long",
        "86400000",
        "log.cleaner.delete.retention.ms",
        "How long compaction keeps a tombstone after it could go.",
        minimum=0,
    ),
    ConfigKey(
        "file.delete.delay.ms",
        "long",
        "60000",
        "log.segment.delete.delay.ms",
        "Accepted; files are removed at once, open reads go on.",
        minimum=0,
    ),
    ConfigKey(
        "flush.messages",
        "long",
        _MAX_LONG,
        "log.flush.interval.messages",
        "Accepted; log.flush.policy decides when data is synced.",
        minimum=1,
    ),
    ConfigKey(
        "flush.ms",
        "long",
        _MAX_LONG,
        "log.flush.interval.ms",
        "Accepted; log.flush.policy decides when data is synced.",
        minimum=0,
    ),
    ConfigKey(
        "index.interval.bytes",
        "int",
        "4096",
        "log.index.interval.bytes",
        "Accepted; the index has an entry for every 4,096 bytes.",
        minimum=0,
    ),
    ConfigKey(
        "max.compaction.lag.ms",
        "long",
        _MAX_LONG,
        "log.cleaner.max.compaction.lag.ms",
        "A record is compacted at the latest after this long.",
        minimum=1,
    ),
    ConfigKey(
        "max.message.bytes", "int", "1048588", "message.max.bytes", "The largest record batch a producer may send.", minimum=0
    ),
    ConfigKey(
        "message.timestamp.after.max.ms",
        "long",
        "3600000",
        "log.message.timestamp.after.max.ms",
        "Accepted; timestamps in the future are not refused.",
        minimum=0,
    ),
    ConfigKey(
        "message.timestamp.before.max.ms",
        "long",
        _MAX_LONG,
        "log.message.timestamp.before.max.ms",
        "Accepted; timestamps in the past are not refused.",
        minimum=0,
    ),
    ConfigKey(
        "message.timestamp.type",
        "string",
        "CreateTime",
        "log.message.timestamp.type",
        "CreateTime: the producer's; LogAppendTime: the broker stamps each batch.",
        choices=("CreateTime", "LogAppendTime"),
    ),
    ConfigKey(
        "min.cleanable.dirty.ratio",
        "double",
        "0.5",
        "log.cleaner.min.cleanable.ratio",
        "Compaction starts when this share of the log is not compacted yet.",
        minimum=0,
        maximum=1,
    ),
    ConfigKey(
        "min.compaction.lag.ms",
        "long",
        "0",
        "log.cleaner.min.compaction.lag.ms",
        "A record is left alone by compaction for this long.",
        minimum=0,
    ),
    ConfigKey(
        "min.insync.replicas",
        "int",
        "1",
        "min.insync.replicas",
        "Accepted; one copy is kept, so that a higher number changes nothing.",
        minimum=1,
    ),
    ConfigKey("preallocate", "boolean", "false", "log.preallocate", "Accepted; segment files grow as they are written."),
    ConfigKey(
        "retention.bytes",
        "long",
        "-1",
        "log.retention.bytes",
        "Old segments go while a partition is larger than this; -1: no limit.",
        minimum=-1,
    ),
    ConfigKey(
        "retention.ms",
        "long",
        "604800000",
        "log.retention.ms",
        "Segments go when their latest record is older than this; -1: never.",
        minimum=-1,
        units={"log.retention.minutes": 60_000, "log.retention.hours": 3_600_000},
    ),
    ConfigKey("segment.bytes", "int", "1073741824", "log.segment.bytes", "A segment file is closed at this size.", minimum=14),
    ConfigKey(
        "segment.index.bytes",
        "int",
        "10485760",
        "log.index.size.max.bytes",
        "Accepted; indexes are as large as they must be.",
        4,
    ),
    ConfigKey(
        "segment.jitter.ms",
        "long",
        "0",
        "log.roll.jitter.ms",
        "Accepted; segments are closed exactly after segment.ms.",
        minimum=0,
        units={"log.roll.jitter.hours": 3_600_000},
    ),
    ConfigKey(
        "segment.ms",
        "long",
        "604800000",
        "log.roll.ms",
        "A segment file is closed at this age.",
        minimum=1,
        units={"log.roll.hours": 3_600_000},
    ),
    ConfigKey(
        "unclean.leader.election.enable",
        "boolean",
        "false",
        "unclean.leader.election.enable",
        "Accepted; there is one copy, so there is no election.",
    ),
)

TOPIC_CONFIGS: Mapping[str, ConfigKey] = {key.name: key for key in _KEYS}

_INT_LIMITS: Mapping[Kind, int] = {"int": 2**31 - 1, "long": 2**63 - 1}


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The effective values of one topic, as far as the log acts on them."""

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
    for name, value in configs.items():
        key = TOPIC_CONFIGS.get(name)
        if key is None:
            near = difflib.get_close_matches(name, TOPIC_CONFIGS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise BrokerError(ErrorCode.INVALID_CONFIG, f"unknown topic config {name}{hint}")
        fault = _fault(key, value)
        if fault:
            raise BrokerError(ErrorCode.INVALID_CONFIG, f"invalid value {value!r} for topic config {name}: {fault}")


def effective(configs: Mapping[str, str], broker: Mapping[str, str]) -> TopicConfig:
    """A topic's own configs over the broker-wide settings (``log.retention.ms``, ...) over Kafka's defaults.

    Raises BrokerError INVALID_CONFIG naming the key when a value is bad.
    """
    values = {name: value for name, (value, _) in described(configs, broker).items()}
    check(values)
    policies = _elements(values["cleanup.policy"])
    return TopicConfig(
        compact="compact" in policies,
        delete="delete" in policies,
        retention_ms=int(values["retention.ms"]),
        retention_bytes=int(values["retention.bytes"]),
        segment_bytes=int(values["segment.bytes"]),
        segment_ms=int(values["segment.ms"]),
        max_message_bytes=int(values["max.message.bytes"]),
        log_append_time=values["message.timestamp.type"] == "LogAppendTime",
    )


def described(configs: Mapping[str, str], broker: Mapping[str, str]) -> dict[str, tuple[str, Source]]:
    """Every known key with its effective value and where it comes from (DescribeConfigs)."""
    found: dict[str, tuple[str, Source]] = {}
    for name, key in TOPIC_CONFIGS.items():
        inherited = _from_broker(key, broker)
        if name in configs:
            found[name] = (configs[name], "topic")
        elif inherited is not None:
            found[name] = (inherited, "broker")
        else:
            found[name] = (key.default, "default")
    return found


def _from_broker(key: ConfigKey, broker: Mapping[str, str]) -> str | None:
    """The finest spelling wins, as in Kafka: ms over minutes over hours."""
    if key.broker_key in broker:
        return broker[key.broker_key]
    for name, length in key.units.items():
        if name in broker:
            number = _integer(broker[name])
            return broker[name] if number is None else str(number * length if number >= 0 else -1)
    return None


def _fault(key: ConfigKey, value: str) -> str | None:
    """What is wrong with the value, or None."""
    if key.kind == "boolean":
        return None if value.lower() in {"true", "false"} else "must be true or false"
    if key.kind in {"list", "string"}:
        elements = _elements(value) if key.kind == "list" else [value]
        bad = [element for element in elements if element not in key.choices]
        return f"must be {'some' if key.kind == 'list' else 'one'} of {', '.join(key.choices)}" if bad or not elements else None
    number = _number(value) if key.kind == "double" else _integer(value)
    if number is None:
        return "must be a number" if key.kind == "double" else "must be a whole number"
    maximum = _INT_LIMITS.get(key.kind, 0) if key.maximum is None else key.maximum
    if key.minimum is not None and number < key.minimum:
        return f"must be at least {key.minimum:g}"
    return f"must be at most {maximum:g}" if number > maximum else None


def _elements(value: str) -> list[str]:
    return [element.strip() for element in value.split(",") if element.strip()]


def _integer(value: str) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
