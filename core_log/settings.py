"""What an operator sets, by Kafka's names (server.properties) and a few of our own."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core_log.errors import EnvironmentProblem

FlushPolicy = Literal["ack", "interval", "os"]
FLUSH_POLICIES = ("ack", "interval", "os")
NODE_ID = 1
OFFSETS_TOPIC = "__consumer_offsets"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """``given`` holds every key of the file as it stood there: topic defaults (``log.retention.ms``, ...) are read from it."""

    data: str
    host: str = "127.0.0.1"
    port: int = 9092
    advertised_host: str = ""
    advertised_port: int = 0
    flush_policy: FlushPolicy = "ack"
    flush_interval_ms: int = 1_000
    checkpoint_interval_ms: int = 60_000
    num_partitions: int = 1
    auto_create_topics: bool = True
    replication_factor_policy: Literal["cap", "refuse"] = "cap"
    request_max_bytes: int = 104_857_600
    max_connections: int = 4_096
    fetch_max_bytes: int = 57_671_680
    initial_rebalance_delay_ms: int = 0
    min_session_timeout_ms: int = 6_000
    max_session_timeout_ms: int = 1_800_000
    max_group_size: int = 2_147_483_647
    offsets_partitions: int = 4
    offsets_retention_minutes: int = 7 * 24 * 60
    offset_metadata_max_bytes: int = 4_096
    retention_check_interval_ms: int = 300_000
    offsets_check_interval_ms: int = 600_000
    metrics_port: int = 0  # 0: no metrics are served
    given: Mapping[str, str] = field(default_factory=dict)


#: Kafka's key, and the attribute it sets.
KEYS = {
    "log.flush.policy": "flush_policy",
    "log.flush.interval.ms": "flush_interval_ms",
    "log.flush.offset.checkpoint.interval.ms": "checkpoint_interval_ms",
    "num.partitions": "num_partitions",
    "auto.create.topics.enable": "auto_create_topics",
    "replication.factor.policy": "replication_factor_policy",
    "socket.request.max.bytes": "request_max_bytes",
    "max.connections": "max_connections",
    "fetch.max.bytes": "fetch_max_bytes",
    "group.initial.rebalance.delay.ms": "initial_rebalance_delay_ms",
    "group.min.session.timeout.ms": "min_session_timeout_ms",
    "group.max.session.timeout.ms": "max_session_timeout_ms",
    "group.max.size": "max_group_size",
    "offsets.topic.num.partitions": "offsets_partitions",
    "offsets.retention.minutes": "offsets_retention_minutes",
    "offset.metadata.max.bytes": "offset_metadata_max_bytes",
    "log.retention.check.interval.ms": "retention_check_interval_ms",
    "offsets.retention.check.interval.ms": "offsets_check_interval_ms",
    "metrics.port": "metrics_port",
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "log.flush.policy": FLUSH_POLICIES,
    "replication.factor.policy": ("cap", "refuse"),
    "auto.create.topics.enable": ("true", "false"),
}
#: Where 0 makes no sense.
_LOWEST = {
    "log.flush.interval.ms": 1,
    "log.flush.offset.checkpoint.interval.ms": 1,
    "log.retention.check.interval.ms": 1,
    "offsets.retention.check.interval.ms": 1,
    "num.partitions": 1,
    "offsets.topic.num.partitions": 1,
    "max.connections": 1,
}
INSECURE = "penstock.insecure"


def load(path: str | None, options: Mapping[str, str | int | None]) -> BrokerSettings:
    """The file's keys, then the command line's (None: not given). Raises EnvironmentProblem, one line with every mistake."""
    given = _read(Path(path)) if path else {}
    values: dict[str, object] = {**_listener(given), **_known(given)}
    if "log.dirs" in given or "log.dir" in given:
        values["data"] = given.get("log.dirs", given.get("log.dir", "")).split(",")[0].strip()
    values |= {key: value for key, value in options.items() if value is not None}
    if not values.get("data"):
        raise EnvironmentProblem("no data directory: give --data DIR, or log.dirs in the file")
    if values.get("flush_policy", "ack") not in FLUSH_POLICIES:
        raise EnvironmentProblem(f"--flush-policy {values['flush_policy']}: one of {', '.join(FLUSH_POLICIES)}")
    settings = BrokerSettings(**values, given=given)  # type: ignore[arg-type]
    for port in (settings.port, settings.advertised_port, settings.metrics_port):
        if not 0 <= port <= 65_535:
            raise EnvironmentProblem(f"port {port}: ports go from 0 to 65535")
    if not _is_loopback(settings.host) and given.get(INSECURE) != "true":
        raise EnvironmentProblem(
            f"listening on {settings.host} would let anyone who reaches it read and write every topic: there is no "
            f"authentication. Listen on 127.0.0.1, or put the line {INSECURE}=true into the file given with --config"
        )
    return settings


def _known(given: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    mistakes = []
    for key, attribute in KEYS.items():
        text = given.get(key)
        if text is None:
            continue
        if key in _CHOICES:
            if text not in _CHOICES[key]:
                mistakes.append(f"{key}={text}: one of {', '.join(_CHOICES[key])}")
            values[attribute] = text == "true" if text in ("true", "false") else text
        elif text.isdecimal() and int(text) >= _LOWEST.get(key, 0):
            values[attribute] = int(text)
        else:
            mistakes.append(f"{key}={text}: a whole number is wanted, {_LOWEST.get(key, 0)} or more")
    if mistakes:
        raise EnvironmentProblem("; ".join(mistakes))
    return values


def _listener(given: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, host_name, port_name in (
        ("listeners", "host", "port"),
        ("advertised.listeners", "advertised_host", "advertised_port"),
    ):
        if key in given:
            host, port = _address(key, given[key])
            values |= {host_name: host, port_name: port}
    return values


def _address(key: str, text: str) -> tuple[str, int]:
    """The first plaintext listener of Kafka's list; a KRaft file names a CONTROLLER too, which we have no use for."""
    for one in text.split(","):
        name, _, address = one.strip().partition("://")
        host, _, port = address.rpartition(":")
        if name.upper() != "CONTROLLER" and port.isdigit():
            return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 what an empty host means to Kafka
    raise EnvironmentProblem(f"{key}={text}: PLAINTEXT://HOST:PORT is wanted")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> dict[str, str]:
    """``key=value`` lines; ``#`` and ``!`` start a comment."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(f"--config {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EnvironmentProblem(f"--config {path}: not text in UTF-8 (byte {error.start})") from error
    given: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#!":
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            raise EnvironmentProblem(f"--config {path}, line {number}: key=value is wanted, not {stripped!r}")
        given[key.strip()] = value.strip()
    return given
