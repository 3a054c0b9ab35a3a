"""DeleteRecords (21), versions 0 to 2. Offset -1 means up to the high watermark."""

from core_log.errors import BrokerError
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api21_delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)


@api(DeleteRecordsRequest)
def handle(request: DeleteRecordsRequest, call: Call) -> Answered:
    return DeleteRecordsResponse(
        topics=[
            DeleteRecordsTopicResult(name=topic.name, partitions=[_delete(call, topic.name, one) for one in topic.partitions])
            for topic in request.topics
        ]
    )


def _delete(call: Call, topic: str, wanted: DeleteRecordsPartition) -> DeleteRecordsPartitionResult:
    try:
        start = call.broker.log(topic, wanted.partition_index).delete_records(wanted.offset)
    except BrokerError as error:
        return DeleteRecordsPartitionResult(partition_index=wanted.partition_index, low_watermark=-1, error_code=error.code)
    return DeleteRecordsPartitionResult(partition_index=wanted.partition_index, low_watermark=start, error_code=0)
