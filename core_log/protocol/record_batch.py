"""Record batches, the unit of storage and of the wire (format version 2, KIP-98).

A batch is a header of 61 bytes followed by its records, which may be compressed. The broker treats the records as opaque: it
checks the header and the CRC, and patches the base offset, which the CRC does not cover. Records are read and written only
where the broker itself is the reader: its internal topics and, later, compaction.
Format: https://kafka.apache.org/documentation/#recordbatch
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import google_crc32c

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol import compression

Buffer = bytes | bytearray | memoryview

HEADER = struct.Struct(">qiibIhiqqqhii")
HEADER_SIZE = HEADER.size
#: Base offset and length: what stands before the bytes that ``length`` counts.
PREFIX_SIZE = 12
#: The CRC covers everything from the attributes on.
CRC_START = 21
MAGIC = 2

COMPRESSION_MASK = 0x07
LOG_APPEND_TIME = 0x08
CONTROL = 0x20

NO_PRODUCER_ID = -1
NO_SEQUENCE = -1

_PATCH = struct.Struct(">qii")
_CRC = struct.Struct(">I")


class BatchHeader(NamedTuple):
    """The fixed part of a batch, in wire order."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return self.length + PREFIX_SIZE

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def last_sequence(self) -> int:
        """Sequence numbers wrap from 2^31 - 1 to 0."""
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & CONTROL)


class Record(NamedTuple):
    """One record; ``offset`` and ``timestamp`` (ms) are absolute."""

    key: bytes | None
    value: bytes | None
    timestamp: int = -1
    offset: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


def read_header(buffer: Buffer, position: int = 0) -> BatchHeader:
    """The header at ``position``. Raises struct.error where fewer than 61 bytes are left. Checks nothing."""
    return BatchHeader._make(HEADER.unpack_from(buffer, position))


def headers(buffer: Buffer) -> Iterator[tuple[int, BatchHeader]]:
    """``(position, header)`` of each batch that lies whole in the buffer. Stops at the first that does not."""
    position, end = 0, len(buffer)
    while position + HEADER_SIZE <= end:
        header = read_header(buffer, position)
        if header.length < HEADER_SIZE - PREFIX_SIZE or position + header.size > end:
            return
        yield position, header
        position += header.size


def crc_matches(buffer: Buffer, position: int, header: BatchHeader) -> bool:
    """Whether the CRC-32C in the header is that of the batch's bytes. The batch must lie whole in the buffer."""
    # google_crc32c takes bytes only; the copy costs 0.02 s per GB.
    return bool(google_crc32c.value(bytes(memoryview(buffer)[position + CRC_START : position + header.size])) == header.crc)


def checked(buffer: Buffer) -> list[BatchHeader]:
    """The headers of a produce request's batches for one partition, every batch checked.

    Raises BrokerError: CORRUPT_MESSAGE (torn, wrong CRC), UNSUPPORTED_FOR_MESSAGE_FORMAT (a format before version 2),
    INVALID_RECORD (counts that do not agree, or a control batch).
    """
    found = []
    position, end = 0, len(buffer)
    while position < end:
        if position + HEADER_SIZE > end:
            raise BrokerError(ErrorCode.CORRUPT_MESSAGE, f"{end - position} bytes are too few for a batch header")
        header = read_header(buffer, position)
        _check(header, end - position)
        if not crc_matches(buffer, position, header):
            raise BrokerError(ErrorCode.CORRUPT_MESSAGE, "the CRC of a batch does not match its bytes")
        found.append(header)
        position += header.size
    if not found:
        raise BrokerError(ErrorCode.INVALID_RECORD, "no batch in a produce request")
    return found


def _check(header: BatchHeader, available: int) -> None:
    if header.magic != MAGIC:
        raise BrokerError(
            ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, f"record batch format {header.magic}; only format {MAGIC} is kept"
        )
    if header.length < HEADER_SIZE - PREFIX_SIZE or header.size > available:
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, f"a batch claims {header.size} bytes, {available} are there")
    if header.records_count < 1 or header.last_offset_delta != header.records_count - 1:
        raise BrokerError(
            ErrorCode.INVALID_RECORD,
            f"a batch of {header.records_count} records cannot end at offset delta {header.last_offset_delta}",
        )
    if header.is_control:
        raise BrokerError(ErrorCode.INVALID_RECORD, "clients may not write control batches")


def prefix_for(base_offset: int, header: BatchHeader, leader_epoch: int = 0) -> bytes:
    """The first 16 bytes of a batch as they are stored: offset, length and epoch, none of which the CRC covers.

    Write it before ``batch[16:]``; the received buffer stays as it is.
    """
    return _PATCH.pack(base_offset, header.length, leader_epoch)


