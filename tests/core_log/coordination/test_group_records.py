import pytest

from core_log.coordination import group_records
from core_log.coordination.group_log import java_hash
from core_log.coordination.group_messages import CommittedOffset

# Read from the __consumer_offsets of Apache Kafka 4.3.1.
KAFKAS_GROUP_KEY = bytes.fromhex("0002001473746f726167652d666d742d3362386364642d67")
KAFKAS_GROUP = bytes.fromhex(
    "00030008636f6e73756d657200000001000572616e67650028636c692d31613533336139382d393765362d346335312d383232342d6362366538366265373835"
    "62000001a1fe575d68000000010028636c692d31613533336139382d393765362d346335312d383232342d636236653836626537383562ffff0003636c69000a"
    "2f3132372e302e302e31000493e00000afc800000028000300000001001273746f726167652d666d742d3362386364640000000000000000ffffffff00000000"
    "0026000000000001001273746f726167652d666d742d336238636464000000010000000000000000"
)
KAFKAS_OFFSET_KEY = bytes.fromhex(
    "0001001473746f726167652d666d742d3362386364642d67001273746f726167652d666d742d33623863646400000000"
)


def test_a_group_that_kafka_wrote_is_read_and_written_as_kafka_did():
    assert group_records.read_key(KAFKAS_GROUP_KEY) == ("storage-fmt-3b8cdd-g", None)
    group = group_records.read_group("storage-fmt-3b8cdd-g", KAFKAS_GROUP)
    (member,) = group.members.values()
    assert (group.state, group.generation, group.protocol_type, group.protocol) == ("Stable", 1, "consumer", "range")
    assert (member.client_id, member.client_host, member.session_timeout_ms, member.rebalance_timeout_ms) == (
        "cli",
        "/127.0.0.1",
        45_000,
        300_000,
    )
    assert group_records.subscribed_topics(member.metadata("range")) == {"storage-fmt-3b8cdd"}
    assert group_records.group_key(group.group_id) == KAFKAS_GROUP_KEY
    assert group_records.group_value(group, {member.member_id: member.assignment}, group.changed_ms) == KAFKAS_GROUP


def test_offset_keys_are_kafkas():
    assert group_records.read_key(KAFKAS_OFFSET_KEY) == ("storage-fmt-3b8cdd-g", ("storage-fmt-3b8cdd", 0))
    assert group_records.offset_key("storage-fmt-3b8cdd-g", "storage-fmt-3b8cdd", 0) == KAFKAS_OFFSET_KEY


def test_an_offset_round_trip():
    committed = CommittedOffset(2**40, 3, "näher")
    stored = group_records.read_offset(group_records.offset_value(committed, 1_795_268_500_838))
    assert (stored.committed, stored.commit_ms) == (committed, 1_795_268_500_838)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("a", 97), ("hello", 99162322), ("connect-s3", -775709213), ("polygenelubricants", 0), ("gr\U0001f600", 4950926)],
)
def test_hash_codes_are_javas(text, expected):
    assert java_hash(text) == expected


def test_foreign_bytes_are_no_subscription():
    assert group_records.subscribed_topics(b"\0\1junk") is None
