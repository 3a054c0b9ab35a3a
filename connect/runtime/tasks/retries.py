"""Trying again until it works: with back-off, shown in the status, and given up only when the task is to stop or pause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from connect.runtime.backoff import Backoff
from connect.runtime.tasks.control import Control, Interrupted
from connect.runtime.tasks.error_policy import Stage, Verdict, verdict
from connect.runtime.tasks.progress import Progress

T = TypeVar("T")
KEEP_ALIVE_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class Retries:
    """What a task does while something is unwell. ``meanwhile`` is called about once a second during a wait."""

    def __init__(
        self,
        control: Control,
        progress: Progress,
        longest_seconds: float = 60.0,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._control = control
        self._progress = progress
        self._longest_seconds = longest_seconds
        self._meanwhile = meanwhile

    def backoff(self) -> Backoff:
        """A new count of attempts."""
        return Backoff(self._longest_seconds)

    def call(self, step: Callable[[], T], stage: Stage, retriable: Sequence[type[BaseException]] = ()) -> T:
        """``step()``, again and again while the error policy says so. Raises what it does not, or Interrupted."""
        backoff = self.backoff()
        while True:
            try:
                result = step()
            except Exception as error:
                if verdict(error, stage, retriable=retriable) is not Verdict.RETRY:
                    raise
                self.pause(error, stage, backoff)
            else:
                if backoff.attempt:
                    self._progress.recovered()
                return result

    def pause(self, error: BaseException, stage: Stage, backoff: Backoff) -> None:
        """Shows the error and waits before the next attempt. Raises Interrupted when asked to pause or stop."""
        self.wait(self.announce(error, stage, backoff))

    def announce(self, error: BaseException, stage: Stage, backoff: Backoff) -> float:
        """Shows the error; how many seconds to wait."""
        seconds = backoff.next_seconds()
        cause = f"{stage}: {type(error).__name__}: {error}"
        _logger.log(
            logging.WARNING if backoff.attempt == 1 else logging.INFO,
            "%s. Attempt %d follows in %.1f s.", cause.rstrip("."), backoff.attempt + 1, seconds,
        )  # fmt: skip
        self._progress.retrying(cause, backoff.attempt, seconds)
        return seconds

    def wait(self, seconds: float) -> None:
        """Waits that long. Raises Interrupted as soon as the task is asked to pause or stop."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._control.take_commands(min(left, KEEP_ALIVE_SECONDS))
            if self._control.interrupted:
                raise Interrupted
            self._meanwhile()
            self._progress.publish()
