"""JoinGroup (11), versions 0 to 9. Answered when the coordinator has the whole group together."""

from core_log.coordination.group_messages import JoinRequest, JoinResult
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api11_join_group import JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember


@api(JoinGroupRequest)
def handle(request: JoinGroupRequest, call: Call) -> Answered:
    join = JoinRequest(
        group_id=request.group_id,
        member_id=request.member_id,
        group_instance_id=request.group_instance_id,
        client_id=call.client_id or "",
        client_host=f"/{call.client_host}",
        session_timeout_ms=request.session_timeout_ms,
        rebalance_timeout_ms=request.rebalance_timeout_ms if call.version >= 1 else request.session_timeout_ms,
        protocol_type=request.protocol_type,
        protocols=[(one.name, one.metadata) for one in request.protocols],
        require_known_member_id=call.version >= 4,
        supports_skip_assignment=call.version >= 9,
        reason=request.reason or "",
    )

    def reply(result: JoinResult) -> None:
        call.answer(_response(result, call.version))

    call.broker.groups.join(join, call.broker.clock.now_ms(), reply)
    return LATER


def _response(result: JoinResult, version: int) -> JoinGroupResponse:
    name = result.protocol_name
    return JoinGroupResponse(
        error_code=result.error,
        generation_id=result.generation,
        protocol_type=result.protocol_type,
        protocol_name=name if name is not None or version >= 7 else "",
        leader=result.leader,
        skip_assignment=result.skip_assignment,
        member_id=result.member_id,
        members=[
            JoinGroupResponseMember(member_id=one.member_id, group_instance_id=one.group_instance_id, metadata=one.metadata)
            for one in result.members
        ],
    )
