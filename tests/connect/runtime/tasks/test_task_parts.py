"""The pure parts of a task: no broker, no process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from multiprocessing import Pipe
from typing import Any

import pytest

from connect.api import (
    Checkpoint,
    DataError,
    Header,
    Offset,
    PluginConfig,
    RetriableError,
    SourceConnector,
    SourceRecord,
    TopicPartition,
)
from connect.api.schema import STRING
from connect.api.transform import Transformation
from connect.runtime.backoff import Backoff
from connect.runtime.plan.connector_plan import ErrorSettings
from connect.runtime.tasks.control import Control, Interrupted
from connect.runtime.tasks.error_policy import Stage
from connect.runtime.tasks.failure_trace import TaskFailure, failure_trace
from connect.runtime.tasks.offset_writer import offset_key, offset_value
from connect.runtime.tasks.partition_reader import PartitionReader
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.record_encoder import RecordEncoder
from connect.runtime.tasks.retries import Retries
from connect.runtime.tasks.sink_positions import RECOMMIT_SECONDS, SinkPositions
from connect.runtime.tasks.source_task import partition_id
from connect.runtime.tasks.task import TaskProgress, TaskStateChanged, TaskTopics
from connect.runtime.tasks.task_logs import BURST_LINES, TaskLogHandler
from connect.runtime.tasks.task_wire import Command, TaskLog, decode, encode
from connect.runtime.tasks.tolerance import Tolerance
from connect.runtime.tasks.transform_chain import TransformChain
from tests.connect.runtime.tasks.task_samples import Doubling, PlainJson


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A task's surroundings without a process: what it would send is in ``sent``."""

    def __init__(self, longest_seconds: float = 0.0) -> None:
        self.sent: list[Any] = []
        self.workers_end, childs_end = Pipe()
        self.control = Control(childs_end)
        self.clock = Clock()
        self.progress = Progress(self.sent.append, self.clock)
        self.retries = Retries(self.control, self.progress, longest_seconds)

    def tolerance(self, tolerance: Any) -> Tolerance:
        return Tolerance(ErrorSettings(tolerance=tolerance), self.progress)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- back-off


