"""What the broker does with its logs at start and from time to time."""

from __future__ import annotations

import errno
from collections import Counter

import pytest

from core_log.coordination.group_messages import CommitRequest, CommittedOffset
from core_log.errors import BrokerError, ErrorCode
from core_log.protocol import record_batch
from core_log.protocol.record_batch import Record
from core_log.storage.memory_files import MemoryFiles
from tests.core_log.desk import Desk

LARGE = record_batch.encode([Record(None, b"x" * 900_000, 1)])


def filled(desk: Desk, topic: str, configs: dict[str, str], batches: int = 4) -> list[str]:
    """A topic whose every batch has a segment of its own; returns those segments."""
    desk.broker.create_topic(topic, 1, {"segment.bytes": "1048576", **configs})
    for _ in range(batches):
        desk.broker.append((topic, 0), desk.broker.log(topic, 0), LARGE)
    desk.settle()
    return segments(desk.files, topic)


def segments(files: MemoryFiles, topic: str) -> list[str]:
    return [name for name in files.list(f"/data/{topic}-0") if name.endswith(".log")]


def test_retention_spares_compacted_topics_but_not_what_was_deleted_from_them() -> None:
    desk = Desk(flush_policy="os")
    limits = {"retention.ms": "1", "retention.bytes": "1"}
    whole = filled(desk, "compacted", {**limits, "cleanup.policy": "compact"})
    partly = filled(desk, "deleted", {**limits, "cleanup.policy": "compact"}, batches=1)
    filled(desk, "both", {**limits, "cleanup.policy": "compact,delete"})
    log = desk.broker.log("deleted", 0)
    log.delete_records(-1)
    desk.broker.append(("deleted", 0), log, LARGE)
    desk.time.ms += 3_600_000
    desk.broker.apply_retention()
    assert segments(desk.files, "compacted") == whole
    assert partly[0] not in segments(desk.files, "deleted")
    assert (log.log_start_offset, log.log_end_offset) == (1, 2)
    assert desk.broker.log("both", 0).log_start_offset == 4


def test_a_file_that_cannot_be_removed_ends_neither_retention_nor_the_broker(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(flush_policy="os")
    for topic in ("a", "b"):
        filled(desk, topic, {"retention.bytes": "1"})

    def stuck(operation: str, path: str) -> None:
        if operation == "remove" and "/a-0/" in path:
            raise OSError(errno.EIO, "Input/output error", path)

    desk.files.before = stuck
    desk.broker.apply_retention()
    assert "retention of a-0" in caplog.text
    assert len(segments(desk.files, "b")) == 1


def test_a_topic_that_finds_no_room_is_refused_and_made_later() -> None:
    desk = Desk()

    def full(operation: str, path: str) -> None:
        if operation == "create" and path.endswith("/new-1/00000000000000000000.log"):
            raise OSError(errno.ENOSPC, "No space left on device", path)

    desk.files.before = full
    with pytest.raises(BrokerError, match="No space left") as refused:
        desk.broker.create_topic("new", 2, {})
    assert refused.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    desk.files.before = None
    desk.broker.create_topic("new", 2, {})
    assert desk.broker.log("new", 1).log_end_offset == 0
    desk.settle()


def test_group_offsets_are_read_back_in_one_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(flush_policy="os")
    count = 3_000
    for number in range(count):
        request = CommitRequest("g", -1, "", None, {("t", 0): CommittedOffset(number, -1, "")})
        desk.broker.groups.commit(request, desk.time.ms, lambda _: None)
    desk.broker.close(lambda: None)
    walked: Counter[int] = Counter()
    read_header = record_batch.read_header

    def counting(buffer: record_batch.Buffer, position: int = 0) -> record_batch.BatchHeader:
        header = read_header(buffer, position)
        walked[header.base_offset] += 1
        return header

    monkeypatch.setattr(record_batch, "read_header", counting)
    again = desk.start(flush_policy="os")
    assert again.groups.committed("g", None)[("t", 0)].offset == count - 1
    assert sum(walked.values()) < count * 1.1
