"""Heartbeat (12), versions 0 to 4."""

from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api12_heartbeat import HeartbeatRequest, HeartbeatResponse


@api(HeartbeatRequest)
def handle(request: HeartbeatRequest, call: Call) -> Answered:
    broker = call.broker
    error = broker.groups.heartbeat(
        request.group_id, request.generation_id, request.member_id, request.group_instance_id, broker.clock.now_ms()
    )
    return HeartbeatResponse(error_code=error)
