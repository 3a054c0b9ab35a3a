"""Durability as the broker orders it: who waits for a sync, and what happens when one fails."""

from __future__ import annotations

import errno
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core_log.errors import BrokerError, ErrorCode
from core_log.handlers.registry import LATER
from core_log.protocol import record_batch
from core_log.protocol.record_batch import Record
from tests.core_log.desk import Desk


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def desk() -> Any:
    made = Desk()
    yield made
    made.settle()
    made.broker.close(lambda: None)


def test_an_acks_all_produce_and_a_fetch_wait_for_the_sync(desk: Desk) -> None:
    assert desk.fetch() is LATER
    assert desk.produce() is LATER
    assert desk.produce() is LATER
    assert (desk.log.log_end_offset, desk.log.high_watermark) == (2, 0)
    assert not desk.answers
    desk.settle()
    assert desk.log.high_watermark == 2
    offsets = sorted(
        one.responses[0].partition_responses[0].base_offset for one in desk.answers if not hasattr(one, "session_id")
    )
    assert offsets == [0, 1]
    (fetched,) = [one for one in desk.answers if hasattr(one, "session_id")]
    assert fetched.responses[0].partitions[0].high_watermark == 2


def test_acks_1_does_not_wait_but_its_record_is_not_seen_before_the_sync(desk: Desk) -> None:
    assert desk.produce(acks=1).responses[0].partition_responses[0].base_offset == 0
    assert desk.log.high_watermark == 0
    desk.settle()
    assert desk.log.high_watermark == 1


def test_without_waiting_for_syncs_everything_is_answered_at_once() -> None:
    desk = Desk(flush_policy="os")
    assert desk.fetch() is LATER
    assert desk.produce() is not LATER
    assert len(desk.answers) == 1
    desk.broker.close(lambda: None)


class BadDisk:
    """Fails ``times`` syncs of the files whose path holds ``path``; counts them."""

    def __init__(self, path: str, times: int) -> None:
        self.path = path
        self.times = times
        self.failed = 0

    def __call__(self, operation: str, path: str) -> None:
        if operation == "sync" and self.path in path and self.failed < self.times:
            self.failed += 1
            raise OSError(errno.EIO, "Input/output error", path)


STORAGE = (ErrorCode.KAFKA_STORAGE_ERROR, -1)


def test_a_sync_that_failed_once_costs_its_own_records_and_the_partition_goes_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.produce()
    desk.settle()
    desk.files.before = BadDisk("t-0", 1)
    for _ in range(300):  # more than a log remembers the places of
        desk.produce()
    desk.settle()
    assert [desk.outcome(n) for n in range(1, 301)] == [[STORAGE]] * 300
    assert desk.produce().responses[0].partition_responses[0].error_code == ErrorCode.KAFKA_STORAGE_ERROR
    desk.wait(999)
    assert desk.produce() is not LATER, "it is read back after a second, not before"
    desk.wait(1)
    assert desk.produce() is LATER
    desk.settle()
    assert desk.outcome() == [(0, 1)], "the offsets of what was refused are given again"
    told = [record.message for record in caplog.records if "t-0" in record.message]
    assert len(told) == 2
    assert "goes on by itself" in told[0]
    assert "300 records" in told[1]


def test_a_disk_that_stays_bad_is_tried_ever_more_rarely_and_told_of_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.produce()
    bad = desk.files.before = BadDisk("t-0", 10**9)
    desk.settle()
    for _ in range(600):
        desk.wait(1_000)
        refused = desk.produce().responses[0].partition_responses[0]
        assert (refused.error_code, refused.base_offset) == STORAGE
    assert "goes on by itself" in refused.error_message
    assert 10 < bad.failed < 20, "after 1, 3, 7, 15, 31, 63, 123, ... seconds"
    assert len([record for record in caplog.records if "t-0" in record.message]) == 1
    desk.files.before = None
    desk.wait(60_000)
    assert desk.produce() is LATER
    desk.settle()
    assert desk.outcome() == [(0, 0)]


def test_a_disk_that_fails_again_at_once_is_not_tried_every_second(desk: Desk) -> None:
    bad = desk.files.before = BadDisk("t-0", 0)
    tries = 0
    for _ in range(300):
        bad.times = bad.failed + 1  # each recovery works, the next write fails
        if desk.produce() is LATER:
            tries += 1
        desk.settle()
        bad.times = 0
        desk.wait(1_000)
    assert 5 < tries < 15
    desk.wait(120_000)  # calm again
    desk.produce()
    bad.times = bad.failed + 1
    desk.settle()
    bad.times = 0
    desk.wait(60_000)
    desk.wait(60_001)
    desk.produce()
    bad.times = bad.failed + 1
    desk.settle()
    bad.times = 0
    desk.wait(1_000)
    assert desk.produce() is LATER


def test_other_partitions_go_on_and_a_failed_batch_stays_failed(desk: Desk) -> None:
    desk.files.before = BadDisk("t-0", 1)
    hold = threading.Event()
    bad = desk.files.before

    def before(operation: str, path: str) -> None:
        bad(operation, path)
        if operation == "sync" and "t-1" in path:
            assert hold.wait(10)

    desk.files.before = before
    assert desk.produce(partitions=(0, 1)) is LATER
    desk.broker.turn()
    wait_for(lambda: desk.posted)
    desk.run_posted()
    desk.time.ms += 1_000
    desk.broker.turn()
    assert desk.log.failure is None, "it goes on"
    assert not desk.answers
    hold.set()
    desk.settle()
    assert desk.outcome() == [STORAGE, (0, 0)]


