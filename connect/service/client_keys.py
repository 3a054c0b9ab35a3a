"""Which keys Kafka's Java clients take, and what becomes of each with librdkafka: the table behind ``kafka_clients``.

Names and defaults: Apache Kafka 4.3's ProducerConfig, ConsumerConfig and AdminClientConfig; librdkafka's CONFIGURATION.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["producer", "consumer", "admin"]


@dataclass(frozen=True, slots=True)
class Passed:
    """Handed to librdkafka, under ``name`` (None: the same name), its value converted (ValueError: what is wrong with it)."""

    name: str | None = None
    convert: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Without effect here. ``because`` "" or a value in ``silent`` (where nothing is lost) is not worth a line."""

    because: str = ""
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Ignoring it would do something else than the user asks for. The values in ``accepted`` ask for nothing."""

    because: str
    remedy: str
    accepted: tuple[str, ...] = ("",)


Rule = Passed | Ignored | Refused


def _integer(low: int, high: int, aliases: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A whole number, brought into librdkafka's range where Java's is wider; ``aliases`` are Java's special values."""

    def convert(text: str) -> str:
        text = (aliases or {}).get(text.strip(), text.strip())
        try:
            return str(min(max(int(text), low), high))
        except ValueError:
            raise ValueError(f"'{text}' is not a whole number") from None

    return convert


