"""A source task in its process, on a broker."""

from __future__ import annotations

import time

import pytest
from confluent_kafka.admin import AdminClient

from connect.runtime.tasks.task import TaskProgress, TaskTopics
from tests.fix_tasks import TaskBench


def test_records_offsets_then_commit(tasks: TaskBench) -> None:
    task = tasks.source(end="12")
    task.wait_state("RUNNING")
    task.wait_records(12)
    assert task.wait_for(lambda event: isinstance(event, TaskTopics)).topics == (tasks.topic,)
    assert task.stop() == 0
    task.wait_state("STOPPED")
    assert tasks.numbers() == list(range(12))
    assert tasks.consume(tasks.offset_topic)[-1] == (f'["{tasks.prefix}",{{"part":0}}]'.encode(), b'{"next":12}')
    assert tasks.journaled() == [
        ["read", {"part": 0}, 0],
        ["closed", {"part": 0}],
        ["commit", {"part": 0}, {"next": 12}],
        ["close"],
    ]


def test_a_finished_source_stays_running_and_commits_soon(tasks: TaskBench) -> None:
    tasks.flush_ms = 60_000
    task = tasks.source(end="3")
    task.wait_records(3)
    deadline = time.monotonic() + 5
    while not tasks.journaled("commit") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert tasks.stored_offsets() == [[{"part": 0}, {"next": 3}]]
    assert task.process.alive


def test_it_goes_on_from_the_stored_offset(tasks: TaskBench) -> None:
    task = tasks.source(end="12", offsets=[[{"part": 0}, {"next": 7}]])
    task.wait_records(5)
    task.stop()
    assert tasks.numbers() == [7, 8, 9, 10, 11]


def test_partitions_are_read_in_turn(tasks: TaskBench) -> None:
    task = tasks.source(partitions=3, end="10", offsets=[[{"part": 1}, {"next": 4}]])
    task.wait_records(26)
    task.stop()
    assert sorted(tasks.numbers()) == sorted([*range(10), *range(4, 10), *range(10)])
    assert len(tasks.stored_offsets()) == 3


def test_batches_and_a_checkpoint(tasks: TaskBench) -> None:
    task = tasks.source(end="5000", batch="500", trouble="checkpoint")
    task.wait_records(5000)
    task.stop()
    assert len(tasks.numbers()) == 5000
    assert tasks.stored_offsets() == [[{"part": 0}, {"next": 1_000_000}]]


def test_two_topics_keep_their_order(tasks: TaskBench) -> None:
    task = tasks.source(end="100", trouble="two topics")
    task.wait_records(100)
    task.stop()
    assert tasks.numbers(f"{tasks.topic}-0") == list(range(0, 100, 2))
    assert tasks.numbers(f"{tasks.topic}-1") == list(range(1, 100, 2))


def test_an_outage_is_retried_from_the_last_record(tasks: TaskBench) -> None:
    task = tasks.source(end="10", trouble="outage")
    retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
    assert retry["cause"] == "TASK_POLL: OSError: the server went away"
    assert retry["attempt"] == 1
    assert task.wait_records(10).retry is None or task.wait_for(lambda event: getattr(event, "retry", 1) is None)
    task.stop()
    assert tasks.numbers() == list(range(10))
    assert [line[2] for line in tasks.journaled("read")] == [0, 5, 5]


@pytest.mark.parametrize("trouble", ["bug", "sys.exit"])
def test_a_bug_fails_the_task_after_keeping_what_was_read(tasks: TaskBench, trouble: str) -> None:
    task = tasks.source(end="10", trouble=trouble)
    trace = task.wait_state("FAILED").trace
    assert task.wait_exit() == 1
    if trouble == "bug":
        assert trace
        assert trace.splitlines()[0] == """TASK_POLL at {"part":0}{"next":5}: KeyError: 'missing'"""
        assert "task_samples.py" in trace
        assert tasks.stored_offsets() == [[{"part": 0}, {"next": 5}]]
    else:
        assert "SystemExit: 3" in str(trace)


def test_a_record_that_does_not_convert_is_named(tasks: TaskBench) -> None:
    task = tasks.source(end="10", trouble="data")
    trace = task.wait_state("FAILED").trace
    assert trace == (
        f'VALUE_CONVERTER at {{"part":0}}{{"next":4}} for topic {tasks.topic}, key "k3": DataError: this value has no JSON'
    )


def test_with_tolerance_it_is_skipped_and_counted(tasks: TaskBench) -> None:
    task = tasks.source(end="10", trouble="data", errors_tolerance="all")
    assert task.wait_records(9).skipped == 1
    task.stop()
    assert tasks.numbers() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert tasks.stored_offsets() == [[{"part": 0}, {"next": 10}]]


def test_fenced_it_stops_quietly(tasks: TaskBench) -> None:
    task = tasks.source(end="10", trouble="fenced")
    assert task.wait_exit() == 0
    assert task.wait_state("STOPPED").trace is None
    assert tasks.stored_offsets() == []


