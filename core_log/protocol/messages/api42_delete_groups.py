"""DeleteGroups, API key 42: https://kafka.apache.org/protocol#The_Messages_DeleteGroups"""

from collections.abc import Sequence

from core_log.protocol.fields import Request, Response, Struct, array, int16, int32, string


class DeleteGroupsRequest(Request, key=42, versions="0-2", flexible=2):
    groups_names: Sequence[str] = array("string")


class DeletableGroupResult(Struct):
    group_id: str = string()
    error_code: int = int16()


class DeleteGroupsResponse(Response, key=42, versions="0-2", flexible=2):
    throttle_time_ms: int = int32(default=0)
    results: Sequence[DeletableGroupResult] = array(DeletableGroupResult)
