"""FindCoordinator (10), versions 0 to 6; from 4 on several keys in one request.

This node coordinates every group. Transactional ids and share groups are refused with the reason.
"""

from core_log.errors import ErrorCode
from core_log.handlers import node
from core_log.handlers.api00_produce import NO_TRANSACTIONS
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api10_find_coordinator import Coordinator, FindCoordinatorRequest, FindCoordinatorResponse
from core_log.settings import NODE_ID

GROUP, TRANSACTION = 0, 1


@api(FindCoordinatorRequest)
def handle(request: FindCoordinatorRequest, call: Call) -> Answered:
    if call.version >= 4:
        return FindCoordinatorResponse(coordinators=[_find(key, request.key_type, call) for key in request.coordinator_keys])
    found = _find(request.key, request.key_type, call)
    return FindCoordinatorResponse(
        error_code=found.error_code,
        error_message=found.error_message,
        node_id=found.node_id,
        host=found.host,
        port=found.port,
    )


def _find(key: str, key_type: int, call: Call) -> Coordinator:
    if key_type == TRANSACTION:
        return _refused(key, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS)
    if key_type != GROUP:
        return _refused(key, ErrorCode.INVALID_REQUEST, f"coordinators of type {key_type} are not served")
    host, port = node.endpoint(call)
    return Coordinator(key=key, node_id=NODE_ID, host=host, port=port)


def _refused(key: str, code: ErrorCode, message: str) -> Coordinator:
    return Coordinator(key=key, node_id=-1, host="", port=-1, error_code=code, error_message=message)
