"""ListGroups (16), versions 0 to 5; 4 filters by state, 5 by type (every group here is classic)."""

from core_log.handlers.registry import Answered, Call, api
from core_log.protocol.messages.api16_list_groups import ListedGroup, ListGroupsRequest, ListGroupsResponse


@api(ListGroupsRequest)
def handle(request: ListGroupsRequest, call: Call) -> Answered:
    states = {state.lower() for state in request.states_filter}
    types = {kind.lower() for kind in request.types_filter}
    return ListGroupsResponse(
        error_code=0,
        groups=[
            ListedGroup(
                group_id=group.group_id,
                protocol_type=group.protocol_type,
                group_state=group.state,
                group_type=group.group_type,
            )
            for group in call.broker.groups.list_groups()
            if (not states or group.state.lower() in states) and (not types or group.group_type.lower() in types)
        ],
    )
