"""A worker's settings: Kafka Connect's connect-distributed.properties as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from connect.api import ConfigError
from connect.service.client_keys import COMMON, RULES, Role
from connect.service.client_security import SECURITY_KEYS
from connect.service.java_properties import MalformedProperties, parse
from connect.service.listener_rules import advertised, listener_problems, with_host
from connect.service.worker_keys import CLIENT_PREFIXES, SERVED, TOPIC_PREFIXES
from connect.service.worker_rules import Reader, family_problems, key_problems

ConverterRole = Literal["key", "value", "header"]
StorageRole = Literal["config", "offset", "status"]


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Immutable and picklable: task processes get the same object. Times in ms, as the keys have them."""

    bootstrap_servers: str
    group_id: str
    config_topic: str
    offset_topic: str
    status_topic: str
    config_replication_factor: int
    offset_replication_factor: int
    status_replication_factor: int
    offset_partitions: int
    status_partitions: int
    key_converter: str
    value_converter: str
    header_converter: str
    converter_options: Mapping[ConverterRole, Mapping[str, str]]
    """Options of the worker's converters, prefixes taken off: ``{"key": {"schemas.enable": "false"}, ...}``."""
    topic_options: Mapping[StorageRole, Mapping[str, str]]
    """Topic configs for internal topics that have to be created."""
    listeners: tuple[str, ...]
    """URLs with a host and a port; port 0 takes a free one."""
    advertised_host: str
    advertised_port: int
    offset_flush_interval_ms: int
    task_shutdown_graceful_timeout_ms: int
    session_timeout_ms: int
    heartbeat_interval_ms: int
    rebalance_timeout_ms: int
    override_policy: str
    """Which client settings a connector may override: all, none, principal, allowlist."""
    override_allowlist: tuple[str, ...]
    topic_creation_enable: bool
    takeover: Literal["refuse", "wait"]
    """What to do when JVM workers hold the group."""
    raw: Mapping[str, str] = field(repr=False)
    """Every key as given."""
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | str) -> WorkerSettings:
        """Reads a properties file. Raises ConfigError naming the file, with every problem in it."""
        try:
            text = Path(path).read_text(encoding="iso-8859-1")  # as Java does; others write \\u00e9
            return cls.from_mapping(parse(text))
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
        except MalformedProperties as error:
            raise ConfigError(f"{path}, line {error.line}: {error}.") from error
        except ConfigError as error:
            raise ConfigError(f"{path}:\n{error}", error.key) from error

    @classmethod
    def from_mapping(cls, raw: Mapping[str, str]) -> WorkerSettings:
        """Checks everything and reports every problem at once, one a line, in a ConfigError."""
        problems, warnings = key_problems(raw)
        for found, notes in (family_problems(raw), listener_problems(raw)):
            problems += found
            warnings += notes
        reader = Reader({**{key: default or "" for key, default in SERVED.items()}, **raw})
        settings = _read(reader, raw)
        problems += reader.problems
        if problems:
            raise ConfigError("\n".join(str(problem) for problem in problems), problems[0].key)
        return replace(settings, warnings=tuple(dict.fromkeys(warnings)))

    @property
    def advertised_url(self) -> str:
        return f"http://{self.worker_id}"

    @property
    def worker_id(self) -> str:
        """How status records name this worker, as Kafka Connect has it."""
        host = f"[{self.advertised_host}]" if ":" in self.advertised_host else self.advertised_host
        return f"{host}:{self.advertised_port}"

    def with_bound_port(self, port: int) -> WorkerSettings:
        """These settings once the first listener is bound: the port of a listener that asked for any (port 0)."""
        return self if self.advertised_port else replace(self, advertised_port=port)

    def client(self, role: Role, *, internal: bool = False) -> dict[str, str]:
        """Java settings for a client of this kind.

        Connectors' clients take what is said of all (addresses, TLS, SASL) and the keys under ``producer.``, ``consumer.``
        or ``admin.``. ``internal`` clients, which follow the internal topics, take unprefixed keys only, as in the JVM.
        """
        known = {*(RULES[role] if internal else COMMON), *SECURITY_KEYS} - set(SERVED) | {"bootstrap.servers"}
        shared = {key: value for key, value in self.raw.items() if key in known and key != "client.id"}
        if internal:
            return shared
        prefix = next(prefix for prefix, of in CLIENT_PREFIXES.items() if of == role)
        return {**shared, **{key[len(prefix) :]: value for key, value in self.raw.items() if key.startswith(prefix)}}


def _options(raw: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key[len(prefix) :]: value for key, value in raw.items() if key.startswith(prefix)}


def _topic_options(raw: Mapping[str, str], prefix: str) -> dict[str, str]:
    taken = {"topic", "partitions", "replication.factor", "file.filename"}
    return {key: value for key, value in _options(raw, prefix).items() if key not in taken}


def _read(reader: Reader, raw: Mapping[str, str]) -> WorkerSettings:
    """Typed values; what cannot be read is noted in the reader and stands at its default."""
    listeners = tuple(with_host(url) for url in reader.list("listeners")) or ("http://127.0.0.1:8083",)
    host, port = advertised(raw, listeners[0])
    converters: dict[ConverterRole, str] = {"key": "key.converter.", "value": "value.converter.", "header": "header.converter."}
    storages: dict[StorageRole, str] = {"config": TOPIC_PREFIXES[0], "offset": TOPIC_PREFIXES[1], "status": TOPIC_PREFIXES[2]}
    takeover = reader.choice("penstock.takeover", "refuse", "wait")
    return WorkerSettings(
        bootstrap_servers=reader.text("bootstrap.servers"),
        group_id=reader.text("group.id"),
        config_topic=reader.text("config.storage.topic"),
        offset_topic=reader.text("offset.storage.topic"),
        status_topic=reader.text("status.storage.topic"),
        config_replication_factor=reader.count("config.storage.replication.factor"),
        offset_replication_factor=reader.count("offset.storage.replication.factor"),
        status_replication_factor=reader.count("status.storage.replication.factor"),
        offset_partitions=reader.count("offset.storage.partitions"),
        status_partitions=reader.count("status.storage.partitions"),
        key_converter=reader.text("key.converter"),
        value_converter=reader.text("value.converter"),
        header_converter=reader.text("header.converter"),
        converter_options={role: _options(raw, prefix) for role, prefix in converters.items()},
        topic_options={role: _topic_options(raw, prefix) for role, prefix in storages.items()},
        listeners=listeners,
        advertised_host=host,
        advertised_port=port,
        offset_flush_interval_ms=reader.integer("offset.flush.interval.ms", low=1),
        task_shutdown_graceful_timeout_ms=reader.integer("task.shutdown.graceful.timeout.ms", low=0),
        session_timeout_ms=reader.integer("session.timeout.ms", low=1),
        heartbeat_interval_ms=reader.integer("heartbeat.interval.ms", low=1),
        rebalance_timeout_ms=reader.integer("rebalance.timeout.ms", low=1),
        override_policy=reader.choice("connector.client.config.override.policy", "all", "none", "principal", "allowlist"),
        override_allowlist=reader.list("connector.client.config.override.allowlist"),
        topic_creation_enable=reader.choice("topic.creation.enable", "true", "false") == "true",
        takeover="wait" if takeover == "wait" else "refuse",
        raw=dict(raw),
    )
