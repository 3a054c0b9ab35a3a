"""OffsetDelete (47), version 0: forget what a group has committed. Answered when that is on disk."""

from core_log.errors import ErrorCode
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api47_offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)


@api(OffsetDeleteRequest)
def handle(request: OffsetDeleteRequest, call: Call) -> Answered:
    broker = call.broker
    wanted = [(topic.name, one.partition_index) for topic in request.topics for one in topic.partitions]
    known = [key for key in wanted if key in broker.logs]

    def reply(error: ErrorCode, errors: dict[tuple[str, int], ErrorCode]) -> None:
        unknown = dict.fromkeys(set(wanted) - set(known), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        call.answer(_response(request, error, {**errors, **unknown}))

    broker.groups.delete_offsets(request.group_id, known, broker.clock.now_ms(), reply)
    return LATER


def _response(request: OffsetDeleteRequest, error: ErrorCode, errors: dict[tuple[str, int], ErrorCode]) -> OffsetDeleteResponse:
    topics = [
        OffsetDeleteResponseTopic(
            name=topic.name,
            partitions=[
                OffsetDeleteResponsePartition(
                    partition_index=one.partition_index,
                    error_code=errors.get((topic.name, one.partition_index), ErrorCode.NONE),
                )
                for one in topic.partitions
            ],
        )
        for topic in request.topics
    ]
    return OffsetDeleteResponse(error_code=error, topics=() if error else topics)
