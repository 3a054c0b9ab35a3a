"""What the herder is told. All of it comes through one queue."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from connect.runtime.herding.discovery import OutlineFailed, OutlineFound, TopicsFound
from connect.runtime.herding.local_tasks import Process
from connect.runtime.requests import Request
from connect.runtime.tasks.task import TaskEvent
from connect.service.membership import Members


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request, and who waits for its answer."""

    request: Request
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class ProcessSaid:
    """A task's process has said something."""

    process: Process
    event: TaskEvent


@dataclass(frozen=True, slots=True)
class Woken:
    """Something may have changed: a record, a moment."""


Event = Submitted | ProcessSaid | Woken | Members | OutlineFound | OutlineFailed | TopicsFound
