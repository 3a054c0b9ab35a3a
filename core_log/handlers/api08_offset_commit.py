"""OffsetCommit (8), versions 2 to 10; 10 names topics by id. Answered when the offsets are on disk."""

from core_log.coordination.group_messages import CommitRequest, CommittedOffset
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api08_offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestTopic,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)

Errors = dict[tuple[str, int], ErrorCode]


@api(OffsetCommitRequest)
def handle(request: OffsetCommitRequest, call: Call) -> Answered:
    names, refused = _names(request, call)
    offsets = {
        (name, one.partition_index): CommittedOffset(
            one.committed_offset, one.committed_leader_epoch, one.committed_metadata or ""
        )
        for topic, name in zip(request.topics, names, strict=True)
        for one in topic.partitions
        if (name, one.partition_index) not in refused
    }

    def reply(errors: Errors) -> None:
        call.answer(_response(request, names, {**errors, **refused}))

    if not offsets:
        return _response(request, names, refused)
    commit = CommitRequest(
        group_id=request.group_id,
        generation=request.generation_id_or_member_epoch,
        member_id=request.member_id,
        group_instance_id=request.group_instance_id,
        offsets=offsets,
    )
    call.broker.groups.commit(commit, call.broker.clock.now_ms(), reply)
    return LATER


def _names(request: OffsetCommitRequest, call: Call) -> tuple[list[str], Errors]:
    """The topics' names, in order, and what is refused before the coordinator sees it."""
    names: list[str] = []
    refused: Errors = {}
    for topic in request.topics:
        name, error = _name(topic, call)
        names.append(name)
        for one in topic.partitions:
            key = (name, one.partition_index)
            if error is not ErrorCode.NONE:
                refused[key] = error
            elif key not in call.broker.logs:
                refused[key] = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return names, refused


def _name(topic: OffsetCommitRequestTopic, call: Call) -> tuple[str, ErrorCode]:
    if call.version < 10:
        return topic.name, ErrorCode.NONE
    try:
        return call.broker.topic_by_id(topic.topic_id).name, ErrorCode.NONE
    except BrokerError as error:
        return topic.topic_id.hex(), error.code  # a stand-in that tells unknown topics apart; the answer carries the id


def _response(request: OffsetCommitRequest, names: list[str], errors: Errors) -> OffsetCommitResponse:
    return OffsetCommitResponse(
        topics=[
            OffsetCommitResponseTopic(
                name=topic.name,
                topic_id=topic.topic_id,
                partitions=[
                    OffsetCommitResponsePartition(
                        partition_index=one.partition_index,
                        error_code=errors.get((name, one.partition_index), ErrorCode.NONE),
                    )
                    for one in topic.partitions
                ],
            )
            for topic, name in zip(request.topics, names, strict=True)
        ]
    )
