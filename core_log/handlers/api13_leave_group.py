"""LeaveGroup (13), versions 0 to 5; before 3 a request names one member, whose error is then the answer's."""

from core_log.coordination.group_messages import LeavingMember
from core_log.errors import ErrorCode
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api13_leave_group import LeaveGroupRequest, LeaveGroupResponse, MemberResponse


@api(LeaveGroupRequest)
def handle(request: LeaveGroupRequest, call: Call) -> Answered:
    if call.version >= 3:
        leaving = [LeavingMember(one.member_id, one.group_instance_id, one.reason or "") for one in request.members]
    else:
        leaving = [LeavingMember(request.member_id)]
    error, left = call.broker.groups.leave(request.group_id, leaving, call.broker.clock.now_ms())
    if call.version < 3:
        single = left[0].error if left else ErrorCode.NONE
        return LeaveGroupResponse(error_code=error or single)
    return LeaveGroupResponse(
        error_code=error,
        members=[
            MemberResponse(member_id=one.member_id, group_instance_id=one.group_instance_id, error_code=one.error)
            for one in left
        ],
    )
