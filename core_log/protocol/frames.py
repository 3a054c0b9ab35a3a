"""Requests and answers as they stand in a frame: the headers of both, and what goes around a message.

A frame is an int32 length and that many bytes; the length itself is the server's business.
Headers: https://kafka.apache.org/protocol#protocol_messages
"""

import struct
from typing import NamedTuple, TypeVar, cast

from core_log.errors import ProtocolError
from core_log.protocol.compiler import reader, writer
from core_log.protocol.fields import Message, Request, Response
from core_log.protocol.primitives import Part, read_uvarint, size_of

FETCH = 1
API_VERSIONS = 18

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)

_FIXED = struct.Struct(">hhih")
_SIZE_AND_CORRELATION = struct.Struct(">ii")
#: What a reader raises on bytes that end early or are not text.
_BAD_BYTES = (struct.error, IndexError, UnicodeDecodeError)


class RequestHeader(NamedTuple):
    """``body`` is where the client id ends: the message, or in a flexible version the header's tagged fields."""

    key: int
    version: int
    correlation_id: int
    client_id: str | None
    body: int


def read_header(frame: bytes) -> RequestHeader:
    """The part of the header that every version has. Raises ProtocolError."""
    try:
        key, version, correlation_id, length = _FIXED.unpack_from(frame)
        body = _FIXED.size + max(length, 0)
        if body > len(frame):
            raise ProtocolError("the client id runs over the end of the frame")
        client_id = None if length < 0 else str(frame[_FIXED.size : body], "utf-8")
    except _BAD_BYTES as error:
        raise ProtocolError(f"not a request header: {error}") from error
    return RequestHeader(key, version, correlation_id, client_id, body)


def decode_request(declared: type[R], frame: bytes, header: RequestHeader) -> R:
    """The request behind a header. Raises ProtocolError."""
    flexible = header.version >= declared.FLEXIBLE_FROM
    try:
        position = _skip_tags(frame, header.body) if flexible else header.body
        message, end = reader(declared, header.version, flexible)(frame, position)
    except _BAD_BYTES as error:
        raise ProtocolError(f"a {declared.__name__} of version {header.version} does not parse: {error}") from error
    if end > len(frame):
        raise ProtocolError(f"a {declared.__name__} of version {header.version} ends early")
    return cast("R", message)


def encode_response(response: Response, version: int, correlation_id: int) -> list[Part]:
    """The whole frame, length included, as parts to be sent in order. File slices stay parts of their own."""
    flexible = version >= response.FLEXIBLE_FROM
    parts: list[Part] = []
    # A client that does not know our versions yet must be able to read ApiVersions: its header never has tagged fields.
    if flexible and response.KEY != API_VERSIONS:
        parts.append(b"\0")
    writer(type(response), version, flexible)(response, parts.append)
    if response.KEY != FETCH:
        body = b"".join(parts)  # type: ignore[arg-type]  # only Fetch answers with slices
        return [_SIZE_AND_CORRELATION.pack(4 + len(body), correlation_id) + body]
    joined = _joined(parts)
    joined[0] = _SIZE_AND_CORRELATION.pack(4 + sum(map(size_of, joined)), correlation_id) + cast("bytes", joined[0])
    return joined


def encode_message(message: Message, version: int) -> bytes:
    """A message alone, without headers; it must hold no file slices."""
    parts: list[bytes] = []
    writer(type(message), version, version >= message.FLEXIBLE_FROM)(message, parts.append)
    return b"".join(parts)


def decode_message(declared: type[M], data: bytes, version: int) -> M:
    """The inverse of ``encode_message``. Raises ProtocolError."""
    flexible = version >= declared.FLEXIBLE_FROM
    try:
        message, end = reader(declared, version, flexible)(data, 0)
    except _BAD_BYTES as error:
        raise ProtocolError(f"a {declared.__name__} of version {version} does not parse: {error}") from error
    if end != len(data):
        raise ProtocolError(f"a {declared.__name__} of version {version} ends at {end}, its bytes at {len(data)}")
    return cast("M", message)


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbouring small parts as one, so that a frame leaves in few calls. The first is bytes."""
    out: list[Part] = []
    run: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            run.append(part)
        else:
            out += (b"".join(run), part)
            run = []
    if run:  # no empty part: it would never count as sent
        out.append(b"".join(run))
    return out


def _skip_tags(data: bytes, position: int) -> int:
    count, position = read_uvarint(data, position)
    for _ in range(count):
        _, position = read_uvarint(data, position)
        size, position = read_uvarint(data, position)
        position += size
        if position > len(data):
            raise ProtocolError("a tagged field of the header runs over the end")
    return position
