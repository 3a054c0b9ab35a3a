import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol.record_batch import records
from core_log.storage.files import RealFiles
from core_log.storage.memory_files import MemoryFiles
from core_log.storage.partition_log import TimestampOffset
from tests.core_log.batches import DIRECTORY, batch, contents, new_log, open_log


def code_of(call, *arguments, **options):
    with pytest.raises(BrokerError) as caught:
        call(*arguments, **options)
    return caught.value.code


values = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5)


@given(st.lists(values, max_size=30), st.integers(200, 4_000), st.lists(st.integers(0, 29)))
@settings(max_examples=60, deadline=None)
def test_what_is_appended_and_flushed_is_read_back_in_order(batches, segment_bytes, flush_after):
    log = new_log(segment_bytes=segment_bytes)
    model = []
    for number, content in enumerate(batches):
        appended = log.append(batch(*content), 1_000)
        assert appended.base_offset == len(model)
        model += content
        assert appended.required_offset == len(model)
        if number in flush_after:
            log.flush()
            assert contents(log) == list(enumerate(model))
    log.flush()
    assert contents(log) == list(enumerate(model))
    assert log.log_end_offset == log.high_watermark == len(model)


@given(st.lists(values, min_size=1, max_size=20), st.integers(1, 2_000), st.data())
@settings(max_examples=60, deadline=None)
def test_a_read_holds_the_offset_it_was_asked_for_and_keeps_its_bounds(batches, max_bytes, data):
    log = new_log(ack=False, segment_bytes=1_500)
    for content in batches:
        log.append(batch(*content), 1_000)
    offset = data.draw(st.integers(0, log.log_end_offset - 1))
    up_to = data.draw(st.integers(offset + 1, log.log_end_offset))
    piece = log.read(offset, max_bytes, up_to=up_to)
    found = list(records(piece.read())) if piece else []
    if found:
        assert found[0].offset <= offset <= found[-1].offset
        last_batch_starts = max(found[0].offset, found[-1].offset - 4)
        assert last_batch_starts < up_to
        assert piece.length <= max_bytes or found[0].offset + 5 > found[-1].offset
    strict = log.read(offset, max_bytes, up_to=up_to, at_least_one=False)
    assert strict is None or strict.length <= max_bytes


def test_the_received_buffer_is_never_changed():
    log = new_log()
    log.append(batch(b"one"), 1_000)
    received = batch(b"two")
    before = bytes(received)
    log.append(memoryview(received), 1_000)
    assert received == before
    log.flush()
    assert contents(log) == [(0, b"one"), (1, b"two")]


def test_under_ack_nothing_is_visible_before_it_is_synced():
    log = new_log(ack=True)
    appended = log.append(batch(b"a", b"b"), 1_000)
    assert log.high_watermark == 0 < appended.required_offset == log.log_end_offset == 2
    assert log.read(0, 1_000) is None
    assert log.offset_for_timestamp(0) is None
    assert log.flush() == 2
    assert contents(log) == [(0, b"a"), (1, b"b")]


def test_without_ack_it_is_visible_at_once():
    log = new_log(ack=False)
    log.append(batch(b"a"), 1_000)
    assert contents(log) == [(0, b"a")]


def test_a_flush_covers_what_was_there_when_it_began():
    log = new_log()
    log.append(batch(b"a"), 1_000)
    flush = log.begin_flush()
    log.append(batch(b"b"), 1_000)  # the owner goes on while another thread syncs
    flush.run()
    assert log.end_flush(flush) == 1
    assert contents(log) == [(0, b"a")]
    assert log.flush() == 2


def test_a_flush_covers_every_segment_that_was_begun_meanwhile():
    files = MemoryFiles()
    log = open_log(files, segment_bytes=100)
    for value in (b"a" * 50, b"b" * 50, b"c" * 50):
        log.append(batch(value), 1_000)
    assert log.flush() == 3
    assert len([name for name in files.list(DIRECTORY) if name.endswith(".log")]) == 3
    assert log.begin_flush() is None


@pytest.mark.parametrize(
    ("offset", "expected"), [(-1, ErrorCode.OFFSET_OUT_OF_RANGE), (3, ErrorCode.OFFSET_OUT_OF_RANGE), (2, None)]
)
def test_reads_outside_the_log_are_refused(offset, expected):
    log = new_log(ack=False)
    log.append(batch(b"a", b"b"), 1_000)
    if expected is None:
        assert log.read(offset, 1_000) is None
    else:
        assert code_of(log.read, offset, 1_000) is expected


def corrupted(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (corrupted(batch(b"a"), 65), ErrorCode.CORRUPT_MESSAGE),
        (batch(b"a")[:-1], ErrorCode.CORRUPT_MESSAGE),
        (batch(b"a")[:40], ErrorCode.CORRUPT_MESSAGE),
        (batch(b"a") + batch(b"b"), ErrorCode.INVALID_RECORD),
        (b"", ErrorCode.INVALID_RECORD),
        (corrupted(batch(b"a"), 16), ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT),
        (batch(b"a" * 600), ErrorCode.MESSAGE_TOO_LARGE),
    ],
)
def test_bad_batches_are_refused_and_leave_nothing(data, expected):
    log = new_log(max_message_bytes=600)
    assert code_of(log.append, data, 1_000) is expected
    assert log.log_end_offset == log.size == 0


