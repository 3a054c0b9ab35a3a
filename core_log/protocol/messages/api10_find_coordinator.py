"""FindCoordinator, API key 10: https://kafka.apache.org/protocol#The_Messages_FindCoordinator"""

from collections.abc import Sequence

from core_log.protocol.fields import Request, Response, Struct, array, int8, int16, int32, string


class FindCoordinatorRequest(Request, key=10, versions="0-6", flexible=3):
    key: str = string("0-3", default="")
    key_type: int = int8("1+", default=0)
    coordinator_keys: Sequence[str] = array("string", "4+", default=())


class Coordinator(Struct):
    key: str = string("4+", default="")
    node_id: int = int32("4+", default=0)
    host: str = string("4+", default="")
    port: int = int32("4+", default=0)
    error_code: int = int16("4+", default=0)
    error_message: str | None = string("4+", nullable="4+", default=None)


class FindCoordinatorResponse(Response, key=10, versions="0-6", flexible=3):
    throttle_time_ms: int = int32("1+", default=0)
    error_code: int = int16("0-3", default=0)
    error_message: str | None = string("1-3", nullable="1-3", default=None)
    node_id: int = int32("0-3", default=0)
    host: str = string("0-3", default="")
    port: int = int32("0-3", default=0)
    coordinators: Sequence[Coordinator] = array(Coordinator, "4+", default=())
