"""A group coordinator in memory for the tests: a log of batches and members that ask and are answered."""

from core_log.coordination.group_coordinator import GroupCoordinator, GroupSettings
from core_log.coordination.group_messages import CommitRequest, CommittedOffset, JoinRequest, LeavingMember, SyncRequest
from core_log.errors import ErrorCode

GROUP = "shop"


class Groups:
    """``hold`` keeps writes back until ``settle``: durability takes its time."""

    def __init__(self, **settings):
        self.settings = GroupSettings(**settings)
        self.batches = []
        self.held = []
        self.hold = False
        self.now_ms = 0
        self.coordinator = GroupCoordinator(self.settings, self.append)

    def append(self, partition, batch, done):
        if self.hold:
            self.held.append((partition, batch, done))
        else:
            self.batches.append((partition, batch))
            done(ErrorCode.NONE)

    def settle(self, error=ErrorCode.NONE):
        self.hold, held, self.held = False, self.held, []
        for partition, batch, done in held:
            if error is ErrorCode.NONE:
                self.batches.append((partition, batch))
            done(error)

    def restarted(self):
        """Another coordinator that has read the log."""
        again = Groups()
        again.settings, again.now_ms, again.batches = self.settings, self.now_ms, self.batches
        again.coordinator = GroupCoordinator(self.settings, again.append)
        for number in range(self.settings.offsets_partitions):
            again.coordinator.load(number, [batch for partition, batch in self.batches if partition == number], self.now_ms)
        return again

    def pass_time(self, milliseconds):
        self.now_ms += milliseconds
        self.coordinator.tick(self.now_ms)

    # -- requests

    def join(self, member_id="", instance=None, *, protocols=(("range", b"meta"),), known=True, answers=None, **options):
        request = JoinRequest(
            options.pop("group", GROUP),
            member_id,
            instance,
            "client",
            "/127.0.0.1",
            options.pop("session_ms", 10_000),
            options.pop("rebalance_ms", 30_000),
            options.pop("protocol_type", "consumer"),
            list(protocols),
            require_known_member_id=known,
            **options,
        )
        answers = [] if answers is None else answers
        self.coordinator.join(request, self.now_ms, answers.append)
        return answers

    def newcomer(self, **options):
        """Both steps of KIP-394: the id, then the answers of the join proper (none yet while others have not rejoined)."""
        (asked,) = self.join(**options)
        assert asked.error is ErrorCode.MEMBER_ID_REQUIRED
        return asked.member_id, self.join(asked.member_id, **options)

    def sync(self, member_id, generation, assignments=(), instance=None, protocol_type=None, protocol_name=None):
        request = SyncRequest(GROUP, generation, member_id, instance, protocol_type, protocol_name, list(assignments))
        answers = []
        self.coordinator.sync(request, self.now_ms, answers.append)
        return answers

    def heartbeat(self, member_id, generation, instance=None):
        return self.coordinator.heartbeat(GROUP, generation, member_id, instance, self.now_ms)

    def leave(self, member_id, instance=None):
        _, left = self.coordinator.leave(GROUP, [LeavingMember(member_id, instance)], self.now_ms)
        return left[0].error

    def commit(
        self, offset=1, *, generation=-1, member_id="", instance=None, partition=("orders", 0), metadata="", group=GROUP
    ):
        request = CommitRequest(group, generation, member_id, instance, {partition: CommittedOffset(offset, 0, metadata)})
        answers = []
        self.coordinator.commit(request, self.now_ms, answers.append)
        return answers[0][partition] if answers else None

    def committed(self, partition=("orders", 0), group=GROUP):
        return self.coordinator.committed(group, [partition])[partition].offset

    @property
    def state(self):
        return str(self.coordinator.describe(GROUP).state)

    def stable(self, count=1, **options):
        """A group of ``count`` members with assignments; returns their ids, the leader first, and the generation."""
        members = []
        answers = {}
        for _ in range(count):
            member_id, replies = self.newcomer(**options)
            answers[member_id] = replies
            for other in members:
                answers[other] = self.join(other, **options)
            members.append(member_id)
        generation = answers[members[-1]][-1].generation
        leader = answers[members[-1]][-1].leader
        for member_id in sorted(members, key=lambda one: one == leader):
            assignments = [(one, b"for " + one.encode()) for one in members] if member_id == leader else []
            self.sync(member_id, generation, assignments)
        assert self.state == "Stable"
        return sorted(members, key=lambda one: one != leader), generation
