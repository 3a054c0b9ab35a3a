"""A task's log lines go up the control pipe: the worker writes them, in its own format, with the task's name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from connect.runtime.tasks.task_wire import Message, TaskLog

LINES_PER_SECOND = 50.0
BURST_LINES = 200.0
LONGEST_LINE = 8_000


class TaskLogHandler(logging.Handler):
    """Sends lines, at most so many; says how many it kept back."""

    def __init__(self, send: Callable[[Message], None], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._send = send
        self._clock = clock
        self._allowance = BURST_LINES
        self._filled_at = clock()
        self._kept_back = 0

    def emit(self, record: logging.LogRecord) -> None:
        if not self._may_send():
            self._kept_back += 1
            return
        if self._kept_back:
            note = f"{self._kept_back} log lines were kept back: more than {LINES_PER_SECOND:.0f} a second came."
            self._kept_back = 0
            self._send(TaskLog(__name__, logging.WARNING, note, record.created))
        self._send(TaskLog(record.name, record.levelno, self.format(record)[:LONGEST_LINE], record.created))

    def _may_send(self) -> bool:
        now = self._clock()
        self._allowance = min(BURST_LINES, self._allowance + (now - self._filled_at) * LINES_PER_SECOND)
        self._filled_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True


def send_logs(send: Callable[[Message], None], level: int) -> None:
    """Makes this process log through the pipe and nowhere else."""
    logging.basicConfig(handlers=[TaskLogHandler(send)], level=level, format="%(message)s", force=True)
