"""The file beside each segment that vouches for its first bytes: ``<base offset>.index``.

It says "the first ``size`` bytes were synced and are whole batches", and holds what a scan of them would give: the next offset,
the highest timestamp, the sparse index and the producers' state at that point. A segment as long as its checkpoint says needs
no scan at start; a longer one is scanned from there. Losing the file costs a scan, never data.

Layout: docs/on-disk-format.md.
"""

import struct
import sys
from dataclasses import dataclass

import google_crc32c

from core_log.storage.index import SparseIndex
from core_log.storage.producer_state import ProducerState

MAGIC = b"PSTK"
FORMAT_VERSION = 1
_BYTE_ORDER = {"little": 0, "big": 1}[sys.byteorder]
#: magic, version, byte order, size, next offset, highest timestamp, created, index bytes, producer bytes, CRC of both.
_HEADER = struct.Struct(">4sBBqqqqIII")
_CRC = struct.Struct(">I")
HEADER_SIZE = _HEADER.size + _CRC.size


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size``: the bytes of the segment it vouches for."""

    size: int
    next_offset: int
    highest_timestamp: int
    created_ms: int
    index: bytes
    producers: bytes

    def to_bytes(self) -> bytes:
        body = self.index + self.producers
        header = _HEADER.pack(
            MAGIC,
            FORMAT_VERSION,
            _BYTE_ORDER,
            self.size,
            self.next_offset,
            self.highest_timestamp,
            self.created_ms,
            len(self.index),
            len(self.producers),
            google_crc32c.value(body),
        )
        return header + _CRC.pack(google_crc32c.value(header)) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint | None":
        """None where the bytes are damaged or of another format: the segment is then scanned from its start."""
        if len(data) < HEADER_SIZE or _CRC.unpack_from(data, _HEADER.size)[0] != google_crc32c.value(data[: _HEADER.size]):
            return None
        magic, version, order, size, next_offset, highest, created, index_size, producer_size, crc = _HEADER.unpack_from(data)
        body = data[HEADER_SIZE:]
        if (magic, version, order) != (MAGIC, FORMAT_VERSION, _BYTE_ORDER) or len(body) != index_size + producer_size:
            return None
        if google_crc32c.value(body) != crc:
            return None
        return cls(size, next_offset, highest, created, body[:index_size], body[index_size:])

    def read_index(self) -> SparseIndex:
        return SparseIndex.from_bytes(self.index)

    def read_producers(self) -> ProducerState:
        return ProducerState.from_bytes(self.producers)
