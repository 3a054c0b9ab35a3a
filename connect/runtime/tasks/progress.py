"""How far a task is, told to the worker at once when it matters and otherwise once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connect.runtime.tasks.task import TaskProgress, TaskTopics
from connect.runtime.tasks.task_wire import Message

PERIOD_SECONDS = 1.0
SHORTEST_SECONDS = 0.1
LONGEST_CAUSE = 1_000


class Progress:
    """Counts, and sends a :class:`TaskProgress` if anything changed."""

    def __init__(self, send: Callable[[Message], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.records = 0
        self.skipped = 0
        self.filtered = 0
        self._last_record_ms: int | None = None
        self._details: dict[str, Any] = {}
        self._retry: dict[str, Any] | None = None
        self._topics: set[str] = set()
        self._send = send
        self._clock = clock
        self._sent = TaskProgress()
        self._sent_at = float("-inf")
        self._urgent = False

    def handled(self, records: int) -> None:
        """So many more records went all the way."""
        self.records += records
        self._last_record_ms = time.time_ns() // 1_000_000

    def report(self, details: Mapping[str, Any]) -> None:
        """What the connector shows of itself (TaskContext.report)."""
        if any(self._details.get(key) != value for key, value in details.items()):
            self._details.update(details)
            self._urgent = True
            self.publish()

    def retrying(self, cause: str, attempt: int, wait_seconds: float) -> None:
        """Something failed and is tried again after ``wait_seconds``."""
        next_try_ms = time.time_ns() // 1_000_000 + int(wait_seconds * 1000)
        self._retry = {"cause": cause[:LONGEST_CAUSE], "attempt": attempt, "next_try_ms": next_try_ms}
        self._urgent = True
        self.publish()

    def recovered(self) -> None:
        """It worked again."""
        if self._retry is not None:
            self._retry = None
            self._urgent = True

    def uses(self, topics: set[str]) -> None:
        """Tells the topics that have not been used before."""
        new = topics - self._topics
        if new:
            self._topics |= new
            self._send(TaskTopics(tuple(sorted(new))))

    def publish(self, *, final: bool = False) -> None:
        """Sends what changed, if it is time. The task's loop calls it all the time."""
        now_seconds = self._clock()
        if not final and now_seconds - self._sent_at < (SHORTEST_SECONDS if self._urgent else PERIOD_SECONDS):
            return
        now = TaskProgress(self.records, self.skipped, self.filtered, self._last_record_ms, dict(self._details), self._retry)
        self._urgent = False
        if now != self._sent:
            self._sent = now
            self._sent_at = now_seconds
            self._send(now)
