"""A sink task in its process, on a broker."""

from __future__ import annotations

import json
import time

from confluent_kafka import Consumer

from connect.runtime.tasks.task import TaskProgress, TaskTopics
from tests.fix_tasks import TaskBench


def numbers(count: int, start: int = 0) -> list[bytes | None]:
    return [json.dumps({"n": number}).encode() for number in range(start, start + count)]


def written(tasks: TaskBench) -> list[int]:
    return [line[5]["n"] for line in tasks.journaled("record")]


def test_records_in_order_then_flush_then_commit(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(1200), key=b'"k"')
    task = tasks.sink()
    task.wait_state("RUNNING")
    task.wait_records(1200)
    assert task.wait_for(lambda event: isinstance(event, TaskTopics)).topics == (tasks.topic,)
    assert task.stop() == 0
    lines = tasks.journaled()
    assert lines[0] == ["assigned", [[tasks.topic, 0, None]]]
    assert written(tasks) == list(range(1200))
    assert tasks.journaled("record")[7] == ["record", tasks.topic, 0, 7, "k", {"n": 7}]
    assert lines[-2:] == [["flush"], ["close"]]
    assert tasks.committed() == 1200


def test_it_goes_on_from_the_committed_offset_and_ticks(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    first = tasks.sink()
    first.wait_records(5)
    first.stop()
    tasks.produce(numbers(5, start=5))
    second = tasks.sink()
    second.wait_records(5)
    time.sleep(1.2)
    second.stop()
    assert written(tasks) == list(range(10))
    assert tasks.journaled("assigned")[1] == ["assigned", [[tasks.topic, 0, 5]]]
    assert tasks.journaled("tick")


def test_offsets_are_committed_while_it_runs(tasks: TaskBench) -> None:
    tasks.flush_ms = 200
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    tasks.sink().wait_records(5)
    deadline = time.monotonic() + 10
    while tasks.committed() != 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_flush_holds_back_is_not_committed(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    task = tasks.sink(trouble="holds back")
    task.wait_records(5)
    task.stop()
    assert tasks.committed() < 0


def test_an_outage_brings_the_same_batch_again(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    task = tasks.sink(trouble="outage")
    retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
    assert retry["cause"] == "TASK_PUT: OSError: the bucket is away"
    assert retry["attempt"] == 1
    task.wait_records(5)
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry is None and event.records == 5)
    task.stop()
    assert [line[1] for line in tasks.journaled("outage")] == [5, 5]
    assert written(tasks) == list(range(5))


def test_pausing_and_stopping_in_an_outage(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    task = tasks.sink(trouble="away")
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry)
    task.process.pause()
    task.wait_state("PAUSED", timeout_seconds=3)
    task.process.resume()
    began = time.monotonic()
    assert task.stop(timeout_seconds=5) == 0
    assert time.monotonic() - began < 3
    assert tasks.committed() == 0  # not one further than what was written


def test_a_paused_sink_reads_nothing_and_loses_nothing(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    task = tasks.sink()
    task.wait_records(5)
    task.process.pause()
    task.wait_state("PAUSED")
    assert tasks.committed() == 5
    tasks.produce(numbers(5, start=5))
    time.sleep(0.5)
    assert written(tasks) == list(range(5))
    task.forget()
    task.process.resume()
    task.wait_state("RUNNING")
    task.wait_records(10)
    assert written(tasks) == list(range(10))


def test_bad_bytes_name_the_record(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce([*numbers(3), b"{no json", *numbers(1)])
    task = tasks.sink()
    trace = task.wait_state("FAILED").trace
    assert trace
    assert trace.startswith(f"VALUE_CONVERTER at {tasks.topic}-0@3: DataError: not JSON: ")
    assert task.wait_exit() == 1
    assert tasks.committed() < 0


def test_with_tolerance_bad_records_are_skipped_at_every_stage(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce([*numbers(3), b"{no json", *numbers(3, start=3)])
    task = tasks.sink(trouble="data", errors_tolerance="all")
    progress = task.wait_records(5)
    assert progress.skipped == 2
    task.stop()
    assert written(tasks) == [0, 1, 2, 4, 5]
    assert tasks.committed() == 7


def test_a_refused_record_fails_the_task_without_tolerance(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    trace = tasks.sink(trouble="data").wait_state("FAILED").trace
    assert trace == f"TASK_PUT at {tasks.topic}-0@3: DataError: three is not welcome"


def test_a_bug_says_which_batch(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    trace = tasks.sink(trouble="bug").wait_state("FAILED").trace
    assert trace
    assert trace.splitlines()[0].startswith(f"TASK_PUT at {tasks.topic}-0@0")
    assert "KeyError: 'missing'" in trace.splitlines()[0]


def test_two_partitions_and_a_tombstone(tasks: TaskBench) -> None:
    tasks.create_topic(tasks.topic, 2)
    for key in range(10):
        tasks.produce(numbers(1, start=key), key=str(key).encode())
    tasks.produce([None], key=b'"gone"')
    task = tasks.sink(partitions=[[tasks.topic, 0], [tasks.topic, 1]])
    task.wait_records(11)
    task.stop()
    assert sorted(line[5]["n"] for line in tasks.journaled("record") if line[5]) == list(range(10))
    assert [line[4] for line in tasks.journaled("record") if line[5] is None] == ["gone"]
    assert tasks.committed(0) + tasks.committed(1) == 11


def test_a_member_in_the_group_blocks_commits_and_the_status_says_so(tasks: TaskBench) -> None:
    tasks.flush_ms = 300
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(5))
    member = Consumer({"bootstrap.servers": tasks.bootstrap, "group.id": f"connect-{tasks.prefix}", "session.timeout.ms": 6000})
    try:
        member.subscribe([tasks.topic])
        deadline = time.monotonic() + 20
        while not member.assignment():
            member.poll(0.1)
            assert time.monotonic() < deadline
        task = tasks.sink()
        task.wait_records(5)
        retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
        assert f"a member of group connect-{tasks.prefix}" in retry["cause"]
        task.forget()
    finally:
        member.close()
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry is None and event.records == 5)
    assert tasks.committed() == 5


def test_killed_in_mid_stream_nothing_is_lost(tasks: TaskBench) -> None:
    tasks.flush_ms = 200
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(2000))
    for kill in range(4):
        task = tasks.sink()
        task.wait_records(1)
        time.sleep(0.05 * kill)
        task.process.kill()
        assert task.wait_exit() == -9
        tasks.produce(numbers(500, start=2000 + kill * 500))
    task = tasks.sink()
    task.wait_records(500)
    task.stop()
    assert set(written(tasks)) == set(range(4000))
    assert tasks.committed() == 4000


def test_the_log_killed_and_back_costs_nothing_and_the_status_says_so(tasks: TaskBench, log: object) -> None:
    tasks.flush_ms = 300
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(100))
    task = tasks.sink()
    task.wait_records(100)
    log.kill()  # type: ignore[attr-defined]
    retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
    assert retry["cause"].startswith("KAFKA_CONSUME: ")
    log.start()  # type: ignore[attr-defined]
    task.forget()
    tasks.produce(numbers(100, start=100))
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.records >= 200 and event.retry is None)
    assert task.stop() == 0
    assert set(written(tasks)) == set(range(200))
    assert tasks.committed() == 200


def test_a_quiet_sink_says_when_the_log_is_away(tasks: TaskBench, log: object) -> None:
    tasks.flush_ms = 60_000
    tasks.create_topic(tasks.topic)
    task = tasks.sink()
    task.wait_state("RUNNING")
    log.kill()  # type: ignore[attr-defined]
    retry = task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry).retry
    assert retry["cause"].startswith("KAFKA_CONSUME: the log does not answer (")
    task.forget()
    log.start()  # type: ignore[attr-defined]
    task.wait_for(lambda event: isinstance(event, TaskProgress) and event.retry is None)


def test_a_stop_with_the_log_away_ends_in_time(tasks: TaskBench, log: object) -> None:
    tasks.create_topic(tasks.topic)
    tasks.produce(numbers(100))
    task = tasks.sink()
    task.wait_records(100)
    log.kill()  # type: ignore[attr-defined]
    began = time.monotonic()
    assert task.stop(timeout_seconds=8) == 0
    assert time.monotonic() - began < tasks.settings().task_shutdown_graceful_timeout_ms / 1000
    log.start()  # type: ignore[attr-defined]