def test_a_full_disk_refuses_the_write_and_the_log_goes_on():
    files = MemoryFiles()
    log = open_log(files)
    log.append(batch(b"a"), 1_000)
    files.before = failing("append", errno.ENOSPC)
    with pytest.raises(BrokerError, match="No space left") as caught:
        log.append(batch(b"b"), 1_000)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    files.before = None
    log.append(batch(b"c"), 1_000)
    log.flush()
    assert contents(log) == [(0, b"a"), (1, b"c")]


def failing(operation, number):
    def before(now, path):
        if now == operation and path.endswith(".log"):
            raise OSError(number, "No space left on device" if number == errno.ENOSPC else "Input/output error", path)

    return before


def test_after_a_failed_sync_nothing_is_acknowledged_until_it_recovered_from_disk():
    files = MemoryFiles()
    log = open_log(files)
    log.append(batch(b"kept"), 1_000)
    log.flush()
    log.append(batch(b"lost", producer=(7, 0, 0)), 1_000)
    files.before = failing("sync", errno.EIO)
    assert log.flush() == 1
    files.before = None
    assert log.begin_flush() is None
    assert code_of(log.append, batch(b"x"), 1_000) is ErrorCode.KAFKA_STORAGE_ERROR
    assert code_of(log.read, 0, 1_000) is ErrorCode.KAFKA_STORAGE_ERROR
    assert code_of(log.delete_records, 1) is ErrorCode.KAFKA_STORAGE_ERROR

    log.recover(2_000)
    assert contents(log) == [(0, b"kept")]
    assert log.append(batch(b"again", producer=(7, 0, 0)), 1_000).base_offset == 1
    log.flush()
    assert contents(log) == [(0, b"kept"), (1, b"again")]


def test_a_log_stays_closed_while_the_disk_fails():
    files = MemoryFiles()
    log = open_log(files)
    log.append(batch(b"a"), 1_000)
    files.before = failing("sync", errno.EIO)
    log.flush()
    with pytest.raises(OSError, match="Input/output error"):
        log.recover(2_000)
    assert code_of(log.append, batch(b"x"), 1_000) is ErrorCode.KAFKA_STORAGE_ERROR


def test_reading_a_damaged_file_names_file_and_position():
    files = MemoryFiles()
    log = open_log(files, ack=False)
    for number in range(300):
        log.append(batch(b"%d" % number), 1_000)
    log.close()
    path = f"{DIRECTORY}/{0:020d}.log"
    data = files.read(path)
    file = files.open(path)
    file.truncate(0)
    file.append([data[:100], bytes(200), data[300:]])
    damaged = open_log(files)
    with pytest.raises(BrokerError, match=rf"{path} holds no record batch at byte \d+") as caught:
        damaged.read(3, 10)
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR
    assert next(records(damaged.read(290, 1_000).read())).offset <= 290


def test_an_index_that_cannot_be_read_back_costs_no_offsets():
    files = MemoryFiles()
    log = open_log(files)
    for number in range(3):
        log.append(batch(b"%d" % number * 5_000), 1_000)
    log.close()
    again = open_log(files)

    def unreadable(operation, path):
        if operation == "read" and path.endswith(".index"):
            raise OSError(errno.EIO, "Input/output error", path)

    files.before = unreadable
    assert code_of(again.append, batch(b"x" * 5_000), 1_000) is ErrorCode.KAFKA_STORAGE_ERROR
    files.before = None
    for number in range(3, 6):
        assert again.append(batch(b"%d" % number * 5_000), 1_000).base_offset == number
    assert open_log(files).log_end_offset == 6


def test_a_log_in_pieces_is_the_whole_log():
    log = new_log(segment_bytes=40_000)
    for number in range(200):
        log.append(batch(b"%03d" % number * 200), 1_000)
    log.flush()
    log.append(batch(b"not yet readable"), 1_000)
    log.delete_records(20)
    for max_bytes in (1, 10_000, 1_000_000):
        found = [record.offset for piece in log.pieces(max_bytes) for record in records(piece.read())]
        assert found == list(range(20, 200))


# -- producers


def test_a_batch_sent_again_gets_its_old_offset_and_is_not_written_twice():
    log = new_log()
    for sequence in range(5):
        log.append(batch(b"%d" % sequence, producer=(7, 0, sequence)), 1_000)
    for sequence in range(5):
        again = log.append(batch(b"%d" % sequence, producer=(7, 0, sequence)), 1_000)
        assert (again.base_offset, again.required_offset, again.duplicate) == (sequence, sequence + 1, True)
    assert log.log_end_offset == 5


