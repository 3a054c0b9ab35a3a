"""From one generation of a group to the next.

A rebalance has two halves. First everybody (re)joins (PreparingRebalance) until all have, or the rebalance timeout is over and
those who did not are out. Then (CompletingRebalance) the leader brings the assignment, which becomes durable, and everybody's
SyncGroup is answered. A member's session runs throughout: who is not heard of is out, and the group goes on without it.
"""

import logging
from collections.abc import Callable

from core_log.coordination.group import Group, Member, State
from core_log.coordination.group_log import GroupLog
from core_log.coordination.group_messages import JoinResult, SyncResult
from core_log.coordination.group_records import group_key, group_value
from core_log.coordination.timers import Timers
from core_log.errors import ErrorCode

logger = logging.getLogger(__name__)


class Rebalance:
    """Works on groups that it is given, one at a time; keeps nothing but their timers."""

    def __init__(self, log: GroupLog, timers: Timers, initial_delay_ms: int) -> None:
        self._log = log
        self._timers = timers
        self._initial_delay_ms = initial_delay_ms

    # -- joining

    def request(self, group: Group, now_ms: int) -> None:
        """Begin a rebalance, or let the one under way go on."""
        if group.state is not State.PREPARING:
            first = group.state is State.EMPTY
            for member in group.members.values():
                if member.sync_reply is not None:
                    sync_reply, member.sync_reply = member.sync_reply, None
                    sync_reply(SyncResult(ErrorCode.REBALANCE_IN_PROGRESS))
                    self.alive(group, member, now_ms)
                member.assignment = b"" if group.state is State.COMPLETING else member.assignment
            group.unsynced.clear()
            group.become(State.PREPARING)
            if first and self._initial_delay_ms > 0:
                self._wait_for_newcomers(group, now_ms, group.rebalance_timeout_ms())
                return
            self._wait_for_members(group, now_ms)
        if (group.group_id, "delay") not in self._timers:
            self.complete_when_all_joined(group, now_ms)

    def _wait_for_newcomers(self, group: Group, now_ms: int, left_ms: int) -> None:
        """group.initial.rebalance.delay.ms: an empty group waits for more members, again as long as some came meanwhile."""
        group.newcomers_came = False
        delay_ms = min(self._initial_delay_ms, left_ms)

        def over(now_ms: int) -> None:
            if group.newcomers_came and left_ms > delay_ms:
                self._wait_for_newcomers(group, now_ms, left_ms - delay_ms)
            else:
                self._end_joining(group, now_ms)

        self._timers.set((group.group_id, "delay"), now_ms + delay_ms, over)

    def _wait_for_members(self, group: Group, now_ms: int) -> None:
        deadline_ms = now_ms + group.rebalance_timeout_ms()
        self._timers.set((group.group_id, "join"), deadline_ms, lambda now_ms: self._end_joining(group, now_ms))

    def complete_when_all_joined(self, group: Group, now_ms: int) -> None:
        if group.state is State.PREPARING and group.all_joined():
            self._end_joining(group, now_ms)

    def _end_joining(self, group: Group, now_ms: int) -> None:
        """Everybody joined, or time is up: those who did not are out, except static members, who have until their session
        ends.
        """
        self._timers.cancel((group.group_id, "join"))
        self._timers.cancel((group.group_id, "delay"))
        for member in list(group.members.values()):
            if member.join_reply is None and member.group_instance_id is None:
                self.remove(group, member.member_id, ErrorCode.UNKNOWN_MEMBER_ID)
        if group.members and not group.elect_joined_leader():
            self._wait_for_members(group, now_ms)
            return
        group.begin_generation()
        logger.info("group %s: generation %d with %d members", group.group_id, group.generation, len(group.members))
        if group.state is State.EMPTY:
            group.changed_ms = now_ms
            self.store(group, {}, now_ms, _ignore)
            return
        for member in list(group.members.values()):
            self._answer_join(group, member, now_ms)
        deadline_ms = now_ms + group.rebalance_timeout_ms()
        self._timers.set((group.group_id, "sync"), deadline_ms, lambda now_ms: self._end_syncing(group, now_ms))

    def _answer_join(self, group: Group, member: Member, now_ms: int) -> None:
        reply, member.join_reply = member.join_reply, None
        if reply is not None:
            member.is_new = False
            self.alive(group, member, now_ms)
            reply(self.joined(group, member))

    @staticmethod
    def joined(group: Group, member: Member) -> JoinResult:
        leads = member.member_id == group.leader
        return JoinResult(
            ErrorCode.NONE,
            member.member_id,
            group.generation,
            group.protocol_type,
            group.protocol,
            group.leader or "",
            members=group.joined_members() if leads and group.state is State.COMPLETING else (),
        )

    # -- syncing

    def assign(self, group: Group, assignments: dict[str, bytes], now_ms: int) -> None:
        """The leader's assignment counts once it is durable, if no other generation began meanwhile."""
        generation = group.generation

        def durable(error: ErrorCode) -> None:
            if group.state is not State.COMPLETING or group.generation != generation:
                return
            if error is not ErrorCode.NONE:
                logger.error("group %s: the assignment of generation %d could not be written", group.group_id, generation)
                self.request(group, now_ms)
                return
            group.become(State.STABLE)
            group.changed_ms = now_ms
            for member in group.members.values():
                member.assignment = assignments.get(member.member_id, b"")
                self._answer_sync(group, member, now_ms)

        self.store(group, assignments, now_ms, durable)

    def _answer_sync(self, group: Group, member: Member, now_ms: int) -> None:
        reply, member.sync_reply = member.sync_reply, None
        if reply is not None:
            self.alive(group, member, now_ms)
            reply(synced(group, member))

    def _end_syncing(self, group: Group, now_ms: int) -> None:
        """Who joined but never came for its assignment is out."""
        if group.state is State.COMPLETING and group.unsynced:
            for member_id in list(group.unsynced):
                self.remove(group, member_id, ErrorCode.UNKNOWN_MEMBER_ID)
            self.request(group, now_ms)

    def store(self, group: Group, assignments: dict[str, bytes], now_ms: int, done: Callable[[ErrorCode], None]) -> None:
        self._log.write(group.group_id, [(group_key(group.group_id), group_value(group, assignments, now_ms))], now_ms, done)

    # -- sessions

    def alive(self, group: Group, member: Member, now_ms: int, timeout_ms: int = 0) -> None:
        member_id = member.member_id
        deadline_ms = now_ms + (timeout_ms or member.session_timeout_ms)
        self._timers.set((group.group_id, member_id), deadline_ms, lambda now_ms: self.expire(group, member_id, now_ms))

    def expire(self, group: Group, member_id: str, now_ms: int) -> None:
        member = group.members.get(member_id)
        if member is None:
            group.pending.discard(member_id)
            self.complete_when_all_joined(group, now_ms)
            return
        waits = member.join_reply is not None or member.sync_reply is not None
        if waits and not member.is_new:
            self.alive(group, member, now_ms)  # it waits for us, so it cannot heartbeat
            return
        logger.info("group %s: member %s was not heard of for %d ms", group.group_id, member_id, member.session_timeout_ms)
        self.remove(group, member_id, ErrorCode.UNKNOWN_MEMBER_ID)
        self.request(group, now_ms)

    def remove(self, group: Group, member_id: str, told: ErrorCode) -> None:
        self._timers.cancel((group.group_id, member_id))
        self.dismiss(group.remove(member_id), told)

    @staticmethod
    def dismiss(member: Member, told: ErrorCode) -> None:
        """Answer what the member still waits for."""
        join_reply, member.join_reply = member.join_reply, None
        sync_reply, member.sync_reply = member.sync_reply, None
        if join_reply is not None:
            join_reply(JoinResult(told, member.member_id))
        if sync_reply is not None:
            sync_reply(SyncResult(told))


def synced(group: Group, member: Member) -> SyncResult:
    return SyncResult(ErrorCode.NONE, group.protocol_type, group.protocol, member.assignment)


def _ignore(error: ErrorCode) -> None:
    """Nobody waits: an empty group that is not written is found empty by expiry at the next start."""
