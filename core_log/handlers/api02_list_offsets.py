"""ListOffsets (2), versions 1 to 11.

Latest is the high watermark. Times: the first record at or after one; -3 is the record with the highest timestamp (KIP-734); -4
(earliest local) is the earliest; -5 and -6 belong to tiered storage, which is not there: offset -1.
"""

from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api02_list_offsets import (
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from core_log.storage.partition_log import PartitionLog

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD = range(-1, -7, -1)


@api(ListOffsetsRequest)
def handle(request: ListOffsetsRequest, call: Call) -> Answered:
    topics = [
        ListOffsetsTopicResponse(name=topic.name, partitions=[_partition(call, topic.name, one) for one in topic.partitions])
        for topic in request.topics
    ]
    return ListOffsetsResponse(topics=topics)


def _partition(call: Call, topic: str, wanted: ListOffsetsPartition) -> ListOffsetsPartitionResponse:
    try:
        offset, timestamp_ms = _find(call.broker.log(topic, wanted.partition_index), wanted.timestamp)
    except BrokerError as error:
        return ListOffsetsPartitionResponse(partition_index=wanted.partition_index, error_code=error.code)
    return ListOffsetsPartitionResponse(
        partition_index=wanted.partition_index,
        error_code=0,
        timestamp=timestamp_ms,
        offset=offset,
        leader_epoch=0 if offset >= 0 else -1,
    )


def _find(log: PartitionLog, timestamp_ms: int) -> tuple[int, int]:
    if timestamp_ms == LATEST:
        return log.high_watermark, -1
    if timestamp_ms in (EARLIEST, EARLIEST_LOCAL):
        return log.log_start_offset, -1
    if timestamp_ms in (LATEST_TIERED, EARLIEST_PENDING_UPLOAD):
        return -1, -1
    if timestamp_ms < MAX_TIMESTAMP:
        raise BrokerError(ErrorCode.INVALID_REQUEST, f"{timestamp_ms} is not a time")
    found = log.max_timestamp() if timestamp_ms == MAX_TIMESTAMP else log.offset_for_timestamp(timestamp_ms)
    return (-1, -1) if found is None else (found.offset, found.timestamp_ms)
