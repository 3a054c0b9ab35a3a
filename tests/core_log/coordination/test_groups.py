import pytest

from core_log.errors import ErrorCode
from tests.core_log.coordination_sample import GROUP, Groups


def test_a_first_member_is_given_an_id_then_leads_and_gets_its_assignment():
    groups = Groups()
    member_id, (joined,) = groups.newcomer()
    assert (joined.error, joined.generation, joined.leader, joined.protocol_name) == (ErrorCode.NONE, 1, member_id, "range")
    assert [(one.member_id, one.metadata) for one in joined.members] == [(member_id, b"meta")]
    (synced,) = groups.sync(member_id, 1, [(member_id, b"all")])
    assert (synced.error, synced.assignment, synced.protocol_type) == (ErrorCode.NONE, b"all", "consumer")
    assert groups.state == "Stable"


def test_old_clients_join_in_one_step():
    (joined,) = Groups().join(known=False)
    assert joined.error is ErrorCode.NONE
    assert joined.generation == 1


def test_a_second_member_waits_until_the_first_has_rejoined():
    groups = Groups()
    (first,), _ = groups.stable()
    second, answers = groups.newcomer()
    assert answers == []
    assert groups.heartbeat(first, 1) is ErrorCode.REBALANCE_IN_PROGRESS
    again = groups.join(first)
    assert again[0].generation == answers[0].generation == 2
    assert again[0].leader == answers[0].leader == first
    assert {one.member_id for one in again[0].members} == {first, second}
    assert answers[0].members == ()


def test_an_assignment_counts_once_it_is_durable():
    groups = Groups()
    member_id, _ = groups.newcomer()
    groups.hold = True
    answers = groups.sync(member_id, 1, [(member_id, b"all")])
    assert (answers, groups.state) == ([], "CompletingRebalance")
    groups.settle()
    assert (answers[0].assignment, groups.state) == (b"all", "Stable")


def test_an_assignment_that_cannot_be_written_begins_a_new_rebalance():
    groups = Groups()
    member_id, _ = groups.newcomer()
    groups.hold = True
    answers = groups.sync(member_id, 1, [(member_id, b"all")])
    groups.settle(ErrorCode.KAFKA_STORAGE_ERROR)
    assert answers[0].error is ErrorCode.REBALANCE_IN_PROGRESS
    assert groups.join(member_id)[0].generation == 2