def test_backoff_doubles_up_to_its_longest_and_begins_anew() -> None:
    backoff = Backoff(longest_seconds=60, chance=lambda: 1.0)
    assert [backoff.next_seconds() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.next_seconds() == 0.5
    assert Backoff(chance=lambda: 0.0).next_seconds() == 0.25
    assert Backoff(attempt=10**6).next_seconds() <= 60


# --- the pipe


@pytest.mark.parametrize(
    "message",
    [
        TaskStateChanged("FAILED", "why"),
        TaskProgress(3, 2, 1, 17, {"a": {"b": [1]}}, {"cause": "x", "attempt": 1, "next_try_ms": 5}),
        TaskTopics(("a", "b")),
        TaskLog("name", 30, "text", 1.5),
    ],
)
def test_messages_arrive_as_they_were(message: Any) -> None:
    assert decode(encode(message)) == message


def test_what_json_has_no_word_for_arrives_as_text() -> None:
    sent = TaskProgress(details={"odd": 1j, 7: b"x"})  # type: ignore[dict-item]
    arrived = decode(encode(sent))
    assert isinstance(arrived, TaskProgress)
    assert arrived.details == {"odd": "1j", "7": "b'x'"}


def test_commands_are_taken_in_order(bench: Bench) -> None:
    assert not bench.control.take_commands()
    for command in (Command.PAUSE, Command.RESUME, Command.PAUSE):
        bench.workers_end.send_bytes(command.encode())
    assert bench.control.take_commands(1)
    assert bench.control.paused
    assert not bench.control.stopping


# --- progress


def test_progress_is_sent_at_once_on_change_and_then_once_a_second(bench: Bench) -> None:
    bench.progress.handled(3)
    bench.progress.publish()
    bench.clock.now = 0.9
    bench.progress.handled(4)
    bench.progress.publish()
    assert [event.records for event in bench.sent] == [3]
    bench.clock.now = 1.0
    bench.progress.publish()
    assert [event.records for event in bench.sent] == [3, 7]
    bench.clock.now = 5
    bench.progress.publish()
    assert len(bench.sent) == 2, "nothing changed"
    bench.progress.retrying("cause", 1, 2.0)
    assert bench.sent[-1].retry["cause"] == "cause"
    bench.progress.recovered()
    bench.clock.now = 5.2
    bench.progress.publish()
    assert bench.sent[-1].retry is None


def test_reported_details_merge_and_do_not_flood(bench: Bench) -> None:
    bench.progress.report({"rows": 0, "table": "a"})
    for rows in range(1000):
        bench.progress.report({"rows": rows})
    assert len(bench.sent) == 1
    bench.clock.now = 0.2
    bench.progress.publish()
    assert bench.sent[-1].details == {"rows": 999, "table": "a"}


# --- retries


def test_a_retriable_step_is_tried_until_it_works(bench: Bench) -> None:
    outcomes = iter([RetriableError("a"), TimeoutError("b"), "done"])

    def step() -> object:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert bench.retries.call(step, Stage.TASK_PUT, (TimeoutError,)) == "done"
    bench.progress.publish(final=True)
    assert bench.sent[0].retry["cause"] == "TASK_PUT: RetriableError: a"
    assert bench.sent[-1].retry is None


def test_other_errors_are_not_tried_again(bench: Bench) -> None:
    with pytest.raises(KeyError):
        bench.retries.call(lambda: {}["x"], Stage.TASK_PUT)
    assert bench.sent == []


def test_a_command_interrupts_the_wait() -> None:
    bench = Bench(longest_seconds=60)
    bench.workers_end.send_bytes(Command.STOP.encode())

    def step() -> None:
        raise RetriableError("away")

    with pytest.raises(Interrupted):
        bench.retries.call(step, Stage.TASK_PUT)
    assert bench.control.stopping


# --- reading a source


class Scripted(SourceConnector[Any]):
    def __init__(self, *steps: Any) -> None:
        self.steps = steps
        self.read_from: list[Offset | None] = []
        self.closed = 0

    def read(self, partition: Any, offset: Offset | None) -> Iterator[Any]:
        self.read_from.append(offset)
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed += 1


def record(number: int, *, offset: bool = True) -> SourceRecord:
    return SourceRecord("t", {"n": number}, {"at": number} if offset else None)


def reader_of(*steps: Any) -> tuple[Scripted, PartitionReader]:
    connector = Scripted(*steps)
    return connector, PartitionReader(connector, {"p": 1}, {"at": 0}, Backoff())


def test_single_records_are_gathered_until_there_is_nothing() -> None:
    _, reader = reader_of(record(1), record(2), None, [record(3), record(4)], record(5))
    assert [one.value["n"] for one in reader.read()] == [1, 2]
    assert reader.taken == {"at": 2}
    assert reader.sent == {"at": 0}
    assert not reader.finished
    assert [one.value["n"] for one in reader.read()] == [3, 4, 5]
    assert reader.finished
    assert reader.taken == {"at": 5}


def test_gathering_ends_with_time() -> None:
    clock = Clock()

    def slow() -> float:
        clock.now += 0.015
        return clock.now

    _, reader = reader_of(*(record(number) for number in range(10)))
    assert len(reader.read(slow)) == 2


def test_a_checkpoint_moves_the_offset_and_later_records_move_it_on() -> None:
    _, reader = reader_of(record(1), Checkpoint({"at": 50}), None, Checkpoint({"at": 60}), record(70), record(0, offset=False))
    reader.read()
    assert reader.taken == {"at": 50}
    reader.read()
    assert reader.taken == {"at": 70}, "a record without an offset repeats the one before"


def test_an_error_waits_for_the_records_before_it() -> None:
    connector, reader = reader_of(record(1), OSError("away"))
    assert len(reader.read()) == 1
    reader.sent = reader.taken
    with pytest.raises(OSError, match="away"):
        reader.read()
    reader.close()
    reader.read()
    assert connector.read_from == [{"at": 0}, {"at": 1}]


def test_a_batch_that_was_not_sent_is_read_again() -> None:
    connector, reader = reader_of(record(1), None)
    reader.read()
    reader.close()
    assert reader.taken == {"at": 0}
    assert connector.closed == 1
    reader.read()
    assert connector.read_from == [{"at": 0}, {"at": 0}]


def test_what_no_source_yields_is_named() -> None:
    _, reader = reader_of("text")
    with pytest.raises(TypeError, match="not str"):
        reader.read()


# --- converting


def encoder(bench: Bench) -> RecordEncoder:
    json = [PlainJson(PluginConfig(), is_key=half) for half in (True, False, False)]
    return RecordEncoder(json[0], json[1], json[2], bench.retries)


def test_mixed_topics_and_schemas_keep_their_order(bench: Bench) -> None:
    records = [SourceRecord(f"t{at % 3}", at, key=at, value_schema=STRING if at % 2 else None) for at in range(20)]
    encoded = encoder(bench).encode(records, pytest.fail)
    assert list(encoded.records) == records
    assert list(encoded.values) == [str(at).encode() for at in range(20)]
    assert list(encoded.keys) == [str(at).encode() for at in range(20)]
    assert encoded.topics == {"t0", "t1", "t2"}
    assert encoded.headers is None


def test_records_that_do_not_convert_are_left_out_one_by_one(bench: Bench) -> None:
    values = [1, "unconvertible", 2, "unconvertible", None]
    records = [SourceRecord("t", value, key="k", headers=(Header("h", at),)) for at, value in enumerate(values)]
    failed: list[Any] = []
    encoded = encoder(bench).encode(records, lambda error, stage, one: failed.append((str(error), stage, one.value)))
    assert list(encoded.values) == [b"1", b"2", None]
    assert encoded.headers == [[("h", b"0")], [("h", b"2")], [("h", b"4")]]
    assert failed == [("this value has no JSON", Stage.VALUE_CONVERTER, "unconvertible")] * 2


# --- transforms


class Flaky(Transformation[PluginConfig]):
    """Fails twice for a passing reason; would show if a record passed twice."""

    def __init__(self) -> None:
        super().__init__(PluginConfig())
        self.failures = 2

    def transform(self, record: Any) -> Any:
        if record.value["n"] == 2 and self.failures:
            self.failures -= 1
            raise RetriableError("registry away")
        record.value = {"n": record.value["n"] + 100}
        return record


def test_the_chain_drops_skips_and_tries_again(bench: Bench) -> None:
    chain: TransformChain[SourceRecord] = TransformChain([Doubling(PluginConfig()), Flaky()], bench.retries, bench.progress)
    skipped: list[Any] = []
    kept = chain.apply([record(at) for at in (1, 4, 6, 7)], lambda error, stage, one: skipped.append((str(error), stage)))
    assert [one.value["n"] for one in kept] == [102, 114]
    assert skipped == [("six cannot be doubled", Stage.TRANSFORMATION)]
    assert bench.progress.filtered == 1


def test_a_transform_that_loses_records_is_found_out(bench: Bench) -> None:
    class Losing(Transformation[PluginConfig]):
        def transform_batch(self, records: Any) -> Any:
            return records[1:]

    chain: TransformChain[SourceRecord] = TransformChain([Losing(PluginConfig())], bench.retries, bench.progress)
    with pytest.raises(TypeError, match="returned 1 results for 2 records"):
        chain.apply([record(1), record(2)], pytest.fail)


# --- errors


def test_tolerance_counts_or_raises_with_coordinates(bench: Bench) -> None:
    bench.tolerance("all").skip_or_raise(DataError("x", 0), Stage.VALUE_CONVERTER, record(1))
    assert bench.progress.skipped == 1
    with pytest.raises(TaskFailure) as failure:
        bench.tolerance("none").skip_or_raise(DataError("x", 0), Stage.VALUE_CONVERTER, record(1), {"p": 1})
    assert failure_trace(failure.value) == 'VALUE_CONVERTER at {"p":1}{"at":1} for topic t, key null: DataError: x'


def test_a_trace_names_its_causes_and_shows_the_stack_of_bugs_only() -> None:
    def raise_chained() -> None:
        try:
            raise OSError("disk full")
        except OSError as error:
            raise DataError("cannot write") from error

    with pytest.raises(DataError) as caught:
        raise_chained()
    assert failure_trace(caught.value) == "DataError: cannot write\nCaused by: OSError: disk full"
    with pytest.raises(KeyError) as bug:
        {}["x"]
    trace = failure_trace(TaskFailure(bug.value, Stage.TASK_PUT, "t-0@1"))
    assert trace.startswith("TASK_PUT at t-0@1: KeyError: 'x'\nTraceback")
    assert "test_task_parts.py" in trace
    assert len(failure_trace(ValueError("x" * 100_000))) <= 16_000


# --- offsets


def test_offsets_have_kafka_connects_bytes() -> None:
    assert offset_key("fs", {"filename": "/data/in.txt"}) == b'["fs",{"filename":"/data/in.txt"}]'
    assert offset_value({"position": 4}) == b'{"position":4}'
    with pytest.raises(DataError, match="cannot be stored"):
        offset_value({"at": object()})


def test_partitions_are_equal_whatever_the_order_of_their_keys() -> None:
    assert partition_id({"a": 1, "b": 2}) == partition_id({"b": 2, "a": 1})


A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def test_a_sink_commits_what_is_durable_and_never_backwards() -> None:
    positions = SinkPositions()
    positions.begin({A: 5, B: None}, 0)
    assert positions.due({A: 9, B: 3}, None, 1) == {A: 9, B: 3}
    assert positions.due({A: 9, B: 3}, {A: 7, B: 99}, 1) == {A: 7, B: 3}
    assert positions.due({A: 9, B: 3}, {A: 4}, 1) == {}, "B is not durable, and A was further"
    positions.committed({A: 9}, 1)
    assert positions.due({A: 9, B: 3}, None, 2) == {B: 3}


def test_a_quiet_sink_commits_again_before_the_group_forgets() -> None:
    positions = SinkPositions()
    positions.begin({A: 5}, 0)
    assert positions.due({A: 5}, None, RECOMMIT_SECONDS - 1) == {}
    assert positions.due({A: 5}, None, RECOMMIT_SECONDS) == {A: 5}


# --- logs


def test_log_lines_are_limited_and_the_missing_ones_counted() -> None:
    sent: list[Any] = []
    clock = Clock()
    handler = TaskLogHandler(sent.append, clock)
    line = logging.LogRecord("plugin", logging.INFO, "", 0, "hello %s", ("you",), None)
    for _ in range(int(BURST_LINES) + 30):
        handler.emit(line)
    assert len(sent) == BURST_LINES
    assert (sent[0].logger, sent[0].level, sent[0].message) == ("plugin", logging.INFO, "hello you")
    clock.now = 1
    handler.emit(line)
    assert sent[-2].message.startswith("30 log lines were kept back")
