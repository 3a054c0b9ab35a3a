"""Real workers on a real log: processes, killed, stopped and restarted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster_probes import Beginnings, Numbers, counting, wait_until

QUICK_SECONDS = 10.0


@pytest.fixture
def numbers(log: Any) -> Iterator[Numbers]:
    found = Numbers(log.bootstrap, "numbers")
    yield found
    found.close()


def workers_of(cluster: Any, name: str) -> set[str]:
    return {task["worker_id"] for task in cluster.status(name)["tasks"]}


def running_at(cluster: Any, name: str) -> str | None:
    """The worker where the (only) task of a connector runs; None while it is on its way."""
    tasks = cluster.status(name)["tasks"]
    return tasks[0]["worker_id"] if len(tasks) == 1 and tasks[0]["state"] == "RUNNING" else None


def host_of(cluster: Any, name: str) -> Any:
    """The worker that runs the (only) task of a connector."""
    (owner,) = workers_of(cluster, name)
    return next(worker for worker in cluster.workers if worker.url.endswith(owner))


def test_the_life_of_a_connector(log: Any, start_cluster: Any, numbers: Numbers) -> None:
    cluster = start_cluster(log.bootstrap)
    worker = cluster.any_worker()
    begun = time.monotonic()
    cluster.put("count", counting("numbers"))
    cluster.wait_running("count", 20)
    assert time.monotonic() - begun < 5
    numbers.wait_beyond(20, 20)

    assert worker.request("PUT", "/connectors/count/pause")[0] == 202
    wait_until(lambda: cluster.status("count")["tasks"][0]["state"] == "PAUSED", 10, "PAUSED")
    numbers.read_for(0.5)
    paused_at = numbers.newest
    numbers.read_for(1)
    assert numbers.newest == paused_at
    assert worker.request("PUT", "/connectors/count/resume")[0] == 202
    numbers.wait_beyond(paused_at, 10)

    assert worker.request("PUT", "/connectors/count/stop")[0] == 204
    assert cluster.status("count")["connector"]["state"] == "STOPPED"
    assert cluster.status("count")["tasks"] == []
    numbers.read_for(0.5)
    stopped_at = numbers.newest
    numbers.read_for(1)
    assert numbers.newest == stopped_at
    offsets = worker.request("GET", "/connectors/count/offsets")[1]["offsets"]
    assert offsets == [{"partition": {"part": 0}, "offset": {"next": stopped_at + 1}}]

    assert worker.request("PUT", "/connectors/count/resume")[0] == 202
    numbers.wait_beyond(stopped_at, 10)
    assert worker.request("POST", "/connectors/count/tasks/0/restart")[0] == 204
    cluster.wait_running("count", 10)
    assert worker.request("DELETE", "/connectors/count")[0] == 204
    assert worker.request("GET", "/connectors/count")[0] == 404
    assert not numbers.missing
    assert len(numbers.seen) == len(set(numbers.seen)), "stopping in order repeats nothing"


def one_each(cluster: Any, folder: Path) -> list[Beginnings]:
    """The connectors count-0 and count-1, one at each of two workers. Gives their journals."""
    journals = [Beginnings(folder / f"journal-{number}") for number in range(2)]
    for number, journal in enumerate(journals):
        cluster.put(f"count-{number}", counting(f"numbers-{number}", journal.journal))
    # A worker that joins is given its share: only then is the spread final.
    wait_until(lambda: len({running_at(cluster, f"count-{number}") for number in range(2)} - {None}) == 2, 20, "one at each")
    return journals


@pytest.mark.parametrize("victim", ["the leader", "the other"])
def test_a_killed_workers_tasks_go_on_elsewhere(log: Any, start_cluster: Any, tmp_path: Path, victim: str) -> None:
    cluster = start_cluster(log.bootstrap, workers=2)
    journals = one_each(cluster, tmp_path)
    leader, other = cluster.workers
    doomed, survivor = (leader, other) if victim == "the leader" else (other, leader)
    (moving,) = [n for n in range(2) if host_of(cluster, f"count-{n}") is doomed]
    begun = len(journals[1 - moving])
    watched = Numbers(log.bootstrap, f"numbers-{moving}")
    watched.wait_beyond(50, 20)
    watched.read_for(1.5)

    doomed.kill()
    cluster.workers.remove(doomed)
    watched.read_for(1.0)
    gap = 1.0 + watched.wait_beyond(watched.newest, 20)
    assert gap < QUICK_SECONDS
    assert {worker_id for n in range(2) for worker_id in workers_of(cluster, f"count-{n}")} == {survivor.url[7:]}
    assert len(journals[1 - moving]) == begun, "a task of the survivor was interrupted"
    assert not watched.missing
    watched.close()
    cluster.put("late", counting("late"))
    cluster.wait_running("late", 20)


def test_connectors_that_come_and_go_interrupt_nobody_else(log: Any, start_cluster: Any, tmp_path: Path) -> None:
    cluster = start_cluster(log.bootstrap, workers=2)
    journal = Beginnings(tmp_path / "journal")
    cluster.put("steady", counting("steady", journal.journal, tasks=2))
    # A worker that joins is given its share: only then is the spread final.
    wait_until(lambda: len(workers_of(cluster, "steady")) == 2, 20, "a task at each worker")
    cluster.wait_running("steady", 20)
    begun = len(journal)
    for turn in range(3):
        cluster.put("other", counting("other", delay_ms=str(10 + turn)))
        cluster.wait_running("other", 20)
        cluster.put("other", counting("other", delay_ms=str(20 + turn)))
        cluster.any_worker().request("PUT", "/connectors/other/stop")
        cluster.any_worker().request("DELETE", "/connectors/other")
    assert len(journal) == begun, "a task of another connector was interrupted"


def test_the_brokers_death_ends_no_task(log: Any, start_cluster: Any, tmp_path: Path, numbers: Numbers) -> None:
    cluster = start_cluster(log.bootstrap, workers=2)
    journal = Beginnings(tmp_path / "journal")
    cluster.put("count", counting("numbers", journal.journal))
    cluster.wait_running("count", 20)
    numbers.wait_beyond(50, 20)
    log.kill()
    time.sleep(1)
    log.restart()
    numbers.wait_beyond(numbers.newest + 50, 20)
    numbers.read_for(SETTLED_SECONDS)
    assert not numbers.missing
    assert len(journal) == 1, "the task was interrupted"
    assert cluster.status("count")["tasks"][0]["state"] == "RUNNING"
    cluster.put("late", counting("late"))
    cluster.wait_running("late", 20)
    cluster.any_worker().request("DELETE", "/connectors/late")


# Longer than a session, so that whoever did not come back to the group has been expelled.
SETTLED_SECONDS = 8.0


LEAVING = [
    "the leader",
    "the other",
]


@pytest.mark.parametrize("who", LEAVING)
def test_a_worker_that_leaves_in_order_hands_over_at_once(log: Any, start_cluster: Any, tmp_path: Path, who: str) -> None:
    cluster = start_cluster(log.bootstrap, workers=2)
    one_each(cluster, tmp_path)
    leaving, staying = cluster.workers if who == "the leader" else reversed(cluster.workers)
    (moving,) = [n for n in range(2) if host_of(cluster, f"count-{n}") is leaving]
    watched = Numbers(log.bootstrap, f"numbers-{moving}")
    watched.wait_beyond(50, 20)
    begun = time.monotonic()
    os.kill(leaving.pid, signal.SIGTERM)
    wait_until(lambda: host_of_task(staying, f"count-{moving}") == ("RUNNING", staying.url[7:]), 20, "handed over")
    # With a session of 6 s, anything near it means that nobody was told.
    assert time.monotonic() - begun < 4
    watched.wait_beyond(watched.newest, 20)
    leaving.process.wait(20)
    assert not watched.missing
    assert len(watched.seen) == len(set(watched.seen)), "stopping in order repeats nothing"
    watched.close()


def host_of_task(worker: Any, name: str) -> tuple[str, str]:
    task = worker.request("GET", f"/connectors/{name}/status")[1]["tasks"][0]
    return task["state"], task["worker_id"]


def test_a_worker_that_sleeps_too_long_finds_its_tasks_gone(
    log: Any, start_cluster: Any, tmp_path: Path, numbers: Numbers
) -> None:
    cluster = start_cluster(log.bootstrap, workers=2)
    journal = Beginnings(tmp_path / "journal")
    cluster.put("count", counting("numbers", journal.journal))
    cluster.wait_running("count", 20)
    sleeper = host_of(cluster, "count")
    awake = next(worker for worker in cluster.workers if worker is not sleeper)
    os.kill(sleeper.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: len(journal) == 2, 20, "the task has begun elsewhere")
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    # A leader that wakes may deal once more before it knows that it leads no longer, and is overruled: that costs a second
    # ending. Once the leader's writes are transactions, that write fails.
    # Librdkafka 2.16 may abort a process that wakes with an admin request under way (an assertion in rd_kafka_enq_once): then
    # its task has died with it.
    died = lambda: sleeper.process.poll() is not None  # noqa: E731
    wait_until(lambda: journal.lines("closed") or died(), 10, "the sleeper's own task has ended")
    time.sleep(3)
    status = awake.request("GET", "/connectors/count/status")[1]
    assert status["tasks"][0]["state"] == "RUNNING"
    assert len(journal) - len(journal.lines("closed")) - died() == 1, "exactly one task runs"


def test_a_worker_restarted_at_once_takes_its_tasks_up_again(log: Any, start_cluster: Any, numbers: Numbers) -> None:
    cluster = start_cluster(log.bootstrap)
    cluster.put("count", counting("numbers"))
    cluster.wait_running("count", 20)
    numbers.wait_beyond(50, 20)
    (worker,) = cluster.workers
    worker.kill()
    worker.start()
    assert numbers.wait_beyond(numbers.newest + 20, 20) < QUICK_SECONDS
    assert not numbers.missing


def test_a_task_that_crashes_is_restarted_and_says_so(log: Any, start_cluster: Any, tmp_path: Path) -> None:
    cluster = start_cluster(log.bootstrap)
    journal = Beginnings(tmp_path / "journal")
    cluster.put("count", counting("numbers", journal.journal, trouble="exit"))
    wait_until(lambda: len(journal) >= 3, 20, "three attempts")

    def restarting() -> Any:
        tasks = cluster.status("count")["tasks"]
        return tasks[0] if tasks and tasks[0]["state"] == "RESTARTING" and "trace" in tasks[0] else None

    assert "exited with code 7" in wait_until(restarting, 10, "RESTARTING")["trace"]


def test_a_task_that_hangs_is_killed_and_holds_up_nobody(log: Any, start_cluster: Any) -> None:
    cluster = start_cluster(log.bootstrap, task_shutdown_graceful_timeout_ms="1000")
    worker = cluster.any_worker()
    cluster.put("count", counting("numbers", trouble="hang in C"))
    cluster.put("fine", counting("fine"))
    cluster.wait_running("fine", 20)
    time.sleep(1)
    begun = time.monotonic()
    assert worker.request("GET", "/connectors/count/status")[0] == 200
    assert time.monotonic() - begun < 0.5
    assert worker.request("PUT", "/connectors/count/stop")[0] == 204
    assert time.monotonic() - begun < 4
    assert cluster.status("count")["tasks"] == []


def test_a_log_that_goes_away_is_two_lines_in_a_workers_log(log: Any, start_cluster: Any, numbers: Numbers) -> None:
    cluster = start_cluster(log.bootstrap)
    worker = cluster.any_worker()
    cluster.put("count", counting("numbers"))
    numbers.wait_beyond(20, 30)
    before = len(worker.log.read_text())
    log.kill()
    time.sleep(4)
    log.restart()
    numbers.wait_beyond(numbers.newest + 20, 40)

    def said(text: str) -> list[str]:
        return [line for line in worker.log.read_text()[before:].splitlines() if text in line]

    wait_until(lambda: said("answers again"), 10, "the log's return is told")
    (away,) = said("does not answer")
    assert f"The log at {log.bootstrap} does not answer (Connect to ipv4#{log.bootstrap} failed: Connection refused)" in away
    assert len(said("answers again")) == 1
    assert said("librdkafka") == said("ERROR") == []
