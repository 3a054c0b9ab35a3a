"""Any sequence of joining, syncing, dying, leaving and time passing keeps the promises a consumer lives by."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core_log.errors import ErrorCode
from tests.core_log.coordination_sample import GROUP, Groups

REJOIN = {ErrorCode.REBALANCE_IN_PROGRESS, ErrorCode.ILLEGAL_GENERATION}


class Client:
    """A consumer as its library drives it: what it was last told decides what it asks next."""

    def __init__(self):
        self.member_id = ""
        self.generation = -1
        self.join = []
        self.sync = []
        self.wants = "join"
        self.leads = ()
        self.assignment = None


class GroupMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.groups = Groups()
        self.clients = []
        self.leaders = {}
        self.last_generation = 0

    @rule()
    def come(self):
        if len(self.clients) < 5:
            self.clients.append(Client())

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def move(self, data):
        """One client does its next step."""
        client = data.draw(st.sampled_from(self.clients))
        if client.wants == "join" and not client.join:
            client.join = self.groups.join(client.member_id)
            client.wants = "join answer"
        elif client.wants == "sync":
            assignments = [(member, f"{client.generation}:{member}".encode()) for member in client.leads]
            client.sync = self.groups.sync(client.member_id, client.generation, assignments)
            client.wants = "sync answer"
        elif client.wants == "work":
            error = self.groups.heartbeat(client.member_id, client.generation)
            self.follow(client, error)
            committed = self.groups.commit(generation=client.generation, member_id=client.member_id)
            assert committed in {None, ErrorCode.NONE, *REJOIN, ErrorCode.UNKNOWN_MEMBER_ID}
        self.read()

    def read(self):
        for client in self.clients:
            if client.wants == "join answer" and client.join:
                self.joined(client, client.join.pop())
            if client.wants == "sync answer" and client.sync:
                self.synced(client, client.sync.pop())

    def joined(self, client, answer):
        if answer.error is ErrorCode.MEMBER_ID_REQUIRED:
            client.member_id, client.wants = answer.member_id, "join"
            return
        if answer.error is not ErrorCode.NONE:
            self.follow(client, answer.error)
            return
        assert answer.generation >= self.last_generation, "generations only grow"
        assert answer.generation > client.generation
        self.last_generation = answer.generation
        assert self.leaders.setdefault(answer.generation, answer.leader) == answer.leader, "one leader per generation"
        assert bool(answer.members) == (answer.leader == client.member_id), "the leader alone gets the members"
        client.generation, client.wants = answer.generation, "sync"
        client.leads = [one.member_id for one in answer.members]

    def synced(self, client, answer):
        if answer.error is not ErrorCode.NONE:
            self.follow(client, answer.error)
            return
        assert answer.assignment == f"{client.generation}:{client.member_id}".encode(), "its own, of this generation"
        client.wants = "work"

    def follow(self, client, error):
        """What a client library does with an error."""
        if error is ErrorCode.UNKNOWN_MEMBER_ID:
            client.member_id, client.generation = "", -1
        else:
            assert error is ErrorCode.NONE or error in REJOIN
        if error is not ErrorCode.NONE:
            client.wants = "join"

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def die(self, data):
        self.clients.remove(data.draw(st.sampled_from(self.clients)))

    @precondition(lambda self: any(client.wants == "work" for client in self.clients))
    @rule(data=st.data())
    def leave(self, data):
        client = data.draw(st.sampled_from([one for one in self.clients if one.wants == "work"]))
        assert self.groups.leave(client.member_id) in {ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID}
        self.clients.remove(client)
        self.read()

    @rule(milliseconds=st.sampled_from([100, 4_000, 11_000, 40_000, 301_000]))
    def time_passes(self, milliseconds):
        self.groups.pass_time(milliseconds)
        self.read()

    @rule()
    def slow_disk(self):
        self.groups.hold = True

    @rule(error=st.sampled_from([ErrorCode.NONE, ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR]))
    def disk_is_done(self, error):
        self.groups.settle(error)
        self.read()

    @invariant()
    def members_of_a_stable_group_are_told_so(self):
        described = self.groups.coordinator.describe(GROUP)
        if described.state == "Stable":
            generations = {one.assignment.split(b":")[0] for one in described.members}
            assert len(generations) <= 1, "assignments of one generation"

    def teardown(self):
        """Whatever happened: the dead are expelled and the living end up together, working, in one generation."""
        self.groups.settle()
        self.read()
        survivors = self.clients or [Client()]
        self.clients = survivors
        for _ in range(400):
            for client in survivors:
                self.step_all(client)
            self.groups.pass_time(2_000)
            self.read()
        assert {client.wants for client in survivors} == {"work"}
        assert len({client.generation for client in survivors}) == 1
        assert len(self.groups.coordinator.describe(GROUP).members) == len(survivors)

    def step_all(self, client):
        if client.wants == "join":
            client.join = self.groups.join(client.member_id)
            client.wants = "join answer"
            self.read()
        if client.wants == "sync":
            assignments = [(member, f"{client.generation}:{member}".encode()) for member in client.leads]
            client.sync = self.groups.sync(client.member_id, client.generation, assignments)
            client.wants = "sync answer"
            self.read()
        if client.wants == "work":
            self.follow(client, self.groups.heartbeat(client.member_id, client.generation))


TestGroupModel = GroupMachine.TestCase
TestGroupModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
