"""SyncGroup (14), versions 0 to 5. Answered when the group's leader has given the assignment."""

from core_log.coordination.group_messages import SyncRequest, SyncResult
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api14_sync_group import SyncGroupRequest, SyncGroupResponse


@api(SyncGroupRequest)
def handle(request: SyncGroupRequest, call: Call) -> Answered:
    sync = SyncRequest(
        group_id=request.group_id,
        generation=request.generation_id,
        member_id=request.member_id,
        group_instance_id=request.group_instance_id,
        protocol_type=request.protocol_type,
        protocol_name=request.protocol_name,
        assignments=[(one.member_id, one.assignment) for one in request.assignments],
    )

    def reply(result: SyncResult) -> None:
        call.answer(
            SyncGroupResponse(
                error_code=result.error,
                protocol_type=result.protocol_type,
                protocol_name=result.protocol_name,
                assignment=result.assignment,
            )
        )

    call.broker.groups.sync(sync, call.broker.clock.now_ms(), reply)
    return LATER
