"""The process that all tasks and probes are forked from: it has imported the libraries and used none of them.

A fork shares that memory and starts in tens of milliseconds. librdkafka works in a forked child as long as no client was
made before the fork, so nothing here may make one. End such a child with ``kill()``: SIGTERM is ignored.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import entry_points
from multiprocessing.context import ForkServerContext, ForkServerProcess

LOST = 255
"""The exit code of a child whose forkserver has died: nobody is left who knows."""

OURS = "penstock"
GUARD = "connect.runtime.processes.forkserver_guard"
LIBRARIES = ("confluent_kafka", "confluent_kafka.admin", "orjson", "connect.runtime.tasks.task_child")


def preload() -> list[str]:
    """Modules for the forkserver to import: the guard, what each task needs, and the plugins that ship with Penstock.

    Third-party plugins are left to the children: an import that hangs or starts a thread would hurt every task.
    """
    plugins = {
        point.module
        for group in ("converters", "connectors")
        for point in entry_points(group=f"penstock.{group}")
        if point.dist is not None and point.dist.name == OURS
    }
    return [GUARD, *LIBRARIES, *sorted(plugins)]


@cache
def _keeper() -> ThreadPoolExecutor:
    # The death signal follows the thread that starts the forkserver, so that thread must live as long as the worker.
    return ThreadPoolExecutor(1, "forkserver")


def context() -> ForkServerContext:
    """A context whose forkserver runs (or runs again). Any thread; the first call takes some 30 ms, later ones none."""
    found = multiprocessing.get_context("forkserver")
    _keeper().submit(_ensure_running, found).result()
    return found


def _ensure_running(found: ForkServerContext) -> None:
    found.set_forkserver_preload(preload())
    multiprocessing.forkserver.ensure_running()


_children = threading.Lock()


def start(process: ForkServerProcess) -> None:
    """``process.start()``, which also collects exit codes: two threads doing so at once would lose one."""
    with _children:
        process.start()


def exit_code(process: ForkServerProcess) -> int | None:
    """None while it runs; negative for a signal; or LOST."""
    with _children:
        return process.exitcode
