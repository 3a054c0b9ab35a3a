"""Numbers of variable length, and sizes: what the compiled readers and writers call."""

from typing import Any, Protocol

from core_log.errors import ProtocolError


class Slice(Protocol):
    """Bytes that stay where they are, in a file, until they are sent."""

    @property
    def length(self) -> int: ...


Part = bytes | bytearray | memoryview | Slice
"""A piece of an answer."""


def read_uvarint(data: bytes, position: int) -> tuple[int, int]:
    """An unsigned varint of at most 32 bits and the position behind it."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
        if shift > 28:
            raise ProtocolError("a number is longer than 32 bits")


def uvarint(number: int) -> bytes:
    """``number`` >= 0 in groups of seven bits, lowest first."""
    if number < 0x80:
        return _ONE_BYTE[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_ONE_BYTE = tuple(bytes([number]) for number in range(0x80))


def size_of(part: Any) -> int:
    """Bytes of a part of an answer, in memory or in a file."""
    return len(part) if isinstance(part, bytes | bytearray | memoryview) else part.length
