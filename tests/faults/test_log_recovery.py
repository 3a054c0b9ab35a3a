"""What a log gives back after kill -9, damage and power loss, on a modelled disk: an exact clean prefix, never an exception."""

import errno
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_log.errors import BrokerError
from core_log.protocol.record_batch import PREFIX_SIZE
from core_log.storage.memory_files import MemoryFiles
from tests.core_log.batches import DIRECTORY, batch, contents, open_log

LOG = f"{DIRECTORY}/{0:020d}.log"
#: Bytes 12 to 15 of a batch, the leader epoch, stand outside the CRC; we neither read nor serve by it.
EPOCH = range(PREFIX_SIZE, PREFIX_SIZE + 4)


def batches():
    return [batch(b"first"), batch(b"second", b"third"), batch(b"4" * 40, producer=(9, 0, 0)), batch(b"fifth", b"sixth", b"7")]


def written():
    """A log that was killed: its file, and where each batch ends."""
    files = MemoryFiles()
    log = open_log(files)
    ends = []
    for one in batches():
        log.append(one, 1_000)
        ends.append(log.size)
    return files, ends


def with_content(data):
    files = MemoryFiles()
    open_log(files)
    file = files.open(LOG)
    file.truncate(0)
    file.append([data])
    return files


def assert_recovers(files, whole):
    """The log holds exactly the first ``whole`` batches, says so twice, and goes on."""
    expected = list(enumerate([b"first", b"second", b"third", b"4" * 40, b"fifth", b"sixth", b"7"]))[: [0, 1, 3, 4, 7][whole]]
    for _ in range(2):
        log = open_log(files)
        assert contents(log) == expected
        assert log.log_end_offset == len(expected)
    assert log.append(batch(b"next"), 1_000).base_offset == len(expected)
    log.flush()
    assert contents(open_log(files)) == [*expected, (len(expected), b"next")]


def test_cut_at_every_byte():
    files, ends = written()
    data = files.read(LOG)
    for length in range(len(data) + 1):
        assert_recovers(with_content(data[:length]), sum(end <= length for end in ends))


def test_a_flipped_bit_at_every_byte():
    files, ends = written()
    data = files.read(LOG)
    for position in range(len(data)):
        hit = sum(end <= position for end in ends)
        start = ends[hit - 1] if hit else 0
        damaged = data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]
        assert_recovers(with_content(damaged), len(ends) if position - start in EPOCH else hit)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_garbage_tail(tail):
    files, ends = written()
    assert_recovers(with_content(files.read(LOG) + tail), len(ends))


@pytest.mark.parametrize("zeros", [1, 12, 60, 61, 4096, 5_000_000])
def test_a_tail_of_zeros(zeros):
    files, ends = written()
    assert_recovers(with_content(files.read(LOG) + bytes(zeros)), len(ends))


def test_a_stale_batch_in_the_tail_does_not_come_back():
    files, ends = written()
    stale = batch(b"from an older life", base_offset=3)
    assert_recovers(with_content(files.read(LOG) + stale), len(ends))


