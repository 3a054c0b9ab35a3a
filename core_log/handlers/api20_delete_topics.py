"""DeleteTopics (20), versions 1 to 6; 6 names topics by name or id. The topic is gone at once, its files soon after."""

from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.fields import ZERO_UUID
from core_log.protocol.messages.api20_delete_topics import (
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DeleteTopicState,
)
from core_log.settings import OFFSETS_TOPIC
from core_log.storage.catalog import Topic


@api(DeleteTopicsRequest)
def handle(request: DeleteTopicsRequest, call: Call) -> Answered:
    wanted = request.topics if call.version >= 6 else [DeleteTopicState(name=name) for name in request.topic_names]
    return DeleteTopicsResponse(responses=[_delete(one, call) for one in wanted])


def _delete(wanted: DeleteTopicState, call: Call) -> DeletableTopicResult:
    try:
        topic = _find(wanted, call)
        call.broker.delete_topic(topic.name)
    except BrokerError as error:
        return DeletableTopicResult(
            name=wanted.name if wanted.name is not None or call.version >= 6 else "",
            topic_id=wanted.topic_id,
            error_code=error.code,
            error_message=error.message,
        )
    return DeletableTopicResult(name=topic.name, topic_id=topic.id.bytes, error_code=0)


def _find(wanted: DeleteTopicState, call: Call) -> Topic:
    if wanted.name is not None and wanted.topic_id != ZERO_UUID:
        raise BrokerError(ErrorCode.INVALID_REQUEST, "a topic is deleted by name or by id, not by both")
    topic = call.broker.topic_by_id(wanted.topic_id) if wanted.name is None else call.broker.topic(wanted.name)
    if topic.name == OFFSETS_TOPIC:
        raise BrokerError(ErrorCode.INVALID_REQUEST, f"{OFFSETS_TOPIC} is the broker's own and stays")
    return topic
