"""The keys of a worker's properties file: which are served, and what becomes of the others.

Names and defaults: Apache Kafka 4.3's DistributedConfig and StandaloneConfig; older files hold keys that are gone since.
"""

from __future__ import annotations

from collections.abc import Mapping

from connect.service.client_keys import Ignored, Refused

SERVED: Mapping[str, str | None] = {
    "bootstrap.servers": None,
    "group.id": None,
    "config.storage.topic": None,
    "offset.storage.topic": None,
    "status.storage.topic": None,
    "key.converter": None,
    "value.converter": None,
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "config.storage.replication.factor": "3",
    "offset.storage.replication.factor": "3",
    "status.storage.replication.factor": "3",
    "offset.storage.partitions": "25",
    "status.storage.partitions": "5",
    "offset.flush.interval.ms": "60000",
    "task.shutdown.graceful.timeout.ms": "5000",
    "session.timeout.ms": "6000",  # Kafka's default minimum; the JVM worker's default is 10000
    "heartbeat.interval.ms": "500",
    "rebalance.timeout.ms": "60000",
    "listeners": "http://:8083",
    "rest.advertised.host.name": "",
    "rest.advertised.port": "",
    "connector.client.config.override.policy": "All",
    "connector.client.config.override.allowlist": "",
    "topic.creation.enable": "true",
    "penstock.insecure": "false",
    "penstock.takeover": "refuse",
}
"""Served keys and their defaults; None: a value must be given."""

_JVM = Ignored("it concerns the JVM only")
_METRICS = Ignored("JMX is the JVM's")
_KEY = Ignored("workers trust whoever reaches their listener: keep it among themselves")
_PLUGIN_VERSION = Ignored("one version of a plugin is installed")
_CORS = Ignored("browsers on other sites get no access", silent=("",))
_REBALANCE = Ignored("a task moves as soon as its worker is gone")

UNSERVED: Mapping[str, Ignored | Refused] = {
    "plugin.path": Ignored("connectors are Python packages, found by their entry points"),
    "plugin.discovery": _JVM,
    "header.converter.plugin.version": _PLUGIN_VERSION,
    "key.converter.plugin.version": _PLUGIN_VERSION,
    "value.converter.plugin.version": _PLUGIN_VERSION,
    "internal.key.converter": Ignored(),
    "internal.value.converter": Ignored(),
    "connect.protocol": Ignored("Penstock's workers have their own"),
    "scheduled.rebalance.max.delay.ms": _REBALANCE,
    "worker.sync.timeout.ms": Ignored(),
    "worker.unsync.backoff.ms": Ignored(),
    "inter.worker.key.generation.algorithm": _KEY,
    "inter.worker.key.size": _KEY,
    "inter.worker.key.ttl.ms": _KEY,
    "inter.worker.signature.algorithm": _KEY,
    "inter.worker.verification.algorithms": _KEY,
    "offset.flush.timeout.ms": Ignored("a flush is waited for until it is done"),
    "topic.tracking.enable": Ignored("topics in use are always tracked", silent=("true",)),
    "topic.tracking.allow.reset": Ignored(),
    "access.control.allow.methods": _CORS,
    "access.control.allow.origin": _CORS,
    "response.http.headers.config": Ignored("no header is added", silent=("",)),
    "admin.listeners": Ignored("administration is served on the listeners, where it is served"),
    "auto.include.jmx.reporter": _METRICS,
    "metric.reporters": _METRICS,
    "metrics.num.samples": _METRICS,
    "metrics.recording.level": _METRICS,
    "metrics.sample.window.ms": _METRICS,
    "offset.storage.file.filename": Ignored("offsets are kept in offset.storage.topic: there are distributed workers only"),
    "exactly.once.source.support": Refused(
        "exactly-once sources are not supported yet",
        "Set exactly.once.source.support=disabled: delivery is then at least once.",
        accepted=("", "disabled", "DISABLED", "preparing", "PREPARING"),
    ),
    "config.providers": Refused("config providers are not supported yet", "Write the values into the file and remove it."),
    "rest.extension.classes": Refused(
        "Java classes cannot run here, and the REST API would stand open where an extension guards it",
        "Remove it, keep the listener on loopback and put an authenticating proxy before it.",
    ),
    "rest.advertised.listener": Refused(
        "HTTPS is not supported yet", "Remove it, or set it to http.", accepted=("", "http", "HTTP")
    ),
    "rest.host.name": Refused("Kafka Connect has dropped it", "Set listeners=http://host:port."),
    "rest.port": Refused("Kafka Connect has dropped it", "Set listeners=http://host:port."),
}
"""Keys that the JVM worker knows, or knew, and this one does not serve."""

CLIENT_PREFIXES: Mapping[str, str] = {"producer.": "producer", "consumer.": "consumer", "admin.": "admin"}
"""Families of Java client settings, by the kind of client they are for."""

CONVERTER_PREFIXES = ("key.converter.", "value.converter.", "header.converter.")
TOPIC_PREFIXES = ("config.storage.", "offset.storage.", "status.storage.")
"""Settings of an internal topic, should it have to be created: ``offset.storage.min.insync.replicas``."""

IGNORED_PREFIXES = (
    "config.providers.",  # config.providers itself is what decides
    "internal.key.converter.",
    "internal.value.converter.",
    "listeners.https.",
    "admin.listeners.https.",
    "metrics.context.",
)
