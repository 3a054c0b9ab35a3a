"""CreateTopics (19), versions 2 to 7. Answered when the topic is on disk.

A replication factor above 1 is accepted, since configurations come from clusters: one copy is kept and a warning logged
(replication.factor.policy=refuse refuses it instead). Manual assignments count as partitions.
"""

import logging
from collections import Counter

from core_log.broker import Broker
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api19_create_topics import (
    CreatableTopic,
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
)
from core_log.storage import topic_config

logger = logging.getLogger(__name__)

#: Kafka's ConfigEntry.ConfigSource.
CONFIG_SOURCES = {"topic": 1, "broker": 4, "default": 5}


@api(CreateTopicsRequest)
def handle(request: CreateTopicsRequest, call: Call) -> Answered:
    asked = Counter(topic.name for topic in request.topics)
    results = []
    for topic in request.topics:
        try:
            if asked[topic.name] > 1:
                raise BrokerError(ErrorCode.INVALID_REQUEST, f"topic {topic.name!r} stands twice in the request")
            results.append(_create(topic, call.broker, request.validate_only))
        except BrokerError as error:
            results.append(CreatableTopicResult(name=topic.name, error_code=error.code, error_message=error.message))
    return CreateTopicsResponse(topics=results)


def _create(wanted: CreatableTopic, broker: Broker, validate_only: bool) -> CreatableTopicResult:
    configs = {}
    for config in wanted.configs:
        if config.value is None:
            raise BrokerError(ErrorCode.INVALID_CONFIG, f"{config.name}: a value is wanted, not null")
        configs[config.name] = config.value
    partitions = _partitions(wanted, broker)
    factor = _replication(wanted, broker)
    topic_id = bytes(16)
    if validate_only:
        broker.catalog.check_create(wanted.name, partitions, configs)
    else:
        topic_id = broker.create_topic(wanted.name, partitions, configs).id.bytes
        if factor > 1:
            logger.warning("topic %s asks for %d replicas; this log is one node and keeps one copy", wanted.name, factor)
    return CreatableTopicResult(
        name=wanted.name,
        topic_id=topic_id,
        error_code=0,
        num_partitions=partitions,
        replication_factor=1,
        configs=[
            CreatableTopicConfigs(name=name, value=value, config_source=CONFIG_SOURCES[source])
            for name, (value, source) in topic_config.described(configs, broker.settings.given).items()
        ],
    )


def _partitions(wanted: CreatableTopic, broker: Broker) -> int:
    if not wanted.assignments:
        return broker.settings.num_partitions if wanted.num_partitions == -1 else wanted.num_partitions
    if wanted.num_partitions != -1 or wanted.replication_factor != -1:
        raise BrokerError(
            ErrorCode.INVALID_REQUEST, "give either an assignment, or a number of partitions and a replication factor"
        )
    if sorted(one.partition_index for one in wanted.assignments) != list(range(len(wanted.assignments))):
        raise BrokerError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT, "the partitions of an assignment are numbered from 0 without gaps"
        )
    return len(wanted.assignments)


def _replication(wanted: CreatableTopic, broker: Broker) -> int:
    """The factor that is asked for. Raises BrokerError where it cannot be, or may not be capped."""
    factor = max((len(one.broker_ids) for one in wanted.assignments), default=wanted.replication_factor)
    if factor == 0 or factor < -1:
        raise BrokerError(
            ErrorCode.INVALID_REPLICATION_FACTOR, f"replication factor {factor}: 1 or more, or -1 for the default"
        )
    if factor > 1 and broker.settings.replication_factor_policy == "refuse":
        raise BrokerError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"replication factor {factor}, but this log is one node (replication.factor.policy=refuse)",
        )
    return factor
