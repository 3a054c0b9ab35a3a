"""What the herder reaches the world through: topics, task processes, probes, the log's own administration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from connect.runtime.herding.local_tasks import StartProcess
from connect.runtime.herding.stores import OnChange, Table
from connect.runtime.plan.probe_child import Outline

MakeTable = Callable[[Literal["config", "offset", "status"], OnChange], Table]


class SinkOffsets(Protocol):
    """Offsets of sinks (:class:`connect.runtime.herding.group_offsets.GroupOffsets`)."""

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]: ...
    def forget(self, connector: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``find_outline``, ``list_topics`` and ``cluster_id`` block, and are called outside the herder's thread."""

    make_table: MakeTable
    start_process: StartProcess
    find_outline: Callable[[Mapping[str, str]], Outline]
    list_topics: Callable[[], Mapping[str, int]]
    group_offsets: SinkOffsets
    wake_in: Callable[[float, Callable[[], None]], None]
    """Calls a function that many seconds later; a later call replaces an earlier one."""
    cluster_id: Callable[[], str] = str
    """Asks the log."""
    clock: Callable[[], float] = time.monotonic
    make_pool: Callable[[int, str], Executor] = ThreadPoolExecutor
    """Gives a pool of so many threads with this name."""
