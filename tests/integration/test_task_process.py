"""Task processes and the worker that owns them: nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from connect.runtime.tasks.task import TaskExited
from tests.fix_tasks import SAMPLES, TaskBench

ROOT = Path(__file__).parents[2]

WORKER = f"""
import sys, time
from connect.runtime.tasks.task import TaskSpec
from connect.runtime.tasks.task_process import TaskProcess
from connect.service.settings import WorkerSettings

def start(number, trouble):
    settings = WorkerSettings.from_mapping({{
        "bootstrap.servers": sys.argv[1], "group.id": "g",
        "config.storage.topic": "c", "offset.storage.topic": "o", "status.storage.topic": "s",
        **dict.fromkeys(("key.converter", "value.converter", "header.converter"), "{SAMPLES}:PlainJson"),
    }})
    config = {{"name": "x", "connector.class": "{SAMPLES}:CountingSource", "topic": "t"}}
    config |= {{"journal": sys.argv[2], "trouble": trouble}}
    process = TaskProcess(TaskSpec("x", number, "source", config, [{{}}], [], 1, trouble == "", settings), lambda *event: None)
    process.start()
    print(process.pid, flush=True)

if __name__ == "__main__":
    for number, trouble in enumerate(("", "hang at once", "hang in C at once")):
        start(number, trouble)
    time.sleep(1000)
"""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_killing_the_worker_ends_the_forkserver_and_every_task(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    journal = tmp_path / "journal"
    journal.touch()
    command = [sys.executable, str(script), "127.0.0.1:1", str(journal)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as worker:
        assert worker.stdout
        tasks = [int(worker.stdout.readline()) for _ in range(3)]
        deadline = time.monotonic() + 20
        while journal.read_text().count("hanging") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        forkserver = parent_of(tasks[0])
        assert forkserver != worker.pid
        worker.kill()
        worker.wait()
        deadline = time.monotonic() + 1
        while survivors := [pid for pid in (forkserver, *tasks) if runs(pid)]:
            assert time.monotonic() < deadline, f"{survivors} outlived their worker"
            time.sleep(0.005)


def test_a_killed_forkserver_takes_its_tasks_along_and_is_replaced(tasks: TaskBench) -> None:
    task = tasks.source(delay_ms="10")
    task.wait_records(1)
    pid = task.process.pid
    assert pid
    os.kill(parent_of(pid), signal.SIGKILL)
    assert task.wait_exit(5) in (255, -9)
    time.sleep(0.1)
    assert not runs(pid)
    again = tasks.source(delay_ms="10")
    again.wait_records(1)
    assert again.process.alive


def test_signals_for_the_worker_pass_the_task_by(tasks: TaskBench) -> None:
    task = tasks.source(delay_ms="10")
    task.wait_records(1)
    assert task.process.pid
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(task.process.pid, number)
        os.kill(parent_of(task.process.pid), number)
    time.sleep(0.3)
    assert task.process.alive
    assert task.stop() == 0


def test_its_end_is_told_last_and_once(tasks: TaskBench) -> None:
    task = tasks.source(end="10")
    task.stop()
    time.sleep(0.2)
    assert not task.process.alive
    assert isinstance(task.events[-1], TaskExited)
    assert sum(isinstance(event, TaskExited) for event in task.events) == 1
    task.process.stop()
    task.process.kill()  # both without effect, and without an error


def test_what_a_task_logs_is_logged_by_its_worker(tasks: TaskBench, caplog: object) -> None:
    task = tasks.source(end="10", trouble="log")
    task.wait_records(10)
    task.stop()
    lines = [record for record in caplog.records if record.name == "sample"]  # type: ignore[attr-defined]
    assert [(line.getMessage(), line.task) for line in lines] == [("five is coming", f"{tasks.prefix}|task-0")]


def test_a_stop_with_the_log_away_ends_in_time(tasks: TaskBench, log: object) -> None:
    task = tasks.source(delay_ms="10")
    task.wait_records(1)
    log.kill()  # type: ignore[attr-defined]
    began = time.monotonic()
    assert task.stop(timeout_seconds=8) == 0
    assert time.monotonic() - began < tasks.settings().task_shutdown_graceful_timeout_ms / 1000
    log.start()  # type: ignore[attr-defined]
