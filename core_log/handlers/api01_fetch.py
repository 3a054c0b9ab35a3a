"""Fetch (1), versions 4 to 18; from 13 on topics are named by id.

A long poll: where fewer than min_bytes are there, the request is parked until the high watermark of one of its partitions
moves, or until max_wait_ms. Records leave as file slices, whole batches up to the high watermark. Fetch sessions (KIP-227) are
not kept: every answer says session 0, and clients then send full requests.
"""

from core_log.broker import Broker
from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api01_fetch import (
    FetchableTopicResponse,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    PartitionData,
)
from core_log.protocol.primitives import size_of

READ_COMMITTED = 1


@api(FetchRequest)
def handle(request: FetchRequest, call: Call) -> Answered:
    if request.session_id:
        return FetchResponse(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses=())
    attempt = _Attempt(request, call)
    if attempt.enough or request.max_wait_ms <= 0:
        return attempt.response()

    def retry(expired: bool) -> bool:
        again = _Attempt(request, call)
        if not (expired or again.enough):
            return False
        call.answer(again.response())
        return True

    deadline_ms = call.broker.clock.now_ms() + request.max_wait_ms
    call.parked = call.broker.waiting.park(attempt.keys, deadline_ms, retry)
    return LATER


class _Attempt:
    """What one look at the logs gives: data, and whether it is enough to answer."""

    def __init__(self, request: FetchRequest, call: Call) -> None:
        self._broker: Broker = call.broker
        self._committed = request.isolation_level == READ_COMMITTED
        self._left = min(request.max_bytes, call.broker.settings.fetch_max_bytes)
        self.size = 0
        self.failed = False
        self.keys: list[tuple[str, int]] = []
        self._topics = []
        for topic in request.topics:
            by_id = call.version >= 13
            partitions = [self._partition(topic.topic_id if by_id else topic.topic, one) for one in topic.partitions]
            self._topics.append(FetchableTopicResponse(topic=topic.topic, topic_id=topic.topic_id, partitions=partitions))
        self.enough = self.failed or self.size >= request.min_bytes

    def response(self) -> FetchResponse:
        self._broker.metrics.bytes_out += self.size
        return FetchResponse(responses=self._topics)

    def _partition(self, topic: str | bytes, wanted: FetchPartition) -> PartitionData:
        try:
            return self._read(topic, wanted)
        except BrokerError as error:
            self.failed = True
            return PartitionData(
                partition_index=wanted.partition,
                error_code=error.code,
                high_watermark=-1,
                aborted_transactions=None,
                records=b"",
            )

    def _read(self, topic: str | bytes, wanted: FetchPartition) -> PartitionData:
        name = topic if isinstance(topic, str) else self._broker.topic_by_id(topic).name
        log = self._broker.log(name, wanted.partition)
        if wanted.current_leader_epoch > 0:
            raise BrokerError(ErrorCode.UNKNOWN_LEADER_EPOCH)
        self.keys.append((name, wanted.partition))
        limit = min(wanted.partition_max_bytes, self._left)
        found = log.read(wanted.fetch_offset, max(limit, 0), at_least_one=self.size == 0)
        if found is not None:
            self.size += size_of(found)
            self._left -= size_of(found)
        return PartitionData(
            partition_index=wanted.partition,
            error_code=0,
            high_watermark=log.high_watermark,
            last_stable_offset=log.high_watermark,
            log_start_offset=log.log_start_offset,
            aborted_transactions=() if self._committed else None,
            records=b"" if found is None else found,
        )
