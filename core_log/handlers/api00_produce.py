"""Produce (0), versions 3 to 13; 13 names topics by id.

The batches are appended at once, in the order of the request. With acks=all the answer waits until an fdatasync has covered
them (flush policy ``ack``), while later requests of the same connection go on: pipelined group commit. acks=1 answers after the
append, acks=0 not at all.
ApiVersions says 0: librdkafka before 2.8.1 drops compression silently where the minimum is higher (KAFKA-18659).
"""

from typing import NamedTuple

from core_log.broker import Broker, Partition
from core_log.errors import BrokerError, ErrorCode, ProtocolError
from core_log.handlers.registry import LATER, SILENT, Answered, Call, api
from core_log.protocol.messages.api00_produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from core_log.protocol.record_batch import Buffer
from core_log.settings import OFFSETS_TOPIC
from core_log.storage.partition_log import PartitionLog

ACKS_ALL = -1
NO_TRANSACTIONS = "transactions are not served yet: remove transactional.id from the producer's configuration"


class _Waiting(NamedTuple):
    """A partition whose batch is not on disk yet."""

    key: Partition
    log: PartitionLog
    offset: int
    answer: PartitionProduceResponse


@api(ProduceRequest, advertise_from=0)
def handle(request: ProduceRequest, call: Call) -> Answered:
    unsettled: list[_Waiting] = []
    topics = []
    for topic in request.topic_data:
        answers = []
        for data in topic.partition_data:
            try:
                name = call.broker.topic_by_id(topic.topic_id).name if call.version >= 13 else topic.name
                answers.append(_append(request, call.broker, name, data, unsettled))
            except BrokerError as error:
                answers.append(_refused(data.index, error))
        topics.append(TopicProduceResponse(name=topic.name, topic_id=topic.topic_id, partition_responses=answers))
    if request.acks == 0:
        return _without_answer(topics)
    response = ProduceResponse(responses=topics)
    if not unsettled:
        return response
    return _wait(response, unsettled, request.timeout_ms, call)


def _append(
    request: ProduceRequest, broker: Broker, topic: str, data: PartitionProduceData, unsettled: list[_Waiting]
) -> PartitionProduceResponse:
    if request.acks not in (ACKS_ALL, 0, 1):
        raise BrokerError(ErrorCode.INVALID_REQUIRED_ACKS, f"acks={request.acks}: one of all, 1, 0")
    if request.transactional_id is not None:
        raise BrokerError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS)
    if topic == OFFSETS_TOPIC:
        raise BrokerError(ErrorCode.INVALID_TOPIC_EXCEPTION, f"{OFFSETS_TOPIC} is the broker's own")
    log = broker.log(topic, data.index)
    batch = data.records
    if not isinstance(batch, Buffer) or not batch:
        raise BrokerError(ErrorCode.INVALID_RECORD, "no batch for the partition")
    key = (topic, data.index)
    written = broker.append(key, log, batch)
    if not written.duplicate:
        broker.metrics.bytes_in += len(batch)
    answer = PartitionProduceResponse(
        index=data.index,
        error_code=0,
        base_offset=written.base_offset,
        log_append_time_ms=written.log_append_time_ms,
        log_start_offset=log.log_start_offset,
    )
    if request.acks == ACKS_ALL and log.high_watermark < written.required_offset:
        unsettled.append(_Waiting(key, log, written.required_offset, answer))
    return answer


def _refused(partition: int, error: BrokerError) -> PartitionProduceResponse:
    return PartitionProduceResponse(index=partition, error_code=error.code, base_offset=-1, error_message=error.message)


def _wait(response: ProduceResponse, unsettled: list[_Waiting], timeout_ms: int, call: Call) -> Answered:
    broker = call.broker

    def settled(expired: bool) -> bool:
        # What has failed is not looked at again: its partition may have recovered since, with other records at that offset.
        unsettled[:] = [one for one in unsettled if not _settle(one, broker, expired)]
        if unsettled:
            return False
        call.answer(response)
        return True

    deadline_ms = broker.clock.now_ms() + max(timeout_ms, 0)
    call.parked = broker.waiting.park([one.key for one in unsettled], deadline_ms, settled)
    return LATER


def _settle(one: _Waiting, broker: Broker, expired: bool) -> bool:
    """Whether it is known what became of the batch; its answer then says so."""
    if one.log.high_watermark >= one.offset:
        return True
    if one.log.failure is not None or broker.logs.get(one.key) is not one.log:
        one.answer.error_code = ErrorCode.KAFKA_STORAGE_ERROR
    elif expired:
        one.answer.error_code = ErrorCode.REQUEST_TIMED_OUT
    else:
        return False
    one.answer.base_offset = -1
    return True


def _without_answer(topics: list[TopicProduceResponse]) -> Answered:
    """acks=0: a refused batch can be told only by closing the connection, as Kafka does."""
    for topic in topics:
        for answer in topic.partition_responses:
            if answer.error_code:
                raise ProtocolError(f"a produce with acks=0 was refused: {answer.error_message}")
    return SILENT