def test_a_full_disk_refuses_until_there_is_room(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def full(operation: str, path: str) -> None:
        if operation == "append" and path.endswith(".log"):
            raise OSError(errno.ENOSPC, "No space left on device", path)

    desk.files.before = full
    for _ in range(50):
        refused = desk.produce().responses[0].partition_responses[0]
        assert refused.error_code == ErrorCode.KAFKA_STORAGE_ERROR
        assert "No space left" in refused.error_message
    (told,) = [record.message for record in caplog.records if "t-0" in record.message]
    assert "No space left" in told
    desk.files.before = None
    assert desk.produce() is LATER
    desk.settle()
    assert desk.outcome() == [(0, 0)]


def test_a_deleted_topic_answers_who_waits_on_it(desk: Desk) -> None:
    assert desk.fetch() is LATER
    desk.broker.delete_topic("t")
    (answer,) = desk.answers
    assert answer.responses[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    with pytest.raises(BrokerError):
        desk.broker.log("t", 0)
    desk.broker.create_topic("t", 1, {})


class Held:
    """Operations of the pool on paths that hold ``part`` wait until they are let go."""

    def __init__(self, operation: str, part: str) -> None:
        self.operation = operation
        self.part = part
        self.reached = threading.Event()
        self.gate = threading.Event()

    def __call__(self, operation: str, path: str) -> None:
        in_pool = threading.current_thread() is not threading.main_thread()
        if in_pool and operation == self.operation and self.part in path:
            self.reached.set()
            assert self.gate.wait(10)


@pytest.mark.parametrize("policy", ["ack", "os"])
def test_a_sync_that_outlives_its_topic_leaves_the_next_one_of_that_name_alone(
    policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(flush_policy=policy)
    desk.produce()
    held = desk.files.before = Held("sync", "t-0")
    desk.broker.checkpoint_all()
    desk.broker.turn()
    assert held.reached.wait(10)
    desk.broker.delete_topic("t")
    desk.broker.create_topic("t", 1, {})
    held.gate.set()
    desk.settle()
    assert [name for name in desk.files.list("/data/t-0") if name.endswith(".index")] == []
    assert not [record for record in caplog.records if "t-0" in record.message]
    assert desk.broker.log("t", 0).append(record_batch.encode([Record(None, b"new", 1)]), 1).base_offset == 0


def test_a_deleted_topic_is_not_opened_anew(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.files.before = BadDisk("t-0", 1)
    desk.produce()
    desk.settle()
    desk.broker.delete_topic("t")
    desk.wait(2_000)
    assert len([record for record in caplog.records if "t-0" in record.message]) == 1


def verified(desk: Desk, **settings: Any) -> set[str]:
    """Start again as after kill -9: the partitions whose records had to be read for it."""
    read: set[str] = set()

    def before(operation: str, path: str) -> None:
        if operation == "pread" and path.endswith(".log"):
            read.add(path.split("/")[2])

    desk.files.before = before
    again = desk.start(**settings)
    desk.files.before = None
    again.close(lambda: None)
    return {name for name in read if name.startswith("t-")}


def test_checkpoints_of_all_partitions_spare_the_next_start() -> None:
    for checkpoints in (False, True):
        desk = Desk(flush_policy="os")
        desk.produce(partitions=(0, 1))
        if checkpoints:
            desk.broker.checkpoint_all()
        desk.settle()
        assert verified(desk, flush_policy="os") == (set() if checkpoints else {"t-0", "t-1"})


def test_checkpoints_are_written_one_at_a_time_and_hold_up_no_other_partition(desk: Desk) -> None:
    held = desk.files.before = Held("create", ".index")
    desk.produce(partitions=(0, 1))
    desk.settle()
    desk.broker.checkpoint_all()
    desk.broker.turn()
    assert held.reached.wait(10)
    desk.produce(partitions=(1,))
    desk.broker.turn()
    wait_for(lambda: desk.posted)
    desk.run_posted()
    assert len(desk.answers) == 2
    assert not desk.broker.idle
    held.gate.set()
    desk.settle()
    assert verified(desk) == set()


def test_a_stop_in_the_middle_of_syncs_keeps_what_it_answers_for() -> None:
    desk = Desk()
    desk.broker.create_topic("small", 1, {"segment.bytes": "1048576"})
    key, log = ("small", 0), desk.broker.log("small", 0)
    large = record_batch.encode([Record(None, b"x" * 900_000, 1)])
    desk.broker.append(key, log, large)
    desk.broker.turn()
    desk.broker.append(key, log, large)  # in a segment of its own
    wait_for(lambda: desk.posted)
    desk.broker.turn()

    def no_room(_operation: str, path: str) -> None:
        if ".index" in path:
            raise OSError(errno.ENOSPC, "No space left on device", path)

    desk.files.before = no_room
    desk.broker.close(desk.run_posted)
    assert log.high_watermark == 2
    desk.files = desk.files.after_power_loss(random.Random(1))
    assert desk.start().log("small", 0).log_end_offset == 2


def test_a_topic_deleted_while_its_sync_is_under_way(desk: Desk) -> None:
    assert desk.produce() is LATER
    desk.broker.turn()
    desk.broker.delete_topic("t")
    desk.settle()
    assert len(desk.answers) == 1
    desk.broker.create_topic("t", 1, {})
    assert desk.broker.log("t", 0).log_end_offset == 0