def test_sequences_survive_restart_with_and_without_checkpoint():
    for close in (True, False):
        files = MemoryFiles()
        log = open_log(files, segment_bytes=300)
        for sequence in range(12):
            log.append(batch(b"v" * 40, producer=(7, 1, sequence)), 1_000)
        if close:
            log.close()
        again = open_log(files, segment_bytes=300)
        assert again.append(batch(b"v" * 40, producer=(7, 1, 10)), 1_000).duplicate
        assert code_of(again.append, batch(b"x", producer=(7, 1, 14)), 1_000) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
        assert code_of(again.append, batch(b"x", producer=(7, 0, 12)), 1_000) is ErrorCode.INVALID_PRODUCER_EPOCH
        assert again.append(batch(b"x", producer=(7, 1, 12)), 1_000).base_offset == 12


def test_idle_producers_are_forgotten():
    log = new_log()
    log.append(batch(b"v", producer=(7, 0, 0), timestamp=1_000), 1_000)
    log.apply_retention(1_000)
    assert log.producers == 1
    log.apply_retention(1_000 + 86_400_001)
    assert log.producers == 0


# -- time


def test_log_append_time_stamps_the_batch():
    log = new_log(ack=False, log_append_time=True)
    appended = log.append(batch(b"a", b"b", timestamp=5), 77_000)
    assert appended.log_append_time_ms == 77_000
    assert [record.timestamp for record in records(log.read(0, 1_000).read())] == [77_000, 77_000]
    assert open_log_again(log).log_end_offset == 2  # the CRC was made anew


def open_log_again(log):
    return open_log(log._files, ack=False)


times = st.lists(st.integers(0, 40), min_size=1, max_size=4)


@given(st.lists(times, min_size=1, max_size=25), st.integers(0, 41), st.booleans())
@settings(max_examples=60, deadline=None)
def test_offsets_by_time_agree_with_a_look_at_every_record(batches, wanted, reopened):
    log = new_log(ack=False, segment_bytes=900)
    model = []
    for times in batches:
        log.append(batch(*[b"v" * 60] * len(times), timestamp=times), 1_000)
        model += times
    if reopened:
        log.close()
        log = open_log_again(log)
    expected = next((TimestampOffset(offset, time) for offset, time in enumerate(model) if time >= wanted), None)
    assert log.offset_for_timestamp(wanted) == expected
    assert log.max_timestamp() == TimestampOffset(model.index(max(model)), max(model))


# -- the start of the log


def test_deleted_records_stay_deleted_and_their_files_go():
    files = MemoryFiles()
    log = open_log(files, segment_bytes=200)
    for number in range(10):
        log.append(batch(b"%d" % number * 50), 1_000)
    log.flush()
    size = log.size
    assert log.delete_records(7) == 7
    assert log.size < size
    assert code_of(log.read, 6, 1_000) is ErrorCode.OFFSET_OUT_OF_RANGE
    log.close()
    again = open_log(files, segment_bytes=200)
    assert again.log_start_offset == 7
    assert [offset for offset, _ in contents(again)] == [7, 8, 9]
    assert again.delete_records(-1) == 10
    assert contents(again) == []
    assert open_log(files).log_start_offset == open_log(files).log_end_offset == 10


def test_records_past_the_high_watermark_cannot_be_deleted():
    log = new_log()
    log.append(batch(b"a"), 1_000)
    assert code_of(log.delete_records, 1) is ErrorCode.OFFSET_OUT_OF_RANGE
    assert code_of(log.delete_records, -2) is ErrorCode.OFFSET_OUT_OF_RANGE


def test_retention_by_time_takes_the_active_segment_too():
    log = new_log(ack=False, retention_ms=1_000)
    log.append(batch(b"a", timestamp=1_000), 1_000)
    assert log.apply_retention(1_500) == 0
    assert log.apply_retention(5_000) > 0
    assert (log.log_start_offset, log.log_end_offset) == (1, 1)
    assert log.append(batch(b"b"), 5_000).base_offset == 1


def test_retention_leaves_what_is_not_on_disk_yet():
    log = new_log(ack=True, retention_ms=1_000)
    log.append(batch(b"a", timestamp=1_000), 1_000)
    assert log.apply_retention(5_000) == 0
    log.flush()
    assert log.apply_retention(5_000) > 0
    assert (log.log_start_offset, log.log_end_offset) == (1, 1)


def test_a_segment_is_rolled_by_age():
    files = MemoryFiles()
    log = open_log(files, segment_ms=100)
    for now_ms in (1_000, 1_100, 1_101):
        log.append(batch(b"a"), now_ms)
    assert len([name for name in files.list(DIRECTORY) if name.endswith(".log")]) == 2


def test_a_slice_outlives_its_segment(tmp_path):
    log = open_log(RealFiles(), directory=f"{tmp_path}/orders-0", segment_bytes=100)
    for number in range(3):
        log.append(batch(b"%d" % number * 60), 1_000)
    log.flush()
    piece = log.read(0, 1_000)
    log.delete_records(2)
    assert [record.value for record in records(piece.read())] == [b"0" * 60]