def _choice(names: Mapping[str, str]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        try:
            return names[text.strip().lower()]
        except KeyError:
            raise ValueError(f"'{text}' is none of {', '.join(names)}") from None

    return convert


def _kilobytes(text: str) -> str:
    return _integer(1, 2_147_483_647)(str(-(-int(_integer(1, 2**62)(text)) // 1024)))


_ACKS = _choice({"all": "all", "-1": "all", "1": "1", "0": "0"})
_COMPRESSIONS = _choice({name: name for name in ("none", "gzip", "snappy", "lz4", "zstd")})
_RESETS = _choice({"earliest": "earliest", "latest": "latest", "none": "error"})
_ISOLATION = _choice({name: name for name in ("read_committed", "read_uncommitted")})
_RECOVERY = _choice({name: name for name in ("none", "rebootstrap")})
_BOOLEAN = _choice({"true": "true", "false": "false"})
_DNS = _choice({name: name for name in ("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only")})

_JVM = Ignored("it concerns the JVM only")
_SERIALIZER = Ignored("converters make the bytes")
_INTERCEPTOR = Ignored("Java interceptors cannot run here", silent=("",))
_METRICS = Ignored()
_NO_END = Ignored("a record is sent again until it is stored or the task ends")
_NO_GROUP = Ignored("tasks do not join a consumer group: the leading worker deals the partitions out")
_JAVA_LOGIN = Refused("Java classes cannot run here", "Remove it; PLAIN, SCRAM and OAUTHBEARER need none.")
_MILLISECONDS = _integer(0, 3_600_000)

COMMON: Mapping[str, Rule] = {
    "bootstrap.servers": Passed(),
    "client.dns.lookup": Passed(convert=_DNS),
    "client.id": Passed(),
    "connections.max.idle.ms": Passed(convert=_integer(0, 2_147_483_647)),
    "enable.metrics.push": Passed(convert=_BOOLEAN),
    "metadata.max.age.ms": Passed(convert=_integer(1, 86_400_000)),
    "metadata.recovery.strategy": Passed(convert=_RECOVERY),
    "metadata.recovery.rebootstrap.trigger.ms": Passed(convert=_integer(0, 2_147_483_647)),
    "receive.buffer.bytes": Passed("socket.receive.buffer.bytes", _integer(0, 100_000_000)),
    "send.buffer.bytes": Passed("socket.send.buffer.bytes", _integer(0, 100_000_000)),
    "reconnect.backoff.ms": Passed(convert=_MILLISECONDS),
    "reconnect.backoff.max.ms": Passed(convert=_MILLISECONDS),
    "request.timeout.ms": Passed("socket.timeout.ms", _integer(1_000, 300_000)),
    "retry.backoff.ms": Passed(convert=_integer(1, 300_000)),
    "retry.backoff.max.ms": Passed(convert=_integer(1, 300_000)),
    "socket.connection.setup.timeout.ms": Passed(convert=_integer(1_000, 2_147_483_647)),
    "socket.connection.setup.timeout.max.ms": Ignored(),
    "default.api.timeout.ms": Ignored(),
    "retries": _NO_END,
    "auto.include.jmx.reporter": _METRICS,
    "metric.reporters": _METRICS,
    "metrics.num.samples": _METRICS,
    "metrics.recording.level": _METRICS,
    "metrics.sample.window.ms": _METRICS,
    "interceptor.classes": _INTERCEPTOR,
    "config.providers": Refused("config providers are not supported yet", "Write the values in."),
    "security.providers": _JVM,
    "sasl.client.callback.handler.class": _JAVA_LOGIN,
    "sasl.login.callback.handler.class": Refused(
        "Java classes cannot run here",
        "Remove it; for OAUTHBEARER set sasl.oauthbearer.token.endpoint.url.",
        accepted=(
            "",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
            "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
        ),
    ),
    "sasl.login.class": _JAVA_LOGIN,
    "sasl.kerberos.kinit.cmd": _JVM,
    "sasl.kerberos.min.time.before.relogin": _JVM,
    "sasl.kerberos.service.name": Ignored("Kerberos is not supported"),
    "sasl.kerberos.ticket.renew.jitter": _JVM,
    "sasl.kerberos.ticket.renew.window.factor": _JVM,
    "ssl.cipher.suites": Ignored("OpenSSL chooses the cipher", silent=("",)),
    "ssl.enabled.protocols": Ignored("OpenSSL chooses TLS 1.2 or newer"),
    "ssl.engine.factory.class": Refused("Java classes cannot run here", "Remove it."),
    "ssl.keymanager.algorithm": _JVM,
    "ssl.protocol": Ignored("OpenSSL chooses TLS 1.2 or newer"),
    "ssl.provider": _JVM,
    "ssl.secure.random.implementation": _JVM,
    "ssl.trustmanager.algorithm": _JVM,
    "ssl.client.auth": Ignored("it is a setting of servers"),
}

IGNORED_FAMILIES = ("sasl.oauthbearer.", "sasl.login.", "metrics.context.")
"""Prefixes of fine tuning that has no counterpart; taken without a word."""

PRODUCER: Mapping[str, Rule] = {
    "acks": Passed(convert=_ACKS),
    "batch.size": Passed(convert=_integer(1, 2_147_483_647)),
    "buffer.memory": Passed("queue.buffering.max.kbytes", _kilobytes),
    "compression.type": Passed(convert=_COMPRESSIONS),
    "compression.gzip.level": Ignored("the level is the library's own", silent=("-1",)),
    "compression.lz4.level": Ignored("the level is the library's own", silent=("9",)),
    "compression.zstd.level": Ignored("the level is the library's own", silent=("3",)),
    "delivery.timeout.ms": Ignored(_NO_END.because, silent=("2147483647",)),
    "enable.idempotence": Passed(convert=_BOOLEAN),
    "key.serializer": _SERIALIZER,
    "value.serializer": _SERIALIZER,
    "linger.ms": Passed(convert=_integer(0, 900_000)),
    "max.block.ms": Ignored(_NO_END.because, silent=("9223372036854775807",)),
    "max.in.flight.requests.per.connection": Passed(convert=_integer(1, 1_000_000)),
    "max.request.size": Passed("message.max.bytes", _integer(1_000, 1_000_000_000)),
    "metadata.max.idle.ms": Ignored(),
    "partitioner.adaptive.partitioning.enable": Ignored(),
    "partitioner.availability.timeout.ms": Ignored(),
    "partitioner.class": Refused(
        "records are partitioned as Kafka's default partitioner does, and Java classes cannot run here",
        "Remove it, or have a transform or the source choose the partition.",
        accepted=("", "org.apache.kafka.clients.producer.internals.DefaultPartitioner"),
    ),
    "partitioner.ignore.keys": Refused(
        "records with a key go where their key says", "Remove it, or remove the key by a transform.", accepted=("", "false")
    ),
    "transaction.timeout.ms": Passed(convert=_integer(1_000, 2_147_483_647)),
    "transaction.two.phase.commit.enable": Refused("it is not supported", "Remove it.", accepted=("", "false")),
    "transactional.id": Refused("the runtime names transactions itself", "Remove it."),
    "retries": Ignored(_NO_END.because, silent=("2147483647",)),
}

CONSUMER: Mapping[str, Rule] = {
    "allow.auto.create.topics": Passed(convert=_BOOLEAN),
    "auto.commit.interval.ms": Ignored(),
    "auto.offset.reset": Passed(convert=_RESETS),
    "check.crcs": Passed(convert=_BOOLEAN),
    "client.rack": Passed(),
    "enable.auto.commit": Ignored("offsets are committed after a flush of the sink", silent=("false",)),
    "exclude.internal.topics": Ignored(),
    "fetch.max.bytes": Passed(convert=_integer(1_000, 2_147_483_135)),
    "fetch.max.wait.ms": Passed("fetch.wait.max.ms", _integer(0, 300_000)),
    "fetch.min.bytes": Passed(convert=_integer(1, 100_000_000)),
    "group.id": Refused("another group than connect-{name} is not supported yet", "Remove it."),
    "group.instance.id": _NO_GROUP,
    "group.protocol": _NO_GROUP,
    "group.remote.assignor": _NO_GROUP,
    "heartbeat.interval.ms": _NO_GROUP,
    "partition.assignment.strategy": _NO_GROUP,
    "session.timeout.ms": _NO_GROUP,
    "isolation.level": Passed(convert=_ISOLATION),
    "key.deserializer": _SERIALIZER,
    "value.deserializer": _SERIALIZER,
    "max.partition.fetch.bytes": Passed(convert=_integer(1, 1_000_000_000)),
    "max.poll.interval.ms": Ignored("tasks do not join a consumer group"),
    "max.poll.records": Ignored(),  # no client setting: how many records a task reads at once
}

ADMIN: Mapping[str, Rule] = {"bootstrap.controllers": Refused("workers speak to brokers", "Set bootstrap.servers.")}

RULES: Mapping[Role, Mapping[str, Rule]] = {
    "producer": {**COMMON, **PRODUCER},
    "consumer": {**COMMON, **CONSUMER},
    "admin": {**COMMON, **ADMIN},
}
