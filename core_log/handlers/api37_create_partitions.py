"""CreatePartitions (37), versions 0 to 3: more partitions for a topic. Answered when they are on disk."""

from collections import Counter

from core_log.broker import Broker
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api37_create_partitions import (
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
    CreatePartitionsTopicResult,
)


@api(CreatePartitionsRequest)
def handle(request: CreatePartitionsRequest, call: Call) -> Answered:
    asked = Counter(topic.name for topic in request.topics)
    results = []
    for topic in request.topics:
        try:
            if asked[topic.name] > 1:
                raise BrokerError(ErrorCode.INVALID_REQUEST, f"topic {topic.name!r} stands twice in the request")
            _add(topic, call.broker, request.validate_only)
            results.append(CreatePartitionsTopicResult(name=topic.name, error_code=0))
        except BrokerError as error:
            results.append(CreatePartitionsTopicResult(name=topic.name, error_code=error.code, error_message=error.message))
    return CreatePartitionsResponse(results=results)


def _add(wanted: CreatePartitionsTopic, broker: Broker, validate_only: bool) -> None:
    topic = broker.topic(wanted.name)
    more = wanted.count - topic.partitions
    if more <= 0:
        raise BrokerError(
            ErrorCode.INVALID_PARTITIONS, f"topic {topic.name!r} has {topic.partitions} partitions; {wanted.count} is not more"
        )
    if wanted.assignments is not None and len(wanted.assignments) != more:
        raise BrokerError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT, f"{more} new partitions, but assignments for {len(wanted.assignments)}"
        )
    if not validate_only:
        broker.add_partitions(wanted.name, wanted.count)
