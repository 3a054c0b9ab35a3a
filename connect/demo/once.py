"""``penstock demo --once``: inserts, updates, deletes, a new column and a worker killed in between, then the check."""

from __future__ import annotations

import os
import signal
import time

from connect.demo.pipeline import SINK, SOURCE, TOPIC
from connect.demo.stage import Stage
from connect.demo.verification import Finding, compare
from connect.demo.workload import Changes, add_column

_ROWS = 1000
_CHANGES = 1000  # in each of three rounds
_PATIENCE_SECONDS = 60.0


def run_once(stage: Stage) -> int:
    """The exit code: 0 if table, topic and objects agree."""
    begun = time.monotonic()
    with stage:
        stage.deploy(_ROWS, flush_size=400, rotate_ms=2000)
        changes = Changes(stage.postgres.connect)
        killed = _change(stage, changes)
        finding = _wait_equal(stage)
        objects = len(stage.store.list())
    seconds = time.monotonic() - begun
    for difference in finding.differences():
        stage.say(f"  {difference}")
    verdict = "OK" if finding.equal else "FAILED"
    stage.say(
        f"{verdict}: {len(finding.table)} rows, {changes.done} changes, {finding.records} records in {objects} objects, "
        f"{killed} killed with -9; table = topic = objects: {'yes' if finding.equal else 'NO'}; {seconds:.0f} s"
    )
    return 0 if finding.equal else 1


def _change(stage: Stage, changes: Changes) -> str:
    """Three rounds of changes; gives the name of the worker that was killed."""
    changes.make(_CHANGES)
    stage.say(f"{changes.done} inserts, updates and deletes")
    add_column(stage.postgres.connect)
    changes.noted = True
    stage.say("alter table orders add column note text")
    changes.make(_CHANGES)
    # The first of the source and the sink that can be asked for: both are at work at this moment.
    owner = stage.workers.owner(SOURCE) or stage.workers.owner(SINK)
    name, pid = stage.pid_of_worker(owner) if owner else (stage.roles[-1].name, stage.supervisor.pid(stage.roles[-1].name))
    os.kill(pid, signal.SIGKILL)
    stage.say(f"kill -9 {pid} ({name})")
    changes.make(_CHANGES)
    stage.say(f"{changes.done} changes in all; now comparing the table with the topic {TOPIC} and with the objects")
    return name


def _wait_equal(stage: Stage) -> Finding:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        finding = compare(stage.postgres, stage.bootstrap_servers, TOPIC, stage.store)
        if finding.equal or time.monotonic() > deadline:
            return finding
        time.sleep(0.5)
