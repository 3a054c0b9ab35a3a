"""DescribeGroups, API key 15: https://kafka.apache.org/protocol#The_Messages_DescribeGroups"""

from collections.abc import Sequence

from core_log.protocol.fields import Request, Response, Struct, array, binary, boolean, int16, int32, string


class DescribeGroupsRequest(Request, key=15, versions="0-6", flexible=5):
    groups: Sequence[str] = array("string")
    include_authorized_operations: bool = boolean("3+", default=False)


class DescribedGroupMember(Struct):
    member_id: str = string()
    group_instance_id: str | None = string("4+", nullable="4+", default=None)
    client_id: str = string()
    client_host: str = string()
    member_metadata: bytes = binary()
    member_assignment: bytes = binary()


class DescribedGroup(Struct):
    error_code: int = int16()
    error_message: str | None = string("6+", nullable="6+", default=None)
    group_id: str = string()
    group_state: str = string()
    protocol_type: str = string()
    protocol_data: str = string()
    members: Sequence[DescribedGroupMember] = array(DescribedGroupMember)
    authorized_operations: int = int32("3+", default=-2147483648)


class DescribeGroupsResponse(Response, key=15, versions="0-6", flexible=5):
    throttle_time_ms: int = int32("1+", default=0)
    groups: Sequence[DescribedGroup] = array(DescribedGroup)