def test_a_header_that_denies_an_offset_is_damage_and_not_an_empty_answer():
    files = MemoryFiles()
    log = open_log(files, segment_bytes=400)
    for number in range(12):
        log.append(batch(b"%02d" % number * 30, producer=(9, 0, number)), 1_000)
    log.close()
    path = f"{DIRECTORY}/00000000000000000003.log"
    content = bytearray(files.read(path))
    content[267] ^= 1  # in the base offset of the file's last batch: 5 becomes 4
    file = files.open(path)
    file.truncate(0)
    file.append([bytes(content)])

    again = open_log(files, segment_bytes=400)
    with pytest.raises(BrokerError):
        again.read(5, 1)
    assert again.read(6, 1) is not None


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_to_any_file_of_a_log_with_checkpoints(data):
    """One bit or a cut anywhere: what is read is what was written; a damaged index or checkpoint costs nothing at all."""
    files = MemoryFiles()
    log = open_log(files, segment_bytes=400)
    for number in range(12):
        log.append(batch(b"%02d" % number * 30, producer=(9, 0, number)), 1_000)
    log.close()
    name = data.draw(st.sampled_from(files.list(DIRECTORY)))
    path = f"{DIRECTORY}/{name}"
    content = files.read(path)
    position = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:position]
    if data.draw(st.booleans()):
        damaged += bytes([content[position] ^ 1 << data.draw(st.integers(0, 7))]) + content[position + 1 :]
    file = files.open(path)
    file.truncate(0)
    file.append([damaged])

    again = open_log(files, segment_bytes=400)
    if name.endswith(".index"):
        assert contents(again) == [(number, b"%02d" % number * 30) for number in range(12)]
    else:
        assert again.log_end_offset in {12, *range(12)}
        for offset in range(again.log_end_offset):
            try:
                piece = again.read(offset, 1)
            except BrokerError:
                continue  # named, and the rest is served
            assert piece is not None


def test_a_damaged_old_segment_does_not_cost_the_later_ones():
    files = MemoryFiles()
    log = open_log(files, segment_bytes=200)
    for number in range(6):
        log.append(batch(b"%d" % number * 80), 1_000)
    log.close()
    files.open(LOG).truncate(10)
    again = open_log(files, segment_bytes=200)
    assert again.log_end_offset == 6
    assert again.read(5, 1_000) is not None
    with pytest.raises(BrokerError, match="damaged"):
        again.read(0, 1_000)


class PowerLoss(BaseException):
    """The program stops in the middle of a write."""


