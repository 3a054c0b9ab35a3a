"""LeaveGroup, API key 13: https://kafka.apache.org/protocol#The_Messages_LeaveGroup"""

from collections.abc import Sequence

from core_log.protocol.fields import Request, Response, Struct, array, int16, int32, string


class MemberIdentity(Struct):
    member_id: str = string("3+", default="")
    group_instance_id: str | None = string("3+", nullable="3+", default=None)
    reason: str | None = string("5+", nullable="5+", default=None)


class LeaveGroupRequest(Request, key=13, versions="0-5", flexible=4):
    group_id: str = string()
    member_id: str = string("0-2", default="")
    members: Sequence[MemberIdentity] = array(MemberIdentity, "3+", default=())


class MemberResponse(Struct):
    member_id: str = string("3+", default="")
    group_instance_id: str | None = string("3+", nullable="3+", default=None)
    error_code: int = int16("3+", default=0)


class LeaveGroupResponse(Response, key=13, versions="0-5", flexible=4):
    throttle_time_ms: int = int32("1+", default=0)
    error_code: int = int16()
    members: Sequence[MemberResponse] = array(MemberResponse, "3+", default=())
