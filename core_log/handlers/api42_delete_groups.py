"""DeleteGroups (42), versions 0 to 2. Answered when the removal of every group is on disk."""

from functools import partial

from core_log.errors import ErrorCode
from core_log.handlers.registry import LATER, Answered, Call, api
from core_log.protocol.messages.api42_delete_groups import DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse


@api(DeleteGroupsRequest)
def handle(request: DeleteGroupsRequest, call: Call) -> Answered:
    names = list(dict.fromkeys(request.groups_names))
    errors: dict[str, ErrorCode] = {}
    if not names:
        return DeleteGroupsResponse(results=())

    def reply(name: str, error: ErrorCode) -> None:
        errors[name] = error
        if len(errors) == len(names):
            results = [DeletableGroupResult(group_id=one, error_code=errors[one]) for one in names]
            call.answer(DeleteGroupsResponse(results=results))

    for name in names:
        call.broker.groups.delete_group(name, call.broker.clock.now_ms(), partial(reply, name))
    return LATER
