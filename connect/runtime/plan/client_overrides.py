"""Which Kafka client settings a connector may override with ``producer.override.*`` and the like.

An allow-list of exact keys, in Kafka's own names: tuning and identity. Never what runs code (interceptors, serializers,
callback handlers), reads files (key stores), or sends the records to another cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from connect.api import ConfigProblem
from connect.service.client_keys import Role
from connect.service.kafka_clients import problems_and_translation
from connect.service.settings import WorkerSettings
from connect.service.suggestions import did_you_mean

ROLES: tuple[Role, ...] = get_args(Role)

ALL_ROLES = frozenset({
    "client.id", "connections.max.idle.ms", "metadata.max.age.ms", "receive.buffer.bytes", "reconnect.backoff.max.ms",
    "reconnect.backoff.ms", "request.timeout.ms", "retries", "retry.backoff.max.ms", "retry.backoff.ms", "send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms",
    "security.protocol", "sasl.mechanism", "sasl.jaas.config",
})  # fmt: skip
PER_ROLE: dict[Role, frozenset[str]] = {
    "producer": frozenset({
        "acks", "batch.size", "buffer.memory", "compression.gzip.level", "compression.lz4.level", "compression.type",
        "compression.zstd.level", "delivery.timeout.ms", "enable.idempotence", "linger.ms", "max.block.ms",
        "max.in.flight.requests.per.connection", "max.request.size",
    }),
    "consumer": frozenset({
        "auto.offset.reset", "check.crcs", "client.rack", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes",
        "heartbeat.interval.ms", "isolation.level", "max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records",
        "session.timeout.ms",
    }),
    "admin": frozenset(),
}  # fmt: skip


def split(overrides: Mapping[str, str], settings: WorkerSettings) -> tuple[dict[Role, dict[str, str]], list[ConfigProblem]]:
    """``{"producer.override.linger.ms": "5"}`` as ``{"producer": {"linger.ms": "5"}}``, and a problem per key not allowed."""
    roles: dict[Role, dict[str, str]] = {role: {} for role in ROLES}
    problems = []
    for key, value in overrides.items():
        role = next(role for role in ROLES if key.startswith(f"{role}."))
        setting = key.removeprefix(f"{role}.override.")
        allowed = _allowed(role, settings)
        if setting in allowed:
            roles[role][setting] = value
            continue
        hint = did_you_mean(setting, allowed)
        problems.append(
            ConfigProblem(
                key,
                f"{key} may not be overridden by a connector.",
                hint or f"Set {role}.{setting} in the worker's configuration if all connectors may have it.",
            )
        )
    for role, java in roles.items():
        wrong, _ = problems_and_translation(role, java)
        problems += [problem._replace(key=f"{role}.override.{problem.key}") for problem in wrong]
    return roles, problems


def _allowed(role: Role, settings: WorkerSettings) -> frozenset[str]:
    """What the worker's ``connector.client.config.override.policy`` leaves of the list."""
    safe = ALL_ROLES | PER_ROLE[role]
    match settings.override_policy:
        case "none":
            return frozenset()
        case "principal":
            return safe & {"security.protocol", "sasl.mechanism", "sasl.jaas.config"}
        case "allowlist":
            return safe & frozenset(settings.override_allowlist)
        case _:
            return safe
