"""The housekeeping clock: retention, expiry of offsets, periodic syncs, checkpoints. Its jobs only enqueue; the loop does the
work.

APScheduler is imported by the thread that starts the clock, a moment after the broker is ready: a start should not wait for it.
"""

import logging
import threading
from typing import Any

from core_log.broker import Broker
from core_log.pool import Post

_DELAY_SECONDS = 2.0


class Housekeeping:
    def __init__(self, broker: Broker, post: Post) -> None:
        self._broker = broker
        self._post = post
        self._scheduler: Any = None
        self._lock = threading.Lock()
        self._starter = threading.Timer(_DELAY_SECONDS, self._start)
        self._starter.daemon = True

    def start(self) -> None:
        self._starter.start()

    def _start(self) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every job
        settings, broker = self._broker.settings, self._broker
        jobs = [
            (broker.apply_retention, settings.retention_check_interval_ms),
            (broker.expire_offsets, settings.offsets_check_interval_ms),
            (broker.checkpoint_all, settings.checkpoint_interval_ms),
        ]
        if settings.flush_policy == "interval":
            jobs.append((broker.flush_all, settings.flush_interval_ms))
        scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        for job, every_ms in jobs:
            scheduler.add_job(self._post, "interval", args=(job,), seconds=every_ms / 1000, coalesce=True)
        with self._lock:
            self._scheduler = scheduler
            scheduler.start()

    def stop(self) -> None:
        self._starter.cancel()
        with self._lock:
            if self._scheduler is not None:
                self._scheduler.shutdown(wait=False)
