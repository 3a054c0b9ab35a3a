"""What handlers and the group coordinator say to each other: plain values, no wire format."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core_log.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """``member_id`` is "" for a newcomer. ``protocols``: (name, metadata), best first. ``require_known_member_id``: version
    >= 4 (KIP-394). ``supports_skip_assignment``: version >= 9. ``rebalance_timeout_ms`` is the session timeout in version 0.
    """

    group_id: str
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocols: Sequence[tuple[str, bytes]]
    require_known_member_id: bool = True
    supports_skip_assignment: bool = False
    reason: str = ""


class JoinedMember(NamedTuple):
    member_id: str
    group_instance_id: str | None
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinResult:
    """``members`` is filled for the leader only."""

    error: ErrorCode
    member_id: str
    generation: int = -1
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str = ""
    skip_assignment: bool = False
    members: Sequence[JoinedMember] = ()


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """``protocol_type`` and ``protocol_name`` are None below version 5. ``assignments`` comes from the leader only."""

    group_id: str
    generation: int
    member_id: str
    group_instance_id: str | None
    protocol_type: str | None
    protocol_name: str | None
    assignments: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class SyncResult:
    error: ErrorCode
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


class LeavingMember(NamedTuple):
    member_id: str
    group_instance_id: str | None = None
    reason: str = ""


class LeftMember(NamedTuple):
    member_id: str
    group_instance_id: str | None
    error: ErrorCode


class CommittedOffset(NamedTuple):
    """``offset`` is -1 when nothing was committed."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""


NO_OFFSET = CommittedOffset(-1)


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """``generation`` < 0 with an empty ``member_id``: a simple consumer or an admin client. ``offsets``: (topic, partition)
    to offset.
    """

    group_id: str
    generation: int
    member_id: str
    group_instance_id: str | None
    offsets: dict[tuple[str, int], CommittedOffset]


class DescribedMember(NamedTuple):
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    metadata: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """An unknown group is described as ``Dead`` (DescribeGroups up to version 5) with ``error`` NONE; version 6 says
    GROUP_ID_NOT_FOUND, which is the handler's choice (``state == "Dead"``).
    """

    error: ErrorCode
    group_id: str
    state: str
    protocol_type: str = ""
    protocol: str = ""
    members: Sequence[DescribedMember] = field(default=())


class ListedGroup(NamedTuple):
    group_id: str
    protocol_type: str
    state: str
    group_type: str = "classic"
