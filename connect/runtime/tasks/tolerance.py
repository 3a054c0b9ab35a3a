"""What becomes of a record that cannot be handled (``errors.*``): skipped and counted, or the end of the task."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from connect.api import Record
from connect.runtime.plan.connector_plan import ErrorSettings
from connect.runtime.tasks.error_policy import Stage, Verdict, verdict
from connect.runtime.tasks.failure_trace import TaskFailure, coordinates
from connect.runtime.tasks.progress import Progress

_logger = logging.getLogger(__name__)


class Tolerance:
    """Skips a record or raises."""

    def __init__(self, settings: ErrorSettings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress

    def skip_or_raise(self, error: Exception, stage: Stage, record: Record, partition: Mapping[str, Any] | None = None) -> None:
        """Returns if the record is to be skipped; otherwise raises TaskFailure, or FencedError as it is."""
        self.skip_or_fail(error, stage, lambda: coordinates(record, partition))

    def skip_or_fail(self, error: Exception, stage: Stage, where: Callable[[], str]) -> None:
        """The same for a record that is known by its coordinates only."""
        decided = verdict(error, stage, tolerance=self._settings.tolerance)
        if decided is Verdict.STOP:
            raise error
        if decided is not Verdict.SKIP:
            raise TaskFailure(error, stage, where()) from error
        self._progress.skipped += 1
        if self._settings.log_enable:
            shown = f" at {where()}" if self._settings.log_include_messages else ""
            _logger.error("%s%s: skipped, %s: %s", stage, shown, type(error).__name__, error)
