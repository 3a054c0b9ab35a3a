"""What members ask of their group: joining, syncing, living and leaving."""

import logging
import uuid
from collections.abc import Callable, Sequence

from core_log.coordination.group import Group, Member, State
from core_log.coordination.group_checks import identity_error, standing_error
from core_log.coordination.group_log import GroupLog
from core_log.coordination.group_messages import JoinRequest, JoinResult, LeavingMember, LeftMember, SyncRequest, SyncResult
from core_log.coordination.group_rebalance import Rebalance, synced
from core_log.coordination.timers import Timers
from core_log.errors import ErrorCode

logger = logging.getLogger(__name__)

#: A newcomer that waits for its first generation cannot heartbeat; it is given up only after this long.
NEWCOMER_TIMEOUT_MS = 300_000


class GroupMembership:
    """Works on groups that it is given; the coordinator finds and keeps them."""

    def __init__(self, log: GroupLog, timers: Timers, *, initial_delay_ms: int, max_group_size: int) -> None:
        self._timers = timers
        self._max_group_size = max_group_size
        self._rebalance = Rebalance(log, timers, initial_delay_ms)

    # -- joining

    def join(self, group: Group, request: JoinRequest, now_ms: int, reply: Callable[[JoinResult], None]) -> None:
        error = self._join_error(group, request)
        if error is not ErrorCode.NONE:
            reply(JoinResult(error, request.member_id))
        elif request.member_id in group.members:
            self._rejoin(group, group.members[request.member_id], request, now_ms, reply)
        elif request.member_id:
            self._add(group, request, request.member_id, now_ms, reply)
        else:
            self._join_first_time(group, request, now_ms, reply)

    def _join_error(self, group: Group, request: JoinRequest) -> ErrorCode:
        if not group.supports(request.protocol_type, request.protocols):
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        if not request.member_id:
            returns = request.group_instance_id in group.static_members
            full = len(group.members) + len(group.pending) >= self._max_group_size
            return ErrorCode.GROUP_MAX_SIZE_REACHED if full and not returns else ErrorCode.NONE
        if request.member_id in group.pending:
            return ErrorCode.NONE
        return identity_error(group, request.member_id, request.group_instance_id)

    def _join_first_time(self, group: Group, request: JoinRequest, now_ms: int, reply: Callable[[JoinResult], None]) -> None:
        member_id = f"{request.group_instance_id or request.client_id}-{uuid.uuid4()}"
        if request.group_instance_id is not None:
            if request.group_instance_id in group.static_members:
                self._return_static(group, request, member_id, now_ms, reply)
            else:
                self._add(group, request, member_id, now_ms, reply)
        elif request.require_known_member_id:
            group.pending.add(member_id)
            deadline_ms = now_ms + request.session_timeout_ms
            self._timers.set(
                (group.group_id, member_id), deadline_ms, lambda now_ms: self._rebalance.expire(group, member_id, now_ms)
            )
            reply(JoinResult(ErrorCode.MEMBER_ID_REQUIRED, member_id))
        else:
            self._add(group, request, member_id, now_ms, reply)

    def _add(
        self, group: Group, request: JoinRequest, member_id: str, now_ms: int, reply: Callable[[JoinResult], None]
    ) -> None:
        member = Member(
            member_id,
            request.group_instance_id,
            request.client_id,
            request.client_host,
            request.session_timeout_ms,
            request.rebalance_timeout_ms,
            request.protocols,
            is_new=True,
            join_reply=reply,
        )
        if not group.members:
            group.protocol_type = request.protocol_type
        group.add(member)
        group.newcomers_came = True
        self._rebalance.alive(group, member, now_ms, NEWCOMER_TIMEOUT_MS)
        self._rebalance.request(group, now_ms)

    def _rejoin(
        self, group: Group, member: Member, request: JoinRequest, now_ms: int, reply: Callable[[JoinResult], None]
    ) -> None:
        """A known member joins again: for a rebalance that is under way, to begin one, or because an answer was lost."""
        unchanged = list(member.protocols) == list(request.protocols)
        has_generation = group.state is State.COMPLETING or (group.state is State.STABLE and member.member_id != group.leader)
        if unchanged and has_generation:
            reply(self._rebalance.joined(group, member))
        else:
            self._take_over(member, request, reply)
            self._rebalance.request(group, now_ms)

    @staticmethod
    def _take_over(member: Member, request: JoinRequest, reply: Callable[[JoinResult], None]) -> None:
        if member.join_reply is not None:
            member.join_reply(JoinResult(ErrorCode.REBALANCE_IN_PROGRESS, member.member_id))
        member.protocols = request.protocols
        member.session_timeout_ms = request.session_timeout_ms
        member.rebalance_timeout_ms = request.rebalance_timeout_ms
        member.join_reply = reply

    def _return_static(
        self, group: Group, request: JoinRequest, new_id: str, now_ms: int, reply: Callable[[JoinResult], None]
    ) -> None:
        """KIP-345: a static member that comes back, with the same protocols, gets its old assignment and disturbs nobody."""
        instance_id = request.group_instance_id or ""
        old_id, old_leader = group.static_members[instance_id], group.leader or ""
        self._timers.cancel((group.group_id, old_id))
        member = group.rename_static(instance_id, new_id)
        self._rebalance.dismiss(member, ErrorCode.FENCED_INSTANCE_ID)
        before = group.protocol
        member.protocols = request.protocols
        member.session_timeout_ms, member.rebalance_timeout_ms = request.session_timeout_ms, request.rebalance_timeout_ms
        self._rebalance.alive(group, member, now_ms)
        if group.state is not State.STABLE or group.choose_protocol() != before:
            member.join_reply = reply
            self._rebalance.request(group, now_ms)
            return
        leads = group.leader == new_id
        answer = JoinResult(
            ErrorCode.NONE,
            new_id,
            group.generation,
            group.protocol_type,
            group.protocol,
            # Before version 9 a returning leader must not assign anew: naming its former id keeps it a follower.
            new_id if leads and request.supports_skip_assignment else old_leader,
            skip_assignment=leads and request.supports_skip_assignment,
            members=group.joined_members() if leads and request.supports_skip_assignment else (),
        )
        assignments = {one.member_id: one.assignment for one in group.members.values()}
        self._rebalance.store(
            group, assignments, now_ms, lambda error: reply(answer if error is ErrorCode.NONE else JoinResult(error, new_id))
        )

    # -- syncing

    def sync(self, group: Group, request: SyncRequest, now_ms: int, reply: Callable[[SyncResult], None]) -> None:
        error = self._sync_error(group, request)
        if error is not ErrorCode.NONE:
            reply(SyncResult(error))
            return
        member = group.members[request.member_id]
        if group.state is State.STABLE:
            self._rebalance.alive(group, member, now_ms)
            reply(synced(group, member))
            return
        if member.sync_reply is not None:
            member.sync_reply(SyncResult(ErrorCode.REBALANCE_IN_PROGRESS))
        member.sync_reply = reply
        group.unsynced.discard(member.member_id)
        self._rebalance.alive(group, member, now_ms)
        if member.member_id == group.leader:
            self._rebalance.assign(group, dict(request.assignments), now_ms)

    @staticmethod
    def _sync_error(group: Group, request: SyncRequest) -> ErrorCode:
        error = standing_error(group, request.generation, request.member_id, request.group_instance_id)
        if error is not ErrorCode.NONE:
            return error
        other_type = request.protocol_type is not None and request.protocol_type != group.protocol_type
        other_name = request.protocol_name is not None and request.protocol_name != group.protocol
        if other_type or other_name:
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        return ErrorCode.REBALANCE_IN_PROGRESS if group.state is State.PREPARING else ErrorCode.NONE

    # -- living and leaving

    def heartbeat(self, group: Group, generation: int, member_id: str, instance_id: str | None, now_ms: int) -> ErrorCode:
        error = standing_error(group, generation, member_id, instance_id)
        if error is ErrorCode.NONE:
            self.refresh(group, member_id, now_ms)
            return ErrorCode.REBALANCE_IN_PROGRESS if group.state is State.PREPARING else ErrorCode.NONE
        return error

    def refresh(self, group: Group, member_id: str, now_ms: int) -> None:
        """A sign of life: the member's session begins anew."""
        self._rebalance.alive(group, group.members[member_id], now_ms)

    def leave(self, group: Group, members: Sequence[LeavingMember], now_ms: int) -> list[LeftMember]:
        before = len(group.members)
        left = [LeftMember(one.member_id, one.group_instance_id, self._leave_one(group, one)) for one in members]
        if len(group.members) < before:
            self._rebalance.request(group, now_ms)
        else:
            self._rebalance.complete_when_all_joined(group, now_ms)
        return left

    def _leave_one(self, group: Group, leaving: LeavingMember) -> ErrorCode:
        member_id = leaving.member_id
        if leaving.group_instance_id is not None and not member_id:
            member_id = group.static_members.get(leaving.group_instance_id, "")
        if member_id in group.pending:
            group.pending.discard(member_id)
            self._timers.cancel((group.group_id, member_id))
            return ErrorCode.NONE
        error = identity_error(group, member_id, leaving.group_instance_id)
        if error is ErrorCode.NONE:
            logger.info("group %s: member %s leaves. %s", group.group_id, member_id, leaving.reason)
            self._rebalance.remove(group, member_id, ErrorCode.UNKNOWN_MEMBER_ID)
        return error
