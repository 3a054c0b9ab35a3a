"""Metadata (3), versions 0 to 13; from 10 on with topic ids, from 12 on topics may be asked for by id.

A topic that is not there is created where the request allows it (before version 4 every request does) and
auto.create.topics.enable is true.
"""

from collections.abc import Iterable

from core_log.broker import Broker
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers import node
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.fields import ZERO_UUID
from core_log.protocol.messages.api03_metadata import (
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from core_log.settings import NODE_ID, OFFSETS_TOPIC
from core_log.storage.catalog import Topic


@api(MetadataRequest)
def handle(request: MetadataRequest, call: Call) -> Answered:
    host, port = node.endpoint(call)
    return MetadataResponse(
        brokers=[MetadataResponseBroker(node_id=NODE_ID, host=host, port=port)],
        cluster_id=call.broker.cluster_id,
        controller_id=NODE_ID,
        topics=list(_topics(request, call)),
        cluster_authorized_operations=node.CLUSTER_OPERATIONS
        if request.include_cluster_authorized_operations
        else node.NO_OPERATIONS,
    )


def _topics(request: MetadataRequest, call: Call) -> Iterable[MetadataResponseTopic]:
    broker = call.broker
    operations = node.TOPIC_OPERATIONS if request.include_topic_authorized_operations else node.NO_OPERATIONS
    if request.topics is None or (call.version == 0 and not request.topics):
        for topic in broker.catalog.topics.values():
            yield _described(topic, operations)
        return
    create = request.allow_auto_topic_creation and broker.settings.auto_create_topics
    for wanted in request.topics:
        try:
            yield _described(_find(broker, wanted, create), operations)
        except BrokerError as error:
            name = wanted.name if call.version >= 12 else wanted.name or ""
            yield MetadataResponseTopic(error_code=error.code, name=name, topic_id=wanted.topic_id, partitions=())


def _find(broker: Broker, wanted: MetadataRequestTopic, create: bool) -> Topic:
    if wanted.name is None:
        return broker.topic_by_id(wanted.topic_id)
    if wanted.topic_id != ZERO_UUID:
        raise BrokerError(ErrorCode.INVALID_REQUEST, "a topic is asked for by name or by id, not by both")
    known = broker.catalog.topics.get(wanted.name)
    if known is not None:
        return known
    if not create:
        broker.catalog.check_create(wanted.name, 1, {})  # a name that could never be is told apart
        return broker.topic(wanted.name)
    return broker.create_topic(wanted.name, broker.settings.num_partitions, {})


def _described(topic: Topic, operations: int) -> MetadataResponseTopic:
    return MetadataResponseTopic(
        error_code=0,
        name=topic.name,
        topic_id=topic.id.bytes,
        is_internal=topic.name == OFFSETS_TOPIC,
        partitions=[
            MetadataResponsePartition(
                error_code=0,
                partition_index=number,
                leader_id=NODE_ID,
                leader_epoch=0,
                replica_nodes=(NODE_ID,),
                isr_nodes=(NODE_ID,),
            )
            for number in range(topic.partitions)
        ],
        topic_authorized_operations=operations,
    )
