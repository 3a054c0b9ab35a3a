"""One classic consumer group: who is in it, which state it is in, who leads. No time, no files, no answers of its own.

The rules are Kafka's: https://cwiki.apache.org/confluence/display/KAFKA/Kafka+Client-side+Assignment+Proposal, KIP-345 (static
members), KIP-394 (a member id first).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core_log.coordination.group_messages import CommittedOffset, JoinedMember, JoinResult, SyncResult

Partition = tuple[str, int]


class State(StrEnum):
    """As DescribeGroups spells them."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


#: From each state, the states that may follow.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.EMPTY: frozenset({State.PREPARING, State.DEAD}),
    State.PREPARING: frozenset({State.EMPTY, State.COMPLETING, State.DEAD}),
    State.COMPLETING: frozenset({State.PREPARING, State.STABLE, State.DEAD}),
    State.STABLE: frozenset({State.PREPARING, State.DEAD}),
    State.DEAD: frozenset(),
}


@dataclass(slots=True)
class Member:
    """``join_reply`` and ``sync_reply`` are set while the member waits for that answer; ``is_new`` until its first
    generation.
    """

    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocols: Sequence[tuple[str, bytes]]
    assignment: bytes = b""
    is_new: bool = False
    join_reply: Callable[[JoinResult], None] | None = None
    sync_reply: Callable[[SyncResult], None] | None = None

    def metadata(self, protocol: str | None) -> bytes:
        return next((content for name, content in self.protocols if name == protocol), b"")


@dataclass(slots=True)
class StoredOffset:
    """A committed offset and when it was committed."""

    committed: CommittedOffset
    commit_ms: int


@dataclass(slots=True)
class Group:
    """``members`` keeps the order of joining. ``pending`` are ids that were handed out and have not joined yet.
    ``changed_ms`` is when the group last became Empty or Stable.
    """

    group_id: str
    state: State = State.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str | None = None
    leader: str | None = None
    changed_ms: int = -1
    members: dict[str, Member] = field(default_factory=dict)
    static_members: dict[str, str] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    unsynced: set[str] = field(default_factory=set)
    offsets: dict[Partition, StoredOffset] = field(default_factory=dict)
    newcomers_came: bool = False

    def become(self, state: State) -> None:
        assert state in TRANSITIONS[self.state], f"{self.group_id}: {self.state} -> {state}"
        self.state = state

    # -- members

    def add(self, member: Member) -> None:
        self.members[member.member_id] = member
        self.pending.discard(member.member_id)
        if member.group_instance_id is not None:
            self.static_members[member.group_instance_id] = member.member_id
        if self.leader is None:
            self.leader = member.member_id

    def remove(self, member_id: str) -> Member:
        member = self.members.pop(member_id)
        self.unsynced.discard(member_id)
        if member.group_instance_id is not None and self.static_members.get(member.group_instance_id) == member_id:
            del self.static_members[member.group_instance_id]
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        return member

    def rename_static(self, instance_id: str, new_id: str) -> Member:
        """A static member came back under a new id (KIP-345); leadership stays with it."""
        old_id = self.static_members[instance_id]
        was_leader = self.leader == old_id
        member = self.remove(old_id)
        member.member_id = new_id
        self.add(member)
        if was_leader:
            self.leader = new_id
        return member

    def elect_joined_leader(self) -> bool:
        """Make sure that the leader is among those who joined; False when nobody joined."""
        if self.leader is not None and self.members[self.leader].join_reply is not None:
            return True
        self.leader = next((one.member_id for one in self.members.values() if one.join_reply is not None), self.leader)
        return self.leader is not None and self.members[self.leader].join_reply is not None

    def all_joined(self) -> bool:
        return not self.pending and all(member.join_reply is not None for member in self.members.values())

    def rebalance_timeout_ms(self) -> int:
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    # -- protocols

    def supports(self, protocol_type: str, protocols: Sequence[tuple[str, bytes]]) -> bool:
        """Whether a member with these protocols could be in the group with those who are."""
        if not protocol_type or not protocols:
            return False
        if not self.members:
            return True
        return protocol_type == self.protocol_type and bool(self._common() & {name for name, _ in protocols})

    def _common(self) -> set[str]:
        offered = [{name for name, _ in member.protocols} for member in self.members.values()]
        return set.intersection(*offered)

    def choose_protocol(self) -> str:
        """Each member votes for the first of its protocols that all support."""
        common = self._common()
        votes = Counter(next(name for name, _ in member.protocols if name in common) for member in self.members.values())
        return max(votes, key=lambda name: votes[name])

    # -- generations

    def begin_generation(self) -> None:
        """The rebalance is over: everybody who is in the group is in the next generation."""
        self.generation += 1
        if self.members:
            self.protocol = self.choose_protocol()
            self.unsynced = set(self.members)
            self.become(State.COMPLETING)
        else:
            self.protocol = None
            self.leader = None
            self.become(State.EMPTY)

    def joined_members(self) -> list[JoinedMember]:
        return [
            JoinedMember(one.member_id, one.group_instance_id, one.metadata(self.protocol)) for one in self.members.values()
        ]
