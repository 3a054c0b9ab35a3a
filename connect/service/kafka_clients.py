"""The only place that makes Kafka clients: Java's settings in, librdkafka's clients out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from connect.api import ConfigError, ConfigProblem
from connect.service import client_logs
from connect.service.client_keys import IGNORED_FAMILIES, RULES, Ignored, Passed, Refused, Role
from connect.service.client_security import SECURITY_KEYS, translate_security
from connect.service.suggestions import did_you_mean

_CALLBACKS = {name: name for name in ("error_cb", "stats_cb", "throttle_cb", "on_commit")}
_ALWAYS: dict[str, Any] = {"log.connection.close": "false"}

DEFAULTS: Mapping[Role, Mapping[str, str]] = {
    "producer": {
        "partitioner": "murmur2_random",  # Java's: keys keep their partition, and compaction its meaning
        "enable.idempotence": "true",
        "max.in.flight.requests.per.connection": "5",
        "linger.ms": "5",
        "message.timeout.ms": "0",  # never give a record up
    },
    "consumer": {
        "check.crcs": "true",
        "enable.auto.commit": "false",
        "auto.offset.reset": "earliest",
        # With full queues librdkafka's fetcher sleeps this long; its default of a second costs 6/7 of the throughput.
        "fetch.queue.backoff.ms": "5",
    },
    "admin": {},
}


class ClientSettings(Protocol):
    """What is asked of the worker's settings."""

    @property
    def group_id(self) -> str:
        """Names the clients."""

    def client(self, role: Role, *, internal: bool = False) -> Mapping[str, str]:
        """Java keys for this kind of client."""


@dataclass(frozen=True, slots=True)
class Translated:
    """``config`` for librdkafka, without the defaults above; ``notes`` say what has no effect."""

    config: dict[str, str]
    notes: tuple[str, ...] = ()


def problems_and_translation(role: Role, java: Mapping[str, str]) -> tuple[list[ConfigProblem], Translated]:
    """Everything that is wrong with the settings, and what they come to as far as they are right."""
    problems: list[ConfigProblem] = []
    notes: list[str] = []
    config: dict[str, str] = {}
    for key, value in java.items():
        rule = RULES[role].get(key)
        if isinstance(rule, Passed):
            try:
                config[rule.name or key] = rule.convert(value)
            except ValueError as error:
                problems.append(ConfigProblem(key, f"{key}: {error}."))
        elif isinstance(rule, Ignored):
            if rule.because and value.strip() not in rule.silent:
                notes.append(f"{key} has no effect: {rule.because}.")
        elif isinstance(rule, Refused):
            if value.strip() not in rule.accepted:
                problems.append(ConfigProblem(key, f"{key}={value} cannot be served: {rule.because}.", rule.remedy))
        elif key not in SECURITY_KEYS and not key.startswith(IGNORED_FAMILIES):
            known = (*RULES[role], *SECURITY_KEYS)
            problems.append(ConfigProblem(key, f"{key} is no setting of Kafka's {role}.", did_you_mean(key, known)))
    security = translate_security(java)
    config.update(security.config)
    if role == "producer":
        notes += _reconcile_idempotence(config)
    return [*problems, *security.problems], Translated(config, tuple(notes))


def translate(role: Role, java: Mapping[str, str]) -> Translated:
    """Java's settings as librdkafka's. Raises ConfigError with every problem, and what to do about each."""
    problems, translated = problems_and_translation(role, java)
    if problems:
        raise ConfigError("\n".join(str(problem) for problem in problems), problems[0].key)
    return translated


def _reconcile_idempotence(config: dict[str, str]) -> list[str]:
    """Idempotence needs acks=all and at most five requests in flight. Java gives it up where a setting says otherwise."""
    if config.get("acks", "all") != "all" and config.get("enable.idempotence") != "true":
        config["enable.idempotence"] = "false"
    if config.get("enable.idempotence") == "false":
        return []
    notes = []
    if config.pop("acks", "all") != "all":
        notes.append("acks is taken as all: enable.idempotence=true needs it.")
    if int(config.get("max.in.flight.requests.per.connection", "5")) > 5:
        config["max.in.flight.requests.per.connection"] = "5"
        notes.append("max.in.flight.requests.per.connection is taken as 5: more could reorder records.")
    return notes


INTERNAL: Final[Mapping[str, str]] = MappingProxyType({})
"""As ``overrides``: a client for the internal topics and the group, which takes the unprefixed keys only."""


def _configuration(
    role: Role, settings: ClientSettings, overrides: Mapping[str, str] | None, librdkafka: Mapping[str, Any]
) -> dict[str, Any]:
    java = {**settings.client(role, internal=overrides is INTERNAL), **(overrides or {})}
    direct = {_CALLBACKS.get(key) or key.replace("_", "."): value for key, value in librdkafka.items()}
    config = {**_ALWAYS, **DEFAULTS[role], **translate(role, java).config, **direct}
    config.setdefault("client.id", f"{settings.group_id}-{role}")
    return config


def producer(settings: ClientSettings, overrides: Mapping[str, str] | None = None, **librdkafka: Any) -> Producer:
    """An idempotent producer that never gives a record up.

    ``overrides`` are a connector's Java keys (``producer.override.`` taken off). ``librdkafka`` are that library's own
    keys, a ``_`` for each dot, and win over everything; ``error_cb`` and its like keep their names.
    """
    config = _configuration("producer", settings, overrides, librdkafka)
    return Producer({**config, "logger": client_logs.logger})


def consumer(
    settings: ClientSettings, group_id: str, overrides: Mapping[str, str] | None = None, **librdkafka: Any
) -> Consumer:
    """A consumer that commits only when told. Read with ``poll(t)``, then ``consume(n - 1, 0)``: consume(n, t) waits out t."""
    config = _configuration("consumer", settings, overrides, librdkafka)
    return Consumer({**config, "group.id": group_id, "logger": client_logs.logger})


def admin(settings: ClientSettings, overrides: Mapping[str, str] | None = None, **librdkafka: Any) -> AdminClient:
    """A client for topics and groups."""
    config = _configuration("admin", settings, overrides, librdkafka)
    return AdminClient(config, logger=client_logs.logger)
