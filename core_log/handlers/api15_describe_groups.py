"""DescribeGroups (15), versions 0 to 6. A group that is not there is Dead; version 6 adds GROUP_ID_NOT_FOUND (KIP-1043)."""

from core_log.errors import ErrorCode
from core_log.handlers import node
from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api15_describe_groups import (
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
)


@api(DescribeGroupsRequest)
def handle(request: DescribeGroupsRequest, call: Call) -> Answered:
    operations = node.GROUP_OPERATIONS if request.include_authorized_operations else node.NO_OPERATIONS
    return DescribeGroupsResponse(groups=[_described(group_id, call, operations) for group_id in request.groups])


def _described(group_id: str, call: Call, operations: int) -> DescribedGroup:
    group = call.broker.groups.describe(group_id)
    missing = group.state == "Dead" and call.version >= 6
    return DescribedGroup(
        error_code=ErrorCode.GROUP_ID_NOT_FOUND if missing else group.error,
        error_message=f"Group {group_id} not found." if missing else None,
        group_id=group_id,
        group_state=group.state,
        protocol_type=group.protocol_type,
        protocol_data=group.protocol,
        members=[
            DescribedGroupMember(
                member_id=one.member_id,
                group_instance_id=one.group_instance_id,
                client_id=one.client_id,
                client_host=one.client_host,
                member_metadata=one.metadata,
                member_assignment=one.assignment,
            )
            for one in group.members
        ],
        authorized_operations=operations,
    )
