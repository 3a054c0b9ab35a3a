"""The index, producer state, retention, checkpoints and the file seam by themselves."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol.record_batch import read_header
from core_log.storage import retention
from core_log.storage.checkpoint import Checkpoint
from core_log.storage.files import RealFile, RealFiles, replace
from core_log.storage.index import SparseIndex
from core_log.storage.producer_state import ProducerState
from core_log.storage.topic_config import TopicConfig
from tests.core_log.batches import batch

# -- the index


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5_000), st.integers(0, 50)), max_size=40), st.integers(0, 60_000))
def test_the_index_never_points_past_what_is_sought(steps, sought):
    index = SparseIndex()
    offset = position = highest = 0
    entries = []
    for offsets, size, timestamp in steps:
        index.add(offset, position, highest)
        entries.append((offset, position, highest))
        offset, position, highest = offset + offsets, position + size, max(highest, timestamp)
    index = SparseIndex.from_bytes(index.to_bytes())
    assert index.position_for(sought) == max([at for first, at, _ in entries if first <= sought], default=0)
    assert index.last_position(sought) == max([at for _, at, _ in entries if at <= sought], default=0)
    by_time = index.position_for_timestamp(sought % 50)
    assert all(before < sought % 50 for _, at, before in entries if 0 < at <= by_time)


# -- producers


def header(sequence, epoch=0, producer=7, records=1):
    return read_header(batch(*[b"v"] * records, producer=(producer, epoch, sequence)))


@pytest.mark.parametrize(
    ("next_batch", "expected"),
    [
        (header(8), None),
        (header(7), 7),
        (header(3), 3),
        (header(2), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),  # no longer remembered
        (header(9), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
        (header(7, records=2), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),  # not the batch that was sent
        (header(0, epoch=1), None),
        (header(8, epoch=1), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
        (header(100, producer=8), None),
    ],
)
def test_sequences(next_batch, expected):
    state = ProducerState()
    for sequence in range(8):
        state.update(header(sequence), sequence)
    state = ProducerState.from_bytes(state.to_bytes())
    if isinstance(expected, ErrorCode):
        with pytest.raises(BrokerError) as caught:
            state.check(next_batch)
        assert caught.value.code is expected
    else:
        known = state.check(next_batch)
        assert (known.base_offset if known else None) == expected


def test_an_older_epoch_is_fenced():
    state = ProducerState()
    state.update(header(0, epoch=3), 0)
    with pytest.raises(BrokerError) as caught:
        state.check(header(1, epoch=2))
    assert caught.value.code is ErrorCode.INVALID_PRODUCER_EPOCH


def test_sequences_wrap():
    state = ProducerState()
    state.update(header(2**31 - 2, records=3), 0)
    assert state.check(header(1)) is None
    with pytest.raises(BrokerError):
        state.check(header(2))


# -- retention


class Aged:
    def __init__(self, size, highest_timestamp, next_offset=10):
        self.size, self.highest_timestamp, self.next_offset, self.created_ms = size, highest_timestamp, next_offset, 50


@pytest.mark.parametrize(
    ("config", "topic", "start", "gone"),
    [
        (TopicConfig(retention_ms=100), "orders", 0, 2),
        (TopicConfig(retention_ms=49), "orders", 0, 3),
        (TopicConfig(retention_ms=-1), "orders", 0, 0),
        (TopicConfig(retention_ms=-1, retention_bytes=200), "orders", 0, 1),
        (TopicConfig(retention_ms=-1, retention_bytes=201), "orders", 0, 0),
        (TopicConfig(retention_ms=-1, retention_bytes=0), "orders", 0, 2),
        (TopicConfig(retention_ms=1, compact=True, delete=False), "orders", 0, 0),
        (TopicConfig(retention_ms=1, compact=True, delete=True), "orders", 0, 3),
        (TopicConfig(retention_ms=1), "__consumer_offsets", 0, 0),
        (TopicConfig(retention_ms=-1), "orders", 20, 2),
        (TopicConfig(compact=True, delete=False), "orders", 15, 1),
    ],
)
def test_what_retention_takes(config, topic, start, gone):
    segments = [Aged(100, -1, 10), Aged(100, 80, 20), Aged(100, 151, 30)]
    assert retention.expired(topic, segments, config, start, 201) == segments[:gone]


# -- checkpoints


def test_a_checkpoint_with_any_bit_flipped_is_not_believed():
    good = Checkpoint(100, 7, 1_000, 50, b"i" * 24, b"p" * 9).to_bytes()
    assert Checkpoint.from_bytes(good) == Checkpoint(100, 7, 1_000, 50, b"i" * 24, b"p" * 9)
    for bit in range(len(good) * 8):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert Checkpoint.from_bytes(bytes(bad)) is None
    for length in range(len(good)):
        assert Checkpoint.from_bytes(good[:length]) is None


# -- files


def test_a_short_write_is_finished(tmp_path, monkeypatch):
    file = RealFile(f"{tmp_path}/x", create=True)
    monkeypatch.setattr(os, "pwritev", lambda descriptor, parts, position: os.pwrite(descriptor, parts[0][:2], position))
    file.append([b"abcd", b"efgh"])
    file.append([b"ijkl"])
    assert file.pread(100, 0) == b"abcdefghijkl"
    assert file.size() == 12


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    file = RealFile(f"{tmp_path}/x", create=True)
    file.append([b"kept"])
    real = os.pwrite

    def full(descriptor, data, position):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwritev", lambda descriptor, parts, position: real(descriptor, parts[0][:2], position))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        file.append([b"lost"])
    assert (file.size(), (tmp_path / "x").read_bytes()) == (4, b"kept")


def test_replace_leaves_no_trace_of_the_old(tmp_path):
    path = f"{tmp_path}/x"
    replace(RealFiles(), path, b"a long first content")
    (tmp_path / "x.tmp").write_bytes(b"left by a crash, and longer than what comes next")
    replace(RealFiles(), path, b"short")
    assert RealFiles().read(path) == b"short"
    assert RealFiles().list(str(tmp_path)) == ["x"]
