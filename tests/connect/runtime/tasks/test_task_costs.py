"""What is done once instead of once a record, and that nothing shows of it."""

import gc
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from typing import Any

import pytest

from connect.api import Converter, DataError, Header, PluginConfig, Schema, SourceRecord
from connect.api.schema import STRING
from connect.converters.header_converter import SimpleHeaderConverter
from connect.runtime.tasks.control import Control
from connect.runtime.tasks.error_policy import Stage
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.record_encoder import RecordEncoder
from connect.runtime.tasks.retries import Retries
from connect.runtime.tasks.task_child import COLLECT_AFTER_CONTAINERS, spare_the_collector


class Counting(Converter[PluginConfig]):
    """SimpleHeaderConverter that names the topic and counts; "bad" has no text."""

    def __init__(self) -> None:
        super().__init__(PluginConfig(), is_key=False)
        self.calls = 0
        self._inner = SimpleHeaderConverter(PluginConfig(), is_key=False)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        self.calls += 1
        if values[0] == "bad":
            raise DataError("bad has no text")
        return [f"{topic}:".encode() + (payload or b"") for payload in self._inner.encode(topic, schema, values)]

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        raise NotImplementedError


@pytest.fixture
def headers() -> Counting:
    return Counting()


@pytest.fixture
def encoder(headers: Counting) -> RecordEncoder:
    text = SimpleHeaderConverter(PluginConfig(), is_key=False)
    progress = Progress(lambda _: None)
    return RecordEncoder(text, text, headers, Retries(Control(Pipe()[1]), progress))


def test_headers_that_records_share_are_encoded_once_a_topic(encoder: RecordEncoder, headers: Counting) -> None:
    shared = (Header("run", "x1", STRING), Header("task", 0))
    own = (Header("run", "x2", STRING),)
    records = [SourceRecord(topic, "v", headers=given) for topic in ("a", "b") for given in (shared, own, (), shared, shared)]
    encoded = encoder.encode(records, pytest.fail)
    assert encoded.headers == [
        [(header.name, f"{record.topic}:{header.value}".encode()) for header in record.headers] for record in records
    ]
    assert headers.calls == 2 * 3


def test_every_record_with_the_shared_bad_header_fails(encoder: RecordEncoder) -> None:
    bad = (Header("h", "bad"),)
    records = [SourceRecord("t", str(at), headers=bad if at % 2 else (Header("h", at),)) for at in range(4)]
    failed: list[Any] = []
    encoded = encoder.encode(records, lambda error, stage, record: failed.append((str(error), stage, record.value)))
    assert failed == [("bad has no text", Stage.HEADER_CONVERTER, at) for at in ("1", "3")]
    assert list(encoded.values) == [b"0", b"2"]
    assert encoded.headers == [[("h", b"t:0")], [("h", b"t:2")]]


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_a_spared_collector_still_finds_cycles() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

    spare_the_collector()
    gc.collect()  # the count begins anew
    gone = weakref.ref(Cycle())
    kept = [[] for _ in range(COLLECT_AFTER_CONTAINERS // 2)]
    assert gone() is not None
    kept += [[] for _ in range(COLLECT_AFTER_CONTAINERS)]
    assert gone() is None
