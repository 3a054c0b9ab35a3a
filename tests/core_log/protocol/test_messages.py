"""Every message at every version against another implementation: it writes, we read and write again, the bytes are the same."""

from __future__ import annotations

import importlib
import pkgutil
import random

import pytest

from core_log.errors import ProtocolError
from core_log.protocol import frames, messages
from core_log.protocol.fields import Message, Request, Response
from tests.core_log.protocol import oracle


def declared() -> list[type[Message]]:
    found: list[type[Message]] = []
    for module in pkgutil.iter_modules(messages.__path__):
        content = vars(importlib.import_module(f"{messages.__name__}.{module.name}"))
        found += [one for one in content.values() if isinstance(one, type) and issubclass(one, Message) and one.KEY >= 0]
    return found


CASES = [
    pytest.param(message, version, id=f"{message.__name__}-{version}")
    for message in declared()
    for version in range(message.VERSIONS.first, message.VERSIONS.last + 1)
]


def test_each_api_has_a_request_and_an_answer() -> None:
    kinds = {kind: {message.KEY for message in declared() if issubclass(message, kind)} for kind in (Request, Response)}
    assert kinds[Request] == kinds[Response]
    assert len(kinds[Request]) >= 20


@pytest.mark.parametrize(("message", "version"), CASES)
def test_bytes_of_another_implementation_come_back_equal(message: type[Message], version: int) -> None:
    kind = "request" if issubclass(message, Request) else "response"
    rng = random.Random(f"{message.__name__} {version}")
    for _ in range(12):
        theirs = oracle.encode(oracle.random_message(kind, message.KEY, version, rng))
        ours = frames.decode_message(message, theirs, version)
        assert frames.encode_message(ours, version) == theirs, ours


@pytest.mark.parametrize(("message", "version"), CASES)
def test_bytes_that_are_cut_or_changed_raise_one_kind_of_error(message: type[Message], version: int) -> None:
    kind = "request" if issubclass(message, Request) else "response"
    rng = random.Random(version)
    whole = oracle.encode(oracle.random_message(kind, message.KEY, version, rng))
    for _ in range(30):
        broken = bytearray(whole[: rng.randrange(len(whole) + 1)])
        for _ in range(rng.randrange(3)):
            if broken:
                broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            frames.decode_message(message, bytes(broken), version)
        except ProtocolError:
            continue


def test_an_array_that_claims_more_than_the_frame_holds_is_refused() -> None:
    from core_log.protocol.messages.api03_metadata import MetadataRequest

    with pytest.raises(ProtocolError, match="claims 2147483647 elements"):
        frames.decode_message(MetadataRequest, b"\x7f\xff\xff\xff" + b"\0" * 50, 1)
