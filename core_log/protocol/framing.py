"""Cutting a stream of bytes into frames: an int32 length, then that many bytes.

Memory grows with the bytes that have come, never with the length that a peer claims.
"""

import struct

from core_log.errors import ProtocolError

#: Every request but Produce; group assignments and long topic lists fit many times over.
SMALL_REQUEST_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">i")
_LENGTH_AND_KEY = struct.Struct(">ih")
_PRODUCE = 0
#: From here on a frame is handed out as a view, not as a copy.
_VIEW_BYTES = 16_384
_FOREIGN = {
    b"GET ": "HTTP",
    b"POST": "HTTP",
    b"PUT ": "HTTP",
    b"HEAD": "HTTP",
    b"OPTI": "HTTP",
    b"DELE": "HTTP",
    b"\x16\x03\x01": "TLS",
}


class FrameReader:
    """Feed it what was received, take frames until there is none."""

    __slots__ = ("_chunks", "_have", "_max_bytes", "_need", "_start")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._start = 0  # where the next frame begins in the first chunk
        self._have = 0
        self._need = _LENGTH.size

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._have += len(chunk)

    @property
    def missing(self) -> int:
        """Bytes until the frame under way is whole, as far as is known."""
        return self._need - self._have

    def take(self) -> bytes | memoryview | None:
        """The next frame without its length, or None until more has been fed. Raises ProtocolError."""
        if self._have < self._need:
            return None
        if len(self._chunks) > 1:
            first = memoryview(self._chunks[0])[self._start :]
            self._chunks = [b"".join((first, *self._chunks[1:]))]
            self._start = 0
        data = self._chunks[0]
        (length,) = _LENGTH.unpack_from(data, self._start)
        self._check(data, length)
        self._need = _LENGTH.size + length
        if self._have < self._need:
            return None
        return self._cut(data, self._start + _LENGTH.size, length)

    def _cut(self, data: bytes, begin: int, length: int) -> bytes | memoryview:
        end = begin + length
        frame = memoryview(data)[begin:end] if length >= _VIEW_BYTES else data[begin:end]
        self._have -= self._need
        self._need = _LENGTH.size
        if self._have:
            self._start = end
        else:
            self._chunks.clear()
            self._start = 0
        return frame

    def _check(self, data: bytes, length: int) -> None:
        if not 0 <= length <= self._max_bytes:
            head = data[self._start : self._start + 4]
            for prefix, name in _FOREIGN.items():
                if head.startswith(prefix):
                    raise ProtocolError(f"this looks like {name}; only the Kafka protocol is spoken here")
            raise ProtocolError(f"a frame of {length} bytes; at most {self._max_bytes} (socket.request.max.bytes)")
        if length > SMALL_REQUEST_BYTES and self._have >= _LENGTH_AND_KEY.size:
            _, key = _LENGTH_AND_KEY.unpack_from(data, self._start)
            if key != _PRODUCE:
                raise ProtocolError(f"a frame of {length} bytes for API key {key}; at most {SMALL_REQUEST_BYTES}")
