"""InitProducerId (22), versions 0 to 5: an id for an idempotent producer. Transactional ids are refused."""

import logging

from core_log.errors import ErrorCode
from core_log.handlers.api00_produce import NO_TRANSACTIONS
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api22_init_producer_id import InitProducerIdRequest, InitProducerIdResponse

logger = logging.getLogger(__name__)


@api(InitProducerIdRequest)
def handle(request: InitProducerIdRequest, call: Call) -> Answered:
    if request.transactional_id is not None:
        logger.warning("client %s asks for transactional id %r: %s", call.client_id, request.transactional_id, NO_TRANSACTIONS)
        return InitProducerIdResponse(error_code=ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producer_epoch=-1)
    return InitProducerIdResponse(error_code=0, producer_id=call.broker.producer_ids.allocate(), producer_epoch=0)
