"""Internal topics: there, compacted, with the partitions that were asked for, or a clear word why not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from connect.service import client_logs
from connect.service.errors import EnvironmentProblem

_logger = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_REQUEST_SECONDS = 3.0  # what takes longer is tried again, and a stop is noticed in between

T = TypeVar("T")


def wait_for_brokers(call: Callable[[], T], brokers: str, stopping: threading.Event) -> T:
    """What ``call`` gives, as soon as a broker answers it; until then it complains of those ``brokers`` as clients do.

    Raises InterruptedError once ``stopping`` is set. Errors that trying again does not mend are raised as they are.
    """
    while True:
        try:
            return call()
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if not (reason.retriable() or reason.code() in _PASSING):
                raise
            _logger.debug("Waiting for the brokers at %s: %s", brokers, reason.str())
            client_logs.complaints.tell(reason.str())
        if stopping.wait(_RETRY_SECONDS):
            raise InterruptedError("Stopped while waiting for the brokers")


_PASSING = (
    KafkaError._TRANSPORT,  # noqa: SLF001 - that is how librdkafka's own codes are named
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._PARTIAL,  # noqa: SLF001
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.REQUEST_TIMED_OUT,
)


def ensure_compacted_topic(
    admin: AdminClient, topic: str, *, partitions: int, replication_factor: int, options: Mapping[str, str]
) -> int:
    """Creates the topic if need be and returns how many partitions it has.

    ``partitions`` and ``replication_factor`` -1 leave the choice to the broker. Raises EnvironmentProblem where the topic
    cannot be used, KafkaException where no broker answers.
    """
    found = _partition_count(admin, topic)
    if found is None:
        _create(admin, topic, partitions, replication_factor, options)
        found = _wait_until_visible(admin, topic)
    else:
        found = found or _wait_until_visible(admin, topic)
        _check_cleanup_policy(admin, topic)
    if partitions == 1 and found != 1:
        raise EnvironmentProblem(
            f"Topic '{topic}' has {found} partitions; it must have exactly one, since the order of its records matters. "
            "Name another topic, or delete this one if nothing needs it."
        )
    return found


def _partition_count(admin: AdminClient, topic: str) -> int | None:
    """None: there is no such topic; 0: it is not yet ready. Asked in a way that does not create it."""
    description = admin.describe_topics(TopicCollection([topic]), request_timeout=_REQUEST_SECONDS)[topic]
    try:
        partitions = description.result().partitions
        return len(partitions) if all(partition.leader is not None for partition in partitions) else 0
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise


def _wait_until_visible(admin: AdminClient, topic: str) -> int:
    for _ in range(200):
        count = _partition_count(admin, topic)
        if count:
            return count
        time.sleep(0.02)
    raise EnvironmentProblem(f"Topic '{topic}' has partitions without a leader. Look into the brokers' logs.")


def _create(admin: AdminClient, topic: str, partitions: int, replication_factor: int, options: Mapping[str, str]) -> None:
    brokers = len(admin.describe_cluster(request_timeout=_REQUEST_SECONDS).result().nodes)
    replicas = min(replication_factor, brokers)
    if replicas < replication_factor:
        _logger.warning(
            "Topic '%s' gets %d replica(s), not %d: that is how many brokers there are.", topic, replicas, replication_factor
        )
    new = NewTopic(
        topic, num_partitions=partitions, replication_factor=replicas, config={**options, "cleanup.policy": "compact"}
    )
    try:
        admin.create_topics([new], request_timeout=_REQUEST_SECONDS)[topic].result()
        _logger.info("Created topic '%s'", topic)
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:  # another worker was quicker
            return
        if reason.retriable() or reason.code() in _PASSING:
            raise
        raise EnvironmentProblem(
            f"Topic '{topic}' cannot be created: {reason.str()}. Create it by hand, with cleanup.policy=compact."
        ) from error


def _check_cleanup_policy(admin: AdminClient, topic: str) -> None:
    """A topic that forgets would lose connectors and offsets."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        answer = admin.describe_configs([resource], request_timeout=_REQUEST_SECONDS)[resource].result()
    except KafkaException as error:
        if error.args[0].code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
            _logger.warning("May not read the configuration of topic '%s': whether it is compacted was not checked.", topic)
            return
        raise
    policy = answer["cleanup.policy"].value
    if policy != "compact":
        raise EnvironmentProblem(
            f"Topic '{topic}' has cleanup.policy={policy} and would forget what it holds; it must be compact. "
            f"Mend it: kafka-configs.sh --bootstrap-server ... --alter --entity-type topics --entity-name {topic} "
            "--add-config cleanup.policy=compact"
        )
