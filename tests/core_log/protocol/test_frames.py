"""Frames: cut from a stream, bounded; answers as parts."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_log.errors import ProtocolError
from core_log.protocol import frames
from core_log.protocol.framing import SMALL_REQUEST_BYTES, FrameReader
from core_log.protocol.messages.api01_fetch import FetchableTopicResponse, FetchResponse, PartitionData


class FilePart(NamedTuple):
    name: str
    position: int
    length: int


def fetched(*parts: object) -> FetchResponse:
    partitions = [
        PartitionData(partition_index=n, error_code=0, high_watermark=9, aborted_transactions=None, records=part)  # type: ignore[arg-type]
        for n, part in enumerate(parts)
    ]
    return FetchResponse(responses=[FetchableTopicResponse(topic="t", partitions=partitions)])


@given(st.lists(st.binary(max_size=40), max_size=10), st.data())
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(struct.pack(">i", len(frame)) + frame for frame in sent)
    reader = FrameReader(1000)
    received = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
        while (frame := reader.take()) is not None:
            received.append(bytes(frame))
    assert received == sent
    assert reader.missing == 4


def test_a_frame_says_how_much_of_it_is_missing() -> None:
    reader = FrameReader(1000)
    reader.feed(struct.pack(">i", 100) + b"x" * 30)
    assert reader.take() is None
    assert reader.missing == 70


def test_only_a_produce_may_be_large() -> None:
    for key, allowed in ((0, True), (3, False)):
        reader = FrameReader(10 * SMALL_REQUEST_BYTES)
        reader.feed(struct.pack(">ih", SMALL_REQUEST_BYTES + 1, key))
        if allowed:
            assert reader.take() is None
        else:
            with pytest.raises(ProtocolError, match="API key 3"):
                reader.take()


@pytest.mark.parametrize("version", [4, 11, 12, 18])
def test_slices_of_files_stay_parts_and_no_part_is_empty(version: int) -> None:
    one, two = FilePart("a", 0, 100), FilePart("b", 7, 50)
    parts = frames.encode_response(fetched(one, b"", two), version, 5)
    assert [part for part in parts if isinstance(part, FilePart)] == [one, two]
    assert all(len(part) for part in parts if isinstance(part, bytes))
    size, correlation = struct.unpack_from(">ii", bytes(parts[0]))  # type: ignore[arg-type]
    assert correlation == 5
    assert size + 4 == sum(part.length if isinstance(part, FilePart) else len(part) for part in parts)  # type: ignore[arg-type]


def test_tagged_fields_of_a_header_are_skipped() -> None:
    from core_log.protocol.messages.api12_heartbeat import HeartbeatRequest

    wanted = HeartbeatRequest(group_id="g", generation_id=3, member_id="m")
    head = struct.pack(">hhih2s", 12, 4, 1, 2, b"me") + b"\x01\x07\x03abc"
    frame = head + frames.encode_message(wanted, 4)
    header = frames.read_header(frame)
    assert header.client_id == "me"
    assert frames.decode_request(HeartbeatRequest, frame, header) == wanted