def test_an_assignment_of_a_past_generation_is_not_taken():
    groups = Groups()
    member_id, _ = groups.newcomer()
    groups.hold = True
    late = groups.sync(member_id, 1, [(member_id, b"old")])
    second, _ = groups.newcomer()
    assert late[0].error is ErrorCode.REBALANCE_IN_PROGRESS
    groups.join(member_id)
    groups.settle()
    assert groups.state == "CompletingRebalance"
    groups.sync(member_id, 2, [(member_id, b"new"), (second, b"other")])
    assert groups.sync(second, 2)[0].assignment == b"other"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda groups, member: groups.join("nobody")[0].error, ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.join(group="")[0].error, ErrorCode.INVALID_GROUP_ID),
        (lambda groups, member: groups.join("x", group="new")[0].error, ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.join(session_ms=5_999)[0].error, ErrorCode.INVALID_SESSION_TIMEOUT),
        (lambda groups, member: groups.join(session_ms=1_800_001)[0].error, ErrorCode.INVALID_SESSION_TIMEOUT),
        (lambda groups, member: groups.join(protocol_type="connect")[0].error, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (lambda groups, member: groups.join(protocols=[("other", b"")])[0].error, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (lambda groups, member: groups.join(protocols=[])[0].error, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (lambda groups, member: groups.join(member, instance="ghost")[0].error, ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.sync("nobody", 1)[0].error, ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.sync(member, 2)[0].error, ErrorCode.ILLEGAL_GENERATION),
        (lambda groups, member: groups.sync(member, 1, protocol_type="x")[0].error, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (lambda groups, member: groups.sync(member, 1, protocol_name="x")[0].error, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (lambda groups, member: groups.heartbeat("nobody", 1), ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.heartbeat(member, 0), ErrorCode.ILLEGAL_GENERATION),
        (lambda groups, member: groups.heartbeat(member, 1), ErrorCode.NONE),
        (lambda groups, member: groups.leave("nobody"), ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.leave(member), ErrorCode.NONE),
        (lambda groups, member: groups.commit(), ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.commit(generation=1, member_id="nobody"), ErrorCode.UNKNOWN_MEMBER_ID),
        (lambda groups, member: groups.commit(generation=0, member_id=member), ErrorCode.ILLEGAL_GENERATION),
        (lambda groups, member: groups.commit(generation=1, member_id=member), ErrorCode.NONE),
        (lambda groups, member: groups.commit(generation=1, member_id="x", group="new"), ErrorCode.ILLEGAL_GENERATION),
        (lambda groups, member: groups.commit(group="new"), ErrorCode.NONE),
        (lambda groups, member: groups.commit(metadata="x" * 4_097, group="new"), ErrorCode.OFFSET_METADATA_TOO_LARGE),
    ],
)
def test_answers_of_a_stable_group(call, expected):
    groups = Groups()
    (member,), _ = groups.stable()
    assert call(groups, member) is expected


def test_a_group_is_full_at_its_maximum():
    groups = Groups(max_group_size=1)
    groups.stable()
    assert groups.join()[0].error is ErrorCode.GROUP_MAX_SIZE_REACHED


def test_the_protocol_most_members_prefer_is_chosen_among_those_all_know():
    groups = Groups()
    first, _ = groups.newcomer(protocols=[("only-mine", b""), ("a", b""), ("b", b"1")])
    groups.newcomer(protocols=[("b", b"2"), ("a", b"")])
    _, answers = groups.newcomer(protocols=[("b", b"3"), ("a", b"")])
    groups.join(first, protocols=[("only-mine", b""), ("a", b""), ("b", b"1")])
    assert answers[0].protocol_name == "b"


# -- who stays and who goes


def test_a_silent_member_is_expelled_and_the_others_rebalance():
    groups = Groups()
    (leader, other), generation = groups.stable(2)
    groups.pass_time(9_999)
    assert groups.heartbeat(other, generation) is ErrorCode.NONE
    groups.pass_time(2)
    assert groups.heartbeat(other, generation) is ErrorCode.REBALANCE_IN_PROGRESS
    (joined,) = groups.join(other)
    assert (joined.leader, [one.member_id for one in joined.members]) == (other, [other])
    assert groups.heartbeat(leader, generation) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_commit_is_a_sign_of_life():
    groups = Groups()
    (member,), generation = groups.stable()
    groups.pass_time(9_000)
    groups.commit(generation=generation, member_id=member)
    groups.pass_time(9_000)
    assert groups.heartbeat(member, generation) is ErrorCode.NONE


def test_who_does_not_rejoin_in_time_is_out():
    groups = Groups()
    (first,), _ = groups.stable(session_ms=60_000)
    second, answers = groups.newcomer(session_ms=60_000)
    groups.pass_time(30_000)
    assert (answers[0].generation, answers[0].leader) == (2, second)
    assert groups.heartbeat(first, 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_who_joined_but_never_syncs_is_out():
    groups = Groups()
    member, _ = groups.newcomer(session_ms=60_000, rebalance_ms=5_000)
    groups.pass_time(5_000)
    assert groups.state == "Empty"
    assert groups.heartbeat(member, 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_member_that_waits_for_others_is_not_expelled():
    groups = Groups()
    (first,), _ = groups.stable(rebalance_ms=100_000, session_ms=60_000)
    _, answers = groups.newcomer(rebalance_ms=100_000, session_ms=6_000)
    groups.pass_time(50_000)
    groups.join(first, rebalance_ms=100_000)
    assert answers[0].error is ErrorCode.NONE


def test_an_id_that_is_not_used_is_forgotten_and_holds_nobody_up_for_ever():
    groups = Groups()
    (handed_out,) = groups.join()
    _, answers = groups.newcomer()
    assert answers == []  # the rebalance waits for the id that was handed out
    groups.pass_time(10_000)
    assert answers[0].generation == 1
    assert groups.join(handed_out.member_id)[0].error is ErrorCode.UNKNOWN_MEMBER_ID


def test_the_last_to_leave_leaves_an_empty_group():
    groups = Groups()
    (member,), _ = groups.stable()
    assert groups.leave(member) is ErrorCode.NONE
    assert groups.state == "Empty"
    assert groups.restarted().state == "Empty"


def test_a_member_that_leaves_while_it_waits_is_answered():
    groups = Groups()
    groups.stable()
    second, answers = groups.newcomer()
    groups.leave(second)
    assert answers[0].error is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_follower_that_joins_again_with_nothing_new_disturbs_nobody():
    groups = Groups()
    (leader, follower), generation = groups.stable(2)
    (answer,) = groups.join(follower)
    assert (answer.generation, answer.members) == (generation, ())
    assert groups.heartbeat(leader, generation) is ErrorCode.NONE


def test_the_leader_that_joins_again_begins_a_rebalance():
    groups = Groups()
    (leader, follower), generation = groups.stable(2)
    assert groups.join(leader) == []
    assert groups.heartbeat(follower, generation) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_lost_answer_to_join_can_be_asked_for_again():
    groups = Groups()
    member, (first,) = groups.newcomer()
    assert groups.join(member) == [first]


def test_an_empty_group_waits_for_more_members_where_a_delay_is_set():
    groups = Groups(initial_rebalance_delay_ms=3_000)
    first = groups.join(known=False)
    groups.pass_time(2_000)
    second = groups.join(known=False)
    groups.pass_time(1_000)
    assert (first, second) == ([], [])  # one came meanwhile: it waits once more
    groups.pass_time(3_000)
    assert (first[0].generation, second[0].generation) == (1, 1)
    assert len(first[0].members) == 2


# -- static members


def static_group():
    """A static leader and a static follower."""
    groups = Groups()
    first = groups.join(instance="one")[0].member_id
    second = groups.join(instance="two")
    leads = groups.join(first, instance="one")
    groups.sync(second[0].member_id, 2, instance="two")
    groups.sync(first, 2, [(first, b"1"), (second[0].member_id, b"2")], instance="one")
    assert leads[0].leader == first
    assert groups.state == "Stable"
    return groups, first, second[0].member_id


def test_a_static_member_comes_back_to_its_assignment_without_a_rebalance():
    groups, first, second = static_group()
    (back,) = groups.join(instance="two")
    assert (back.error, back.generation, back.leader, back.members) == (ErrorCode.NONE, 2, first, ())
    assert back.member_id != second
    assert groups.sync(back.member_id, 2, instance="two")[0].assignment == b"2"
    assert groups.heartbeat(first, 2, "one") is ErrorCode.NONE
    assert groups.heartbeat(second, 2, "two") is ErrorCode.FENCED_INSTANCE_ID
    assert groups.commit(generation=2, member_id=second, instance="two") is ErrorCode.FENCED_INSTANCE_ID


@pytest.mark.parametrize("skips", [True, False])
def test_a_static_leader_that_comes_back_does_not_assign_anew(skips):
    groups, first, second = static_group()
    (back,) = groups.join(instance="one", supports_skip_assignment=skips)
    assert back.skip_assignment is skips
    assert back.leader == (back.member_id if skips else first)
    assert {one.member_id for one in back.members} == ({back.member_id, second} if skips else set())
    again = groups.restarted()
    assert again.heartbeat(back.member_id, 2, "one") is ErrorCode.NONE


def test_a_static_member_that_comes_back_with_other_protocols_rebalances_only_where_the_choice_changes():
    sticky_first = [("sticky", b""), ("range", b"")]
    groups, _, second = static_group()
    groups.join(instance="one", protocols=sticky_first)
    assert groups.heartbeat(second, 2, "two") is ErrorCode.NONE  # range is still what both know

    groups = Groups()
    alone = groups.join(instance="one")[0].member_id
    groups.sync(alone, 1, [(alone, b"1")], instance="one")
    (back,) = groups.join(instance="one", protocols=sticky_first)
    assert (back.generation, back.protocol_name) == (2, "sticky")


def test_a_static_member_is_removed_by_its_instance_id():
    groups, _, _ = static_group()
    assert groups.leave("", instance="two") is ErrorCode.NONE
    assert groups.leave("", instance="nobody") is ErrorCode.UNKNOWN_MEMBER_ID
    assert groups.leave("old", instance="one") is ErrorCode.FENCED_INSTANCE_ID


# -- what is told and kept


def test_a_stable_group_is_described_in_full_and_an_unknown_one_is_dead():
    groups = Groups()
    (member,), _ = groups.stable()
    described = groups.coordinator.describe(GROUP)
    assert (described.state, described.protocol_type, described.protocol) == ("Stable", "consumer", "range")
    (one,) = described.members
    assert (one.member_id, one.client_id, one.metadata, one.assignment) == (
        member,
        "client",
        b"meta",
        b"for " + member.encode(),
    )
    assert groups.coordinator.describe("nobody").state == "Dead"
    assert [(one.group_id, one.state) for one in groups.coordinator.list_groups()] == [(GROUP, "Stable")]


def test_members_survive_a_restart_of_the_broker_and_go_on_in_their_generation():
    groups = Groups()
    (_, other), generation = groups.stable(2)
    groups.commit(7, generation=generation, member_id=other)
    again = groups.restarted()
    assert again.heartbeat(other, generation) is ErrorCode.NONE
    assert again.committed() == 7
    assert again.sync(other, generation)[0].assignment == b"for " + other.encode()
    again.pass_time(10_001)
    assert again.state == "Empty"  # those who did not come back are expelled
