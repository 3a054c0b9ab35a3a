"""Classic consumer groups over ``__consumer_offsets``.

Pure: the time is passed in, answers come through callbacks, writes go through ``append``. One coordinator serves all groups.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core_log.coordination.group import Group, Partition, State
from core_log.coordination.group_checks import commit_error
from core_log.coordination.group_loading import load_groups
from core_log.coordination.group_log import Append, Change, GroupLog
from core_log.coordination.group_membership import GroupMembership
from core_log.coordination.group_messages import (
    CommitRequest,
    CommittedOffset,
    DescribedGroup,
    DescribedMember,
    JoinRequest,
    JoinResult,
    LeavingMember,
    LeftMember,
    ListedGroup,
    SyncRequest,
    SyncResult,
)
from core_log.coordination.group_offsets import GroupOffsets
from core_log.coordination.group_records import group_key, offset_key
from core_log.coordination.timers import Timers
from core_log.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Kafka's broker settings ``group.*`` and ``offsets.*``."""

    initial_rebalance_delay_ms: int = 0
    min_session_timeout_ms: int = 6_000
    max_session_timeout_ms: int = 1_800_000
    max_group_size: int = 2_147_483_647
    offsets_partitions: int = 4
    offsets_retention_ms: int = 7 * 24 * 3_600_000
    offset_metadata_max_bytes: int = 4_096


