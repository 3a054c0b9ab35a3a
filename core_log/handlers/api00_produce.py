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
    written = log.append(batch, broker.clock.now_ms())
    key = (topic, data.index)
    if not written.duplicate:
        broker.metrics.bytes_in += len(batch)
        broker.appended(key, log)
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
        pending = False
        for key, log, offset, answer in unsettled:
            if log.high_watermark >= offset:
                continue
            if log.failure is not None or broker.logs.get(key) is not log:
                _fail(answer, ErrorCode.KAFKA_STORAGE_ERROR)
            elif expired:
                _fail(answer, ErrorCode.REQUEST_TIMED_OUT)
            else:
                pending = True
        if pending:
            return False
        call.answer(response)
        return True

    deadline_ms = broker.clock.now_ms() + max(timeout_ms, 0)
    call.parked = broker.waiting.park([one.key for one in unsettled], deadline_ms, settled)
    return LATER


def _fail(answer: PartitionProduceResponse, code: ErrorCode) -> None:
    answer.error_code = code
    answer.base_offset = -1


def _without_answer(topics: list[TopicProduceResponse]) -> Answered:
    """acks=0: a refused batch can be told only by closing the connection, as Kafka does."""
    for topic in topics:
        for answer in topic.partition_responses:
            if answer.error_code:
                raise ProtocolError(f"a produce with acks=0 was refused: {answer.error_message}")
    return SILENT