def with_append_time(batch: Buffer, now_ms: int) -> bytes:
    """The batch under ``message.timestamp.type=LogAppendTime``: stamped by the broker, the CRC made anew."""
    stamped = bytearray(batch)
    header = read_header(stamped)
    fields = header._replace(attributes=header.attributes | LOG_APPEND_TIME, max_timestamp=now_ms)
    HEADER.pack_into(stamped, 0, *fields)
    _CRC.pack_into(stamped, CRC_START - _CRC.size, google_crc32c.value(bytes(stamped[CRC_START:])))
    return bytes(stamped)


def encode(
    records: Sequence[Record],
    *,
    base_offset: int = 0,
    codec: int = compression.NONE,
    attributes: int = 0,
    producer: tuple[int, int, int] = (NO_PRODUCER_ID, -1, NO_SEQUENCE),
    leader_epoch: int = 0,
) -> bytes:
    """One batch of at least one record. Offsets follow from ``base_offset``; the records' own offsets are not read.

    ``producer`` is (id, epoch, base sequence).
    """
    base_timestamp = records[0].timestamp
    body = bytearray()
    for delta, record in enumerate(records):
        one = _encode_record(record, delta, record.timestamp - base_timestamp)
        _put_varint(body, len(one))
        body += one
    payload = compression.compress(codec, bytes(body))
    header = BatchHeader(
        base_offset,
        HEADER_SIZE - PREFIX_SIZE + len(payload),
        leader_epoch,
        MAGIC,
        0,
        attributes | codec,
        len(records) - 1,
        base_timestamp,
        max(record.timestamp for record in records),
        *producer,
        len(records),
    )
    batch = bytearray(HEADER.pack(*header)) + payload
    _CRC.pack_into(batch, CRC_START - _CRC.size, google_crc32c.value(bytes(batch[CRC_START:])))
    return bytes(batch)


def decode(batch: Buffer) -> Iterator[Record]:
    """The records of one whole batch. Raises BrokerError(CORRUPT_MESSAGE) where the records are not what the format says."""
    header = read_header(batch)
    stamp = header.max_timestamp if header.attributes & LOG_APPEND_TIME else None
    data = compression.decompress(header.attributes & COMPRESSION_MASK, bytes(memoryview(batch)[HEADER_SIZE : header.size]))
    position = 0
    try:
        for _ in range(header.records_count):
            size, position = _varint(data, position)
            end = position + size
            if size < 0 or end > len(data):
                raise BrokerError(ErrorCode.CORRUPT_MESSAGE, f"a record of the batch at {header.base_offset} is torn")
            yield _decode_record(data, position, header, stamp)
            position = end
    except (IndexError, UnicodeDecodeError) as error:
        raise BrokerError(
            ErrorCode.CORRUPT_MESSAGE, f"the records of the batch at {header.base_offset} do not parse"
        ) from error


def records(buffer: Buffer) -> Iterator[Record]:
    """The records of every whole batch in the buffer, control batches left out."""
    for position, header in headers(buffer):
        if not header.is_control:
            yield from decode(memoryview(buffer)[position : position + header.size])


def _decode_record(data: bytes, position: int, header: BatchHeader, stamp: int | None) -> Record:
    timestamp_delta, position = _varint(data, position + 1)  # one byte of attributes, unused
    offset_delta, position = _varint(data, position)
    key, position = _bytes(data, position)
    value, position = _bytes(data, position)
    count, position = _varint(data, position)
    found: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, position = _bytes(data, position)
        content, position = _bytes(data, position)
        found.append(((name or b"").decode(), content))
    timestamp = header.base_timestamp + timestamp_delta if stamp is None else stamp
    return Record(key, value, timestamp, header.base_offset + offset_delta, tuple(found))


def _encode_record(record: Record, offset_delta: int, timestamp_delta: int) -> bytearray:
    out = bytearray(b"\0")
    _put_varint(out, timestamp_delta)
    _put_varint(out, offset_delta)
    _put_bytes(out, record.key)
    _put_bytes(out, record.value)
    _put_varint(out, len(record.headers))
    for name, content in record.headers:
        _put_bytes(out, name.encode())
        _put_bytes(out, content)
    return out


def _bytes(data: bytes, position: int) -> tuple[bytes | None, int]:
    size, position = _varint(data, position)
    if size < 0:
        return None, position
    end = position + size
    if end > len(data):
        raise IndexError(end)
    return data[position:end], end


def _put_bytes(out: bytearray, content: bytes | None) -> None:
    if content is None:
        out.append(1)  # the varint of -1
        return
    _put_varint(out, len(content))
    out += content


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag varint and the position behind it."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (result >> 1) ^ -(result & 1), position
        shift += 7
        if shift > 63:
            raise IndexError(position)


def _put_varint(out: bytearray, number: int) -> None:
    rest = (number << 1) ^ (number >> 63)
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
