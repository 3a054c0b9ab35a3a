import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_log.coordination.group_messages import NO_OFFSET
from core_log.errors import ErrorCode
from core_log.protocol.record_batch import HEADER, HEADER_SIZE, Record, encode, read_header
from tests.core_log.coordination_sample import GROUP, Groups

WEEK_MS = 7 * 24 * 3_600_000
ORDERS, ITEMS = ("orders", 0), ("items", 0)


def subscription(*topics):
    return struct.pack(">hi", 1, len(topics)) + b"".join(struct.pack(">h", len(one)) + one.encode() for one in topics)


def test_a_commit_is_answered_and_seen_once_it_is_durable():
    groups = Groups()
    groups.hold = True
    assert groups.commit(5) is None
    assert groups.committed() == NO_OFFSET.offset
    groups.settle()
    assert groups.committed() == 5


def test_a_commit_that_cannot_be_written_is_not_seen():
    groups = Groups()
    groups.commit(5)
    groups.hold = True
    groups.commit(6)
    groups.settle(ErrorCode.KAFKA_STORAGE_ERROR)
    assert groups.committed() == 5
    assert groups.restarted().committed() == 5


def test_metadata_that_is_too_long_does_not_keep_the_rest_from_being_committed():
    groups = Groups()
    assert groups.commit(5, metadata="ä" * 2_049) is ErrorCode.OFFSET_METADATA_TOO_LARGE
    assert groups.commit(5, partition=ITEMS, metadata="ä" * 2_048) is ErrorCode.NONE
    assert groups.coordinator.committed(GROUP, None)[ITEMS].metadata == "ä" * 2_048


def test_while_members_wait_for_their_assignment_no_commit_is_taken():
    groups = Groups()
    member, _ = groups.newcomer()
    assert groups.commit(generation=1, member_id=member) is ErrorCode.REBALANCE_IN_PROGRESS


def test_the_last_commits_survive_a_restart():
    groups = Groups()
    for offset in range(50):
        groups.commit(offset, partition=("orders", offset % 3))
        groups.commit(offset, group="other")
    again = groups.restarted()
    assert {key: one.offset for key, one in again.coordinator.committed(GROUP, None).items()} == {
        ("orders", 0): 48,
        ("orders", 1): 49,
        ("orders", 2): 47,
    }
    assert again.committed(group="other") == 49
    assert again.state == "Empty"


names = st.text("abcdef.-", min_size=1, max_size=120)
commits = st.lists(st.tuples(names, names, st.integers(0, 2**62), st.text(max_size=90)), max_size=12)


@given(commits)
def test_names_and_notes_of_any_length_survive_a_restart(made):
    groups = Groups()
    for group, topic, offset, metadata in made:
        groups.commit(offset, partition=(topic, 3), metadata=metadata, group=group)
    again = groups.restarted().coordinator
    for group in {one[0] for one in made}:
        assert again.committed(group, None) == groups.coordinator.committed(group, None)


@given(st.binary(max_size=40))
def test_a_batch_of_nonsense_does_not_stop_the_start(junk):
    groups = Groups()
    groups.commit(5)
    partition = groups.coordinator.partition_for(GROUP)
    good = encode([Record(b"k", b"v", 0)])
    header = read_header(good)._replace(length=HEADER_SIZE - 12 + len(junk))
    groups.batches.append((partition, HEADER.pack(*header) + junk))
    assert groups.restarted().committed() == 5


def test_a_record_that_cannot_be_read_costs_only_itself(caplog):
    groups = Groups()
    groups.commit(5)
    partition = groups.coordinator.partition_for(GROUP)
    groups.batches.append((partition, encode([Record(b"\0\1broken", b"x", 0), Record(b"\0\x63", b"later kind", 0)])))
    assert groups.restarted().committed() == 5
    assert "is left out" in caplog.text


def test_offsets_of_an_empty_group_expire_and_the_group_with_them():
    groups = Groups()
    (member,), generation = groups.stable()
    groups.commit(5, generation=generation, member_id=member)
    for _ in range(100):
        groups.pass_time(9_000)
        groups.heartbeat(member, generation)
    groups.now_ms += WEEK_MS
    assert groups.coordinator.expire_offsets(groups.now_ms) == 0  # it is alive
    groups.leave(member)
    groups.now_ms += WEEK_MS - 1
    assert groups.coordinator.expire_offsets(groups.now_ms) == 0
    groups.now_ms += 1
    assert groups.coordinator.expire_offsets(groups.now_ms) == 1
    assert groups.coordinator.list_groups() == []
    assert groups.restarted().coordinator.list_groups() == []


def test_a_simple_consumers_offsets_age_from_their_commit():
    groups = Groups()
    groups.commit(1, partition=ORDERS)
    groups.now_ms += WEEK_MS - 1
    groups.commit(1, partition=ITEMS)
    groups.now_ms += 1
    assert groups.coordinator.expire_offsets(groups.now_ms) == 1
    assert set(groups.coordinator.committed(GROUP, None)) == {ITEMS}


def test_the_offsets_of_a_deleted_topic_go():
    groups = Groups()
    groups.commit(5, partition=ORDERS)
    groups.commit(5, partition=ITEMS)
    groups.coordinator.forget_topic("orders", 0)
    for one in (groups, groups.restarted()):
        assert set(one.coordinator.committed(GROUP, None)) == {ITEMS}


def deleted(groups, group=GROUP):
    answers = []
    groups.coordinator.delete_group(group, groups.now_ms, answers.append)
    return answers[0]


def test_only_an_empty_group_can_be_deleted():
    groups = Groups()
    (member,), _ = groups.stable()
    assert deleted(groups) is ErrorCode.NON_EMPTY_GROUP
    groups.leave(member)
    groups.commit(5)
    assert deleted(groups) is ErrorCode.NONE
    assert deleted(groups) is ErrorCode.GROUP_ID_NOT_FOUND
    again = groups.restarted()
    assert again.committed() == NO_OFFSET.offset
    assert again.coordinator.list_groups() == []


@pytest.mark.parametrize(
    ("protocol_type", "metadata", "error", "expected"),
    [
        (None, b"", ErrorCode.NONE, {ORDERS: ErrorCode.NONE, ITEMS: ErrorCode.NONE}),
        (
            "consumer",
            subscription("orders"),
            ErrorCode.NONE,
            {ORDERS: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ITEMS: ErrorCode.NONE},
        ),
        ("connect", b"", ErrorCode.NON_EMPTY_GROUP, {}),
    ],
)
def test_offsets_that_members_read_are_not_deleted(protocol_type, metadata, error, expected):
    groups = Groups()
    groups.commit(5, partition=ORDERS)
    groups.commit(5, partition=ITEMS)
    if protocol_type is not None:
        groups.stable(protocols=[("range", metadata)], protocol_type=protocol_type)
    answers = []
    groups.coordinator.delete_offsets(GROUP, [ORDERS, ITEMS], 0, lambda *answer: answers.append(answer))
    assert answers == [(error, expected)]
    left = {key for key in (ORDERS, ITEMS) if expected.get(key) is not ErrorCode.NONE}
    assert set(groups.restarted().coordinator.committed(GROUP, None)) == left


def test_offsets_of_an_unknown_group_cannot_be_deleted():
    answers = []
    Groups().coordinator.delete_offsets("nobody", [ORDERS], 0, lambda *answer: answers.append(answer))
    assert answers == [(ErrorCode.GROUP_ID_NOT_FOUND, {})]