class Life:
    """A log, what it was given, and what its users were told. Survives power losses."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.files = MemoryFiles()
        self.files.make_directory("/data")
        self.files.sync_directory("")
        self.written = {}  # offset -> the values that were ever written there
        self.acknowledged = {}
        self.start = 0
        self.number = 0

    def live(self, steps):
        """Some random work that may end anywhere, even inside an operation."""
        fuse = self.random.choice([None, self.random.randint(1, 40)])
        try:
            log = open_log(self.files, segment_bytes=700)
            self.check(log)
            self.files.before = self._burning(fuse)
            flush = None
            for _ in range(steps):
                flush = self.step(log, flush)
        except PowerLoss:
            pass
        self.files.before = None
        if self.random.random() < 0.6:
            self.files = self.files.after_power_loss(self.random)  # otherwise kill -9: what was written can still be read

    def _burning(self, fuse):
        left = [fuse]

        def before(operation, path):
            if left[0] is not None:
                left[0] -= 1
                if left[0] <= 0:
                    raise PowerLoss

        return before

    def step(self, log, flush):
        match self.random.randint(0, 9):
            case 0 if flush is None:
                flush = log.begin_flush(checkpoint=self.random.random() < 0.3)
                if flush is not None:
                    flush.run()
            case 1 | 2 if flush is not None:
                assert flush.failure is None
                mark = log.end_flush(flush)
                self.acknowledged = {offset: value for offset, value in self.unacknowledged(log) if offset < mark}
                flush = None
            case 3 if self.random.random() < 0.1 and log.high_watermark > log.log_start_offset:
                before = self.random.randint(log.log_start_offset + 1, log.high_watermark)
                self.start = max(self.start, before)  # from here on either start is right
                log.delete_records(before)
            case _:
                self.append(log)
        return flush

    def append(self, log):
        value = b"%d:" % self.number + b"v" * self.random.randint(0, 300)
        self.number += 1
        self.current[log.log_end_offset] = value
        self.written.setdefault(log.log_end_offset, set()).add(value)
        log.append(batch(value), 1_000)

    def unacknowledged(self, log):
        return [(offset, value) for offset, value in self.current.items() if offset < log.log_end_offset]

    def check(self, log):
        found = dict(contents(log))
        assert contents(open_log(self.files, segment_bytes=700)) == list(found.items()), "recovery is idempotent"
        for offset, value in self.acknowledged.items():
            if offset >= self.start:
                assert found.get(offset) == value, f"acknowledged record {offset} is lost"
        for offset, value in found.items():
            assert value in self.written[offset], "nothing is read that was never written"
        assert log.log_start_offset <= self.start
        assert list(found) == list(range(log.log_start_offset, log.log_end_offset)), "a prefix without holes"
        self.current = dict(found)
        self.acknowledged = dict(found)  # recovery makes it durable, and it is visible now


@pytest.mark.parametrize("seed", range(150))
def test_no_acknowledged_record_is_lost_in_a_power_cut(seed):
    life = Life(seed)
    for _ in range(6):
        life.live(life.random.randint(0, 40))
    life.check(open_log(life.files, segment_bytes=700))


def test_a_segment_is_verified_by_one_start_only():
    """Kill -9 before anything was synced, again and again: the start that reads a closed segment writes its checkpoint."""
    files = MemoryFiles()
    log = open_log(files, ack=False, segment_bytes=200)
    for number in range(8):
        log.append(batch(b"%d" % number * 80, producer=(9, 0, number)), 1_000)
    read = set()
    files.before = lambda operation, path: read.add(path) if operation == "pread" else None
    open_log(files, ack=False, segment_bytes=200)
    assert len(read) > 5
    read.clear()
    again = open_log(files, ack=False, segment_bytes=200)
    assert len([path for path in read if path.endswith(".log")]) == 1, "the one that is appended to"
    assert contents(again) == [(number, b"%d" % number * 80) for number in range(8)]
    assert again.append(batch(b"7" * 80, producer=(9, 0, 7)), 1_000).duplicate


def test_what_a_start_found_is_on_disk_from_there_on():
    """Kill -9, a start, a power cut: neither files in the middle nor the name of the last one may be lost any more."""
    for seed in range(40):
        files = MemoryFiles()
        log = open_log(files, ack=False, segment_bytes=200)
        for number in range(4):
            if number == 3 and seed % 2:
                log.flush(checkpoint=True)
            log.append(batch(b"%d" % number * 80), 1_000)
        again = open_log(files, ack=True, segment_bytes=200)
        assert again.high_watermark == 4
        survivor = open_log(files.after_power_loss(Random(seed)), segment_bytes=200)
        assert survivor.log_end_offset == 4


def test_files_that_recovery_removed_do_not_come_back():
    for seed in range(20):
        files = MemoryFiles()
        log = open_log(files, segment_bytes=150)
        for number in range(4):
            log.append(batch(b"%d" % number * 80), 1_000)
        files.sync_directory(DIRECTORY)  # the names are on disk, the bytes are not: the first file was torn
        files.open(LOG).truncate(30)
        open_log(files)
        survivor = files.after_power_loss(Random(seed))
        assert [name for name in survivor.list(DIRECTORY) if name.endswith(".log")] == [f"{0:020d}.log"]


def test_a_new_segment_is_durable_even_where_its_predecessors_checkpoint_cannot_be_written():
    def no_room(operation, path):
        if ".index" in path:
            raise OSError(errno.ENOSPC, "No space left on device", path)

    for seed in range(20):
        files = MemoryFiles()
        log = open_log(files, segment_bytes=150)
        files.before = no_room
        for number in range(3):
            log.append(batch(b"%d" % number * 80), 1_000)
        assert log.flush() == 3
        assert open_log(files.after_power_loss(Random(seed))).log_end_offset == 3


def test_a_start_offset_that_outlived_its_records_is_where_the_log_goes_on():
    for seed in range(20):
        files = MemoryFiles()
        log = open_log(files, ack=False)
        for number in range(3):
            log.append(batch(b"%d" % number), 1_000)
        log.delete_records(-1)  # durable at once, the records never were
        again = open_log(files.after_power_loss(Random(seed)), ack=False)
        assert (again.log_start_offset, again.log_end_offset) == (3, 3)
        assert again.append(batch(b"next"), 1_000).base_offset == 3