def test_pause_commits_and_resume_reads_again(tasks: TaskBench) -> None:
    task = tasks.source(trouble="", delay_ms="5")
    task.wait_records(10)
    task.process.pause()
    task.wait_state("PAUSED")
    stored = tasks.stored_offsets()[0][1]["next"]
    assert tasks.numbers() == list(range(stored))
    task.forget()
    task.process.resume()
    task.wait_state("RUNNING")
    task.wait_records(stored + 10)
    task.stop()
    numbers = tasks.numbers()
    assert numbers == list(range(len(numbers)))
    assert [line[2] for line in tasks.journaled("read")] == [0, stored]


def test_it_may_begin_paused(tasks: TaskBench) -> None:
    task = tasks.source(paused=True)
    task.wait_state("PAUSED")
    time.sleep(0.5)
    assert tasks.journaled("read") == []
    task.process.resume()
    task.wait_records(10)


def test_transforms_drop_and_fail_by_record(tasks: TaskBench) -> None:
    from tests.fix_tasks import SAMPLES

    chain = {"transforms": "d", "transforms.d.type": f"{SAMPLES}:Doubling"}
    task = tasks.source(end="10", errors_tolerance="all", **chain)
    progress = task.wait_records(8)
    assert (progress.skipped, progress.filtered) == (1, 1)
    task.stop()
    assert tasks.numbers() == [0, 2, 4, 6, 10, 14, 16, 18]


@pytest.mark.parametrize("trouble", ["hang", "hang in C"])
def test_a_hung_task_is_killed(tasks: TaskBench, trouble: str) -> None:
    task = tasks.source(end="10", trouble=trouble)
    task.wait_state("RUNNING")
    time.sleep(0.3)
    task.process.stop()
    time.sleep(0.3)
    assert task.process.alive
    began = time.monotonic()
    task.process.kill()
    assert task.wait_exit() == -9
    assert time.monotonic() - began < 0.5
    assert not task.process.alive


def test_a_plugin_that_exits_is_reported(tasks: TaskBench) -> None:
    assert tasks.source(end="10", trouble="exit").wait_exit() == 7


def test_killed_in_mid_stream_nothing_is_lost(tasks: TaskBench) -> None:
    tasks.flush_ms = 300
    offsets: list[list[dict[str, int]]] = []
    for kill in range(5):
        task = tasks.source(batch="10", delay_ms="1", offsets=offsets)
        task.wait_records(50)
        time.sleep(0.4 + kill * 0.05)
        if kill < 4:
            task.process.kill()
            assert task.wait_exit() == -9
        else:
            assert task.stop() == 0
        offsets = tasks.stored_offsets()
    numbers = tasks.numbers()
    assert set(numbers) == set(range(offsets[0][1]["next"]))
    assert len(numbers) > len(set(numbers)), "no kill fell between a record and its offset: this test proves nothing"


def test_a_config_that_cannot_run_says_everything(tasks: TaskBench) -> None:
    trace = tasks.source(end="x", journl="y").wait_state("FAILED").trace
    assert trace
    assert "end" in trace
    assert "journal" in trace


def test_the_log_killed_in_mid_stream_costs_nothing(tasks: TaskBench, log: object) -> None:
    tasks.flush_ms = 200
    task = tasks.source(batch="10", delay_ms="1")
    for _ in range(3):
        task.wait_records(100)
        time.sleep(0.3)
        log.kill()  # type: ignore[attr-defined]
        time.sleep(0.5)
        log.start()  # type: ignore[attr-defined]
        task.forget()
    task.wait_records(1)
    time.sleep(1)
    assert task.stop() == 0
    numbers = tasks.numbers()
    assert set(numbers) == set(range(tasks.stored_offsets()[0][1]["next"]))


def test_a_topic_is_made_by_the_connectors_rules(tasks: TaskBench) -> None:
    rules = {"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1"}
    task = tasks.source(end="20", **rules)
    task.wait_records(20)
    task.stop()
    admin = AdminClient({"bootstrap.servers": tasks.bootstrap})
    assert len(admin.list_topics(timeout=10).topics[tasks.topic].partitions) == 3


def test_a_record_too_large_for_the_log_is_named_or_skipped(tasks: TaskBench) -> None:
    trace = tasks.source(end="10", trouble="large").wait_state("FAILED").trace
    assert trace
    assert trace.startswith(f"KAFKA_PRODUCE at topic {tasks.topic}: DeliveryError: the log refused a record for topic")
    assert "MSG_SIZE_TOO_LARGE" in trace
    tasks.tasks[-1].wait_exit()
    skipping = tasks.source(end="10", trouble="large", errors_tolerance="all", offsets=tasks.stored_offsets())
    assert skipping.wait_for(lambda event: isinstance(event, TaskProgress) and event.skipped == 1)
    skipping.stop()
    assert tasks.stored_offsets() == [[{"part": 0}, {"next": 10}]]


def test_the_connector_is_kept_alive_and_the_status_says_why_while_the_log_is_away(tasks: TaskBench, log: object) -> None:
    tasks.flush_ms = 100
    task = tasks.source(delay_ms="5")
    task.wait_records(1)
    log.kill()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 20
    while len(tasks.journaled("keep_alive")) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
    assert retry["cause"].startswith("KAFKA_PRODUCE: the log does not answer (")
    log.start()  # type: ignore[attr-defined]
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.records > 1 and event.retry is None)
