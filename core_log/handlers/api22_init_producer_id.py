"""InitProducerId (22), versions 0 to 5: an id for an idempotent producer. Transactional ids are refused.

FindCoordinator, which clients ask first, says why.
"""

from core_log.errors import ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api22_init_producer_id import InitProducerIdRequest, InitProducerIdResponse


@api(InitProducerIdRequest)
def handle(request: InitProducerIdRequest, call: Call) -> Answered:
    if request.transactional_id is not None:
        return InitProducerIdResponse(error_code=ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producer_epoch=-1)
    return InitProducerIdResponse(error_code=0, producer_id=call.broker.producer_ids.allocate(), producer_epoch=0)
