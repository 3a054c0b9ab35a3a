"""The housekeeping clock. Its jobs only enqueue: nothing is done on its threads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class Schedule:
    """Jobs by name. A job whose time has passed while the machine slept runs once, late."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def every(self, seconds: float, name: str, job: Callable[[], None]) -> None:
        self._scheduler.add_job(job, "interval", seconds=seconds, id=name, replace_existing=True)

    def after(self, seconds: float, name: str, job: Callable[[], None]) -> None:
        """Once. The same name again replaces what was set before."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self._scheduler.add_job(job, "date", run_date=moment, id=name, replace_existing=True)
