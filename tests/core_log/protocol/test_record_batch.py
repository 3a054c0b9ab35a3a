"""Record batches: what we write others read, what is broken is refused."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.records.readers import read_batch

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol import compression, record_batch
from core_log.protocol.record_batch import Record

RECORDS = [Record(b"k%d" % n, b"v" * n, 1_700_000_000_000 + n, 0, (("h", b"x"), ("none", None))) for n in range(40)]

maybe_bytes = st.none() | st.binary(max_size=40)
some_records = st.lists(
    st.builds(
        Record,
        maybe_bytes,
        maybe_bytes,
        st.integers(-1, 2**62),
        st.just(0),
        st.lists(st.tuples(st.text(max_size=5), maybe_bytes), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=20,
)


def without_offsets(records: list[Record]) -> list[Record]:
    return [record._replace(offset=0) for record in records]


@given(some_records, st.sampled_from(range(5)), st.integers(0, 2**62))
def test_what_is_encoded_is_decoded(records: list[Record], codec: int, base_offset: int) -> None:
    batch = record_batch.encode(records, base_offset=base_offset, codec=codec)
    decoded = list(record_batch.records(batch))
    assert without_offsets(decoded) == records
    assert [record.offset for record in decoded] == list(range(base_offset, base_offset + len(records)))
    (header,) = record_batch.checked(batch)
    assert header.size == len(batch)
    assert header.last_offset == base_offset + len(records) - 1


def test_another_implementation_reads_what_we_write() -> None:
    ours = record_batch.encode(RECORDS, base_offset=7, producer=(9, 1, 5))
    header = record_batch.read_header(ours)
    assert (header.base_sequence, header.last_sequence) == (5, 44)
    theirs, rest = read_batch(ours, 0)
    assert rest == len(ours)
    assert [record.value for record in theirs.records] == [record.value for record in RECORDS]
    assert (theirs.producer_id, theirs.base_offset) == (9, 7)


@pytest.mark.parametrize("position", range(16, 300, 7))
def test_one_flipped_bit_anywhere_the_crc_covers_is_seen(position: int) -> None:
    batch = bytearray(record_batch.encode(RECORDS))
    batch[position] ^= 0x10
    with pytest.raises(BrokerError):
        record_batch.checked(batch)


def test_a_patched_base_offset_leaves_the_crc_alone() -> None:
    batch = record_batch.encode(RECORDS)
    (header,) = record_batch.checked(batch)
    stored = record_batch.prefix_for(1000, header) + batch[16:]
    (patched,) = record_batch.checked(stored)
    assert patched.base_offset == 1000
    assert [record.offset for record in record_batch.records(stored)][:2] == [1000, 1001]


def test_append_time_stamps_every_record() -> None:
    stamped = record_batch.with_append_time(record_batch.encode(RECORDS), 42)
    record_batch.checked(stamped)
    assert {record.timestamp for record in record_batch.records(stamped)} == {42}


def test_a_torn_tail_ends_the_walk_and_is_refused_in_a_request() -> None:
    whole = record_batch.encode(RECORDS)
    torn = whole + whole[:-3]
    assert [header.size for _, header in record_batch.headers(torn)] == [len(whole)]
    with pytest.raises(BrokerError) as refused:
        record_batch.checked(torn)
    assert refused.value.code is ErrorCode.CORRUPT_MESSAGE


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (16, b"\1", ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT),
        (8, struct.pack(">i", -5), ErrorCode.CORRUPT_MESSAGE),
        (8, struct.pack(">i", 2**31 - 1), ErrorCode.CORRUPT_MESSAGE),
        (57, struct.pack(">i", 0), ErrorCode.INVALID_RECORD),
        (23, struct.pack(">i", 9), ErrorCode.INVALID_RECORD),
        (21, struct.pack(">h", record_batch.CONTROL), ErrorCode.INVALID_RECORD),
    ],
)
def test_headers_that_lie_are_refused(offset: int, value: bytes, code: ErrorCode) -> None:
    batch = bytearray(record_batch.encode(RECORDS))
    batch[offset : offset + len(value)] = value
    with pytest.raises(BrokerError) as refused:
        record_batch.checked(batch)
    assert refused.value.code is code


@given(st.binary(max_size=200), st.sampled_from(range(5)))
def test_records_that_are_garbage_raise_one_kind_of_error(body: bytes, codec: int) -> None:
    whole = bytearray(record_batch.encode([Record(b"k", b"v", 1)], attributes=codec)[:61]) + body
    struct.pack_into(">i", whole, 8, len(whole) - 12)
    with suppress(BrokerError):
        list(record_batch.decode(whole))


def test_snappy_of_java_and_of_c_clients() -> None:
    import cramjam

    text = b"abc" * 100
    assert compression.decompress(compression.SNAPPY, bytes(cramjam.snappy.compress_raw(text))) == text
    assert compression.decompress(compression.SNAPPY, compression.compress(compression.SNAPPY, text)) == text


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(BrokerError, match="codec 6"):
        compression.decompress(6, b"")
