"""Topics that a source writes to and that do not exist yet."""

from __future__ import annotations

import logging
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connect.api import ConnectError
from connect.runtime.plan.topic_creation import BROKER_DEFAULT, TopicRule, TopicRules

LOOK_SECONDS = 3.0
CREATE_SECONDS = 10.0
_DENIED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)

_logger = logging.getLogger(__name__)


class SourceTopics:
    """Looks once at each topic, and creates it by the connector's rules (``topic.creation.*``) or the broker's defaults."""

    def __init__(self, rules: TopicRules, *, enabled: bool, make_admin: Callable[[], AdminClient]) -> None:
        self._rules = rules
        self._enabled = enabled
        self._make_admin = make_admin
        self._admin: AdminClient | None = None
        self._known: set[str] = set()

    def ensure(self, topics: set[str]) -> None:
        """Returns once these topics exist. Raises KafkaException, transient or not, or ConnectError with the remedy."""
        if topics <= self._known:
            return
        if self._admin is None:
            self._admin = self._make_admin()
        # All topics: asking for one by name would have some brokers create it, with their own defaults.
        existing = set(self._admin.list_topics(timeout=LOOK_SECONDS).topics)
        for topic in sorted(topics - self._known - existing):
            self._create(self._admin, topic)
        self._known |= topics

    def forget(self) -> None:
        """Looks again: a topic may have been deleted."""
        self._known.clear()

    def _create(self, admin: AdminClient, topic: str) -> None:
        rule = self._rules.rule_for(topic) if self._enabled else None
        rule = rule or TopicRule("broker", BROKER_DEFAULT, BROKER_DEFAULT, {})
        wanted = NewTopic(topic, rule.partitions, rule.replication_factor, config=dict(rule.configs))
        try:
            admin.create_topics([wanted], request_timeout=CREATE_SECONDS)[topic].result()
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return
            if error.code() in _DENIED and rule.name == "broker":
                _logger.warning("Topic %s does not exist and may not be created from here: left to the broker.", topic)
                return
            if error.code() in (KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.POLICY_VIOLATION, *_DENIED) or (
                error.code() in (KafkaError.INVALID_CONFIG, KafkaError.INVALID_PARTITIONS, KafkaError.TOPIC_EXCEPTION)
            ):
                raise ConnectError(
                    f"Topic {topic} could not be created: {error.str()}. Create it, or change topic.creation.default.*"
                ) from problem
            raise
        _logger.info("Created topic %s.", topic)
