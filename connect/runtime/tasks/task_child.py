"""What runs in a task's process, from its start to its end."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from multiprocessing.connection import Connection

from connect.api import FencedError, SinkConnector, SourceConnector, TaskContext
from connect.runtime.plan import connector_plan
from connect.runtime.plan.connector_plan import InvalidConfig
from connect.runtime.plan.plugins import Plugins
from connect.runtime.tasks.control import Control
from connect.runtime.tasks.failure_trace import failure_trace
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.sink_task import SinkTask
from connect.runtime.tasks.source_task import SourceTask
from connect.runtime.tasks.task import TaskSpec, TaskStateChanged
from connect.runtime.tasks.task_logs import send_logs

# Two batches of records on their way are some 30,000 containers, all of which reference counts will free. At its default of
# 700 the collector looks through them over and over: 2 us of the 17 that a record took. Cycles are found a little later.
COLLECT_AFTER_CONTAINERS = 50_000

_logger = logging.getLogger(__name__)


def main(spec: TaskSpec, connection: Connection, log_level: int) -> None:
    """The process: the worker alone decides when it ends, so signals meant for the worker pass it by."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    control = Control(connection, paused=spec.paused)
    send_logs(control.send, log_level)
    spare_the_collector()
    exit_code = run_task(spec, control)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)  # at once: neither a plugin's threads nor a client's farewell may keep the process


def spare_the_collector() -> None:
    """What is loaded by now stays for good, and is not looked through again."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_CONTAINERS, *gc.get_threshold()[1:])


def run_task(spec: TaskSpec, control: Control) -> int:
    """Runs one task to its end and tells how it ended. The exit code: 0 stopped, 1 failed."""
    progress = Progress(control.send)
    try:
        _run(spec, control, progress)
    except FencedError as error:
        _logger.info("Stopping: %s", error or "another worker owns this task now")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the task's boundary: whatever it was, the status says it
        progress.publish(final=True)
        trace = _problems(error) if isinstance(error, InvalidConfig) else failure_trace(error)
        _logger.error("The task failed. %s", trace)  # noqa: TRY400 - the trace is written for people
        control.send(TaskStateChanged("FAILED", trace))
        return 1
    progress.publish(final=True)
    control.send(TaskStateChanged("STOPPED"))
    return 0


def _run(spec: TaskSpec, control: Control, progress: Progress) -> None:
    plan = connector_plan.plan(spec.config, spec.settings, Plugins())
    connector = plan.connector_class(plan.config, TaskContext(spec.connector, spec.task, progress.report))
    try:
        if isinstance(connector, SourceConnector):
            SourceTask(spec, plan, connector, control, progress).run()
        elif isinstance(connector, SinkConnector):
            SinkTask(spec, plan, connector, control, progress).run()
    finally:
        try:
            connector.close()
        except Exception as error:  # noqa: BLE001 - a plugin's clean-up: how the task ended is said already
            _logger.warning("close() failed: %s: %s", type(error).__name__, error)


def _problems(error: InvalidConfig) -> str:
    return "\n".join(
        ["ConfigError: the configuration cannot run.", *(f"{problem.key}: {problem}" for problem in error.problems)]
    )
