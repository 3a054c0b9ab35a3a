"""OffsetFetch (9), versions 1 to 10; from 8 on several groups in one request, 10 names topics by id.

No partitions named (null) means all that the group has committed.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from core_log.coordination.group_messages import NO_OFFSET, CommittedOffset
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api09_offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
    OffsetFetchResponse,
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
)

Found = Mapping[tuple[str, int], CommittedOffset]


@api(OffsetFetchRequest)
def handle(request: OffsetFetchRequest, call: Call) -> Answered:
    if call.version >= 8:
        return OffsetFetchResponse(groups=[_group(group, call) for group in request.groups])
    return _single(request, call)


def _single(request: OffsetFetchRequest, call: Call) -> OffsetFetchResponse:
    wanted = None
    if request.topics is not None:
        wanted = [(topic.name, number) for topic in request.topics for number in topic.partition_indexes]
    found = call.broker.groups.committed(request.group_id, wanted)
    return OffsetFetchResponse(
        error_code=0,
        topics=[
            OffsetFetchResponseTopic(
                name=name,
                partitions=[
                    OffsetFetchResponsePartition(
                        partition_index=number,
                        committed_offset=offset.offset,
                        committed_leader_epoch=offset.leader_epoch,
                        metadata=offset.metadata,
                    )
                    for number, offset in partitions
                ],
            )
            for name, partitions in _by_topic(found)
        ],
    )


def _group(wanted: OffsetFetchRequestGroup, call: Call) -> OffsetFetchResponseGroup:
    groups = call.broker.groups
    if wanted.topics is None:
        found = groups.committed(wanted.group_id, None)
        topics = [_topic(call, name, partitions) for name, partitions in _by_topic(found)]
        # A topic that is gone has no id to be named by.
        topics = [topic for topic in topics if call.version < 10 or any(topic.topic_id)]
    else:
        topics = [_named(call, wanted.group_id, topic) for topic in wanted.topics]
    return OffsetFetchResponseGroup(group_id=wanted.group_id, topics=topics, error_code=0)


def _named(call: Call, group_id: str, wanted: OffsetFetchRequestTopics) -> OffsetFetchResponseTopics:
    name = wanted.name
    if call.version >= 10:
        try:
            name = call.broker.topic_by_id(wanted.topic_id).name
        except BrokerError as error:
            return OffsetFetchResponseTopics(
                topic_id=wanted.topic_id,
                partitions=[_partition(number, NO_OFFSET, error.code) for number in wanted.partition_indexes],
            )
    keys = [(name, number) for number in wanted.partition_indexes]
    found = call.broker.groups.committed(group_id, keys)
    partitions = [_partition(number, found.get((name, number), NO_OFFSET)) for number in wanted.partition_indexes]
    return OffsetFetchResponseTopics(name=wanted.name, topic_id=wanted.topic_id, partitions=partitions)


def _topic(call: Call, name: str, partitions: Sequence[tuple[int, CommittedOffset]]) -> OffsetFetchResponseTopics:
    known = call.broker.catalog.topics.get(name)
    return OffsetFetchResponseTopics(
        name=name,
        topic_id=bytes(16) if known is None else known.id.bytes,
        partitions=[_partition(number, offset) for number, offset in partitions],
    )


def _partition(number: int, offset: CommittedOffset, error: ErrorCode = ErrorCode.NONE) -> OffsetFetchResponsePartitions:
    return OffsetFetchResponsePartitions(
        partition_index=number,
        committed_offset=offset.offset,
        committed_leader_epoch=offset.leader_epoch,
        metadata=offset.metadata,
        error_code=error,
    )


def _by_topic(found: Found) -> list[tuple[str, list[tuple[int, CommittedOffset]]]]:
    ordered = sorted(found.items(), key=lambda item: item[0])
    return [
        (name, [(key[1], offset) for key, offset in items]) for name, items in groupby(ordered, key=lambda item: item[0][0])
    ]