class GroupCoordinator:
    def __init__(self, settings: GroupSettings, append: Append) -> None:
        self._settings = settings
        self._groups: dict[str, Group] = {}
        self._timers = Timers()
        self._log = GroupLog(settings.offsets_partitions, append)
        self._membership = GroupMembership(
            self._log,
            self._timers,
            initial_delay_ms=settings.initial_rebalance_delay_ms,
            max_group_size=settings.max_group_size,
        )
        self._offsets = GroupOffsets(
            self._log, metadata_max_bytes=settings.offset_metadata_max_bytes, retention_ms=settings.offsets_retention_ms
        )

    def partition_for(self, group_id: str) -> int:
        """The partition of ``__consumer_offsets`` that holds the group."""
        return self._log.partition_for(group_id)

    def load(self, partition: int, chunks: Iterable[bytes | memoryview], now_ms: int) -> None:
        """Read one partition of ``__consumer_offsets`` back at start: pieces of whole record batches, in order. Call before any
        request. Members that were there come back with a fresh session.
        """
        for group in load_groups(partition, chunks).values():
            self._groups[group.group_id] = group
            for member_id in group.members:
                self._membership.refresh(group, member_id, now_ms)

    # -- members

    def join(self, request: JoinRequest, now_ms: int, reply: Callable[[JoinResult], None]) -> None:
        """Answered when the member is in a generation. The errors are those of Kafka's JoinGroup."""
        settings = self._settings
        group = self._groups.get(request.group_id)
        error = ErrorCode.NONE
        if not request.group_id:
            error = ErrorCode.INVALID_GROUP_ID
        elif not settings.min_session_timeout_ms <= request.session_timeout_ms <= settings.max_session_timeout_ms:
            error = ErrorCode.INVALID_SESSION_TIMEOUT
        elif group is None and request.member_id:
            error = ErrorCode.UNKNOWN_MEMBER_ID
        if error is not ErrorCode.NONE:
            reply(JoinResult(error, request.member_id))
            return
        self._membership.join(group or self._new_group(request.group_id), request, now_ms, reply)

    def sync(self, request: SyncRequest, now_ms: int, reply: Callable[[SyncResult], None]) -> None:
        """Answered when the leader's assignment is durable."""
        group = self._groups.get(request.group_id)
        if group is None:
            reply(SyncResult(ErrorCode.UNKNOWN_MEMBER_ID))
        else:
            self._membership.sync(group, request, now_ms, reply)

    def heartbeat(
        self, group_id: str, generation: int, member_id: str, group_instance_id: str | None, now_ms: int
    ) -> ErrorCode:
        """REBALANCE_IN_PROGRESS tells the member to join again."""
        group = self._groups.get(group_id)
        if group is None:
            return ErrorCode.UNKNOWN_MEMBER_ID
        return self._membership.heartbeat(group, generation, member_id, group_instance_id, now_ms)

    def leave(self, group_id: str, members: Sequence[LeavingMember], now_ms: int) -> tuple[ErrorCode, list[LeftMember]]:
        """Below version 3 a request names one member: its own error is then the answer's."""
        group = self._groups.get(group_id)
        if group is None:
            return ErrorCode.NONE, [
                LeftMember(one.member_id, one.group_instance_id, ErrorCode.UNKNOWN_MEMBER_ID) for one in members
            ]
        return ErrorCode.NONE, self._membership.leave(group, members, now_ms)

    def tick(self, now_ms: int) -> None:
        """Do what is due: sessions that expired, rebalances whose time is up."""
        self._timers.tick(now_ms)

    def next_deadline_ms(self) -> int | None:
        return self._timers.next_deadline_ms()

    # -- offsets

    def commit(self, request: CommitRequest, now_ms: int, reply: Callable[[dict[Partition, ErrorCode]], None]) -> None:
        """Answered when durable. A group that does not exist comes to be when the commit names no generation."""
        group = self._groups.get(request.group_id)
        error = ErrorCode.NONE
        if group is not None:
            error = commit_error(group, request.generation, request.member_id, request.group_instance_id)
        elif request.generation >= 0:
            error = ErrorCode.ILLEGAL_GENERATION
        if error is not ErrorCode.NONE:
            reply(dict.fromkeys(request.offsets, error))
            return
        group = group or self._new_group(request.group_id)
        if request.member_id in group.members:
            self._membership.refresh(group, request.member_id, now_ms)
        self._offsets.commit(group, request.offsets, now_ms, reply)

    def committed(self, group_id: str, partitions: Iterable[Partition] | None) -> dict[Partition, CommittedOffset]:
        """Committed offsets of the given partitions (``NO_OFFSET`` where there is none), or of all for None."""
        return self._offsets.committed(self._groups.get(group_id), partitions)

    def delete_offsets(
        self,
        group_id: str,
        partitions: Sequence[Partition],
        now_ms: int,
        reply: Callable[[ErrorCode, dict[Partition, ErrorCode]], None],
    ) -> None:
        """OffsetDelete: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; GROUP_SUBSCRIBED_TO_TOPIC for topics that live members read."""
        group = self._groups.get(group_id)
        if group is None:
            reply(ErrorCode.GROUP_ID_NOT_FOUND, {})
            return
        error, answers = self._offsets.deletable(group, partitions)
        if error is not ErrorCode.NONE:
            reply(error, {})
            return
        allowed = [key for key, one in answers.items() if one is ErrorCode.NONE]
        self._offsets.remove(group, allowed, now_ms, lambda error: reply(error, answers))

    def forget_topic(self, topic: str, now_ms: int) -> None:
        """The topic was deleted: its committed offsets go too."""
        for group in self._groups.values():
            self._offsets.remove(group, [key for key in group.offsets if key[0] == topic], now_ms, _ignore)

    def expire_offsets(self, now_ms: int) -> int:
        """Remove offsets of groups empty for ``offsets_retention_ms``, and empty groups without any. Returns offsets
        removed.
        """
        removed = 0
        for group in list(self._groups.values()):
            expired = self._offsets.expired(group, now_ms)
            removed += len(expired)
            if group.state is State.EMPTY and not group.pending and len(expired) == len(group.offsets):
                self._remove_group(group, now_ms, _ignore)
            else:
                self._offsets.remove(group, expired, now_ms, _ignore)
        return removed

    # -- groups

    def describe(self, group_id: str) -> DescribedGroup:
        """Metadata and assignments are told while the group is stable, as Kafka does."""
        group = self._groups.get(group_id)
        if group is None:
            return DescribedGroup(ErrorCode.NONE, group_id, State.DEAD)
        stable = group.state is State.STABLE
        members = [
            DescribedMember(
                one.member_id,
                one.group_instance_id,
                one.client_id,
                one.client_host,
                one.metadata(group.protocol) if stable else b"",
                one.assignment if stable else b"",
            )
            for one in group.members.values()
        ]
        protocol = (group.protocol or "") if stable else ""
        return DescribedGroup(ErrorCode.NONE, group_id, group.state, group.protocol_type, protocol, members)

    def list_groups(self) -> list[ListedGroup]:
        return [ListedGroup(group.group_id, group.protocol_type, group.state) for group in self._groups.values()]

    def delete_group(self, group_id: str, now_ms: int, reply: Callable[[ErrorCode], None]) -> None:
        """NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, or NONE once durable."""
        group = self._groups.get(group_id)
        if group is None:
            reply(ErrorCode.GROUP_ID_NOT_FOUND)
        elif group.state is not State.EMPTY:
            reply(ErrorCode.NON_EMPTY_GROUP)
        else:
            self._remove_group(group, now_ms, reply)

    def _new_group(self, group_id: str) -> Group:
        group = self._groups[group_id] = Group(group_id)
        return group

    def _remove_group(self, group: Group, now_ms: int, done: Callable[[ErrorCode], None]) -> None:
        """Gone at once for requests; the answer waits for the disk."""
        group.become(State.DEAD)
        del self._groups[group.group_id]
        changes: list[Change] = [(offset_key(group.group_id, *key), None) for key in group.offsets]
        self._log.write(group.group_id, [*changes, (group_key(group.group_id), None)], now_ms, done)


def _ignore(error: ErrorCode) -> None:
    """Nobody waits for this: what could not be written is tried again at the next expiry or start."""
