"""The codecs of record batches, used only where the broker reads records itself: batches of clients pass through as they are.

lz4, snappy and zstd come from cramjam, imported at first use: a broker that never opens a batch never loads it.
"""

import struct
import zlib
from collections.abc import Callable
from typing import Any

from core_log.errors import BrokerError, ErrorCode

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)

#: Java's snappy framing: magic, version, compatible version, then chunks of (int32 size, snappy block).
_XERIAL_MAGIC = b"\x82SNAPPY\0"
_XERIAL_HEADER = _XERIAL_MAGIC + struct.pack(">ii", 1, 1)
_SIZE = struct.Struct(">i")


def compress(codec: int, data: bytes) -> bytes:
    """``data`` under the codec of a batch's attributes. Raises BrokerError(UNSUPPORTED_COMPRESSION_TYPE)."""
    if codec == NONE:
        return data
    return _codec(_COMPRESS, codec)(data)


def decompress(codec: int, data: bytes) -> bytes:
    """The records of a batch. Raises BrokerError: UNSUPPORTED_COMPRESSION_TYPE; CORRUPT_MESSAGE for bytes not of the codec."""
    if codec == NONE:
        return data
    expand = _codec(_DECOMPRESS, codec)
    try:
        return expand(data)
    except Exception as error:  # cramjam, zlib and struct each raise errors of their own; all mean the same bytes are bad
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, f"the records of a batch do not decompress: {error}") from error


def _codec(table: dict[int, Callable[[bytes], bytes]], codec: int) -> Callable[[bytes], bytes]:
    found = table.get(codec)
    if found is None:
        raise BrokerError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"compression codec {codec} is not one of 0 to {ZSTD}")
    return found


def _cramjam() -> Any:
    import cramjam  # 5 MB and 4 ms that an idle broker need not pay

    return cramjam


def _gzip(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=31)
    return squeeze.compress(data) + squeeze.flush()


def _gunzip(data: bytes) -> bytes:
    return zlib.decompress(data, wbits=31)


def _snappy(data: bytes) -> bytes:
    block = bytes(_cramjam().snappy.compress_raw(data))
    return _XERIAL_HEADER + _SIZE.pack(len(block)) + block


def _unsnappy(data: bytes) -> bytes:
    snappy = _cramjam().snappy
    if not data.startswith(_XERIAL_MAGIC):
        return bytes(snappy.decompress_raw(data))
    chunks = []
    position = len(_XERIAL_HEADER)
    while position < len(data):
        (size,) = _SIZE.unpack_from(data, position)
        position += _SIZE.size
        chunks.append(bytes(snappy.decompress_raw(data[position : position + size])))
        position += size
    return b"".join(chunks)


def _lz4(data: bytes) -> bytes:
    return bytes(_cramjam().lz4.compress(data, level=1))  # from level 4 on it is the slow high-compression mode


_COMPRESS: dict[int, Callable[[bytes], bytes]] = {
    GZIP: _gzip,
    SNAPPY: _snappy,
    LZ4: _lz4,
    ZSTD: lambda data: bytes(_cramjam().zstd.compress(data)),
}
_DECOMPRESS: dict[int, Callable[[bytes], bytes]] = {
    GZIP: _gunzip,
    SNAPPY: _unsnappy,
    LZ4: lambda data: bytes(_cramjam().lz4.decompress(data)),
    ZSTD: lambda data: bytes(_cramjam().zstd.decompress(data)),
}
