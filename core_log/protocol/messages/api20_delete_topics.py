"""DeleteTopics, API key 20: https://kafka.apache.org/protocol#The_Messages_DeleteTopics"""

from collections.abc import Sequence

from core_log.protocol.fields import ZERO_UUID, Request, Response, Struct, array, int16, int32, string, uuid


class DeleteTopicState(Struct):
    name: str | None = string("6+", nullable="6+", default=None)
    topic_id: bytes = uuid("6+", default=ZERO_UUID)


class DeleteTopicsRequest(Request, key=20, versions="1-6", flexible=4):
    topics: Sequence[DeleteTopicState] = array(DeleteTopicState, "6+", default=())
    topic_names: Sequence[str] = array("string", "0-5", default=())
    timeout_ms: int = int32()


class DeletableTopicResult(Struct):
    name: str | None = string(nullable="6+", default=None)
    topic_id: bytes = uuid("6+", default=ZERO_UUID)
    error_code: int = int16()
    error_message: str | None = string("5+", nullable="5+", default=None)


class DeleteTopicsResponse(Response, key=20, versions="1-6", flexible=4):
    throttle_time_ms: int = int32(default=0)
    responses: Sequence[DeletableTopicResult] = array(DeletableTopicResult)
