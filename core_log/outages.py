"""Partitions that a failed sync has closed: each is read back from the disk, with growing pauses, until that works.

Meanwhile the log refuses everything. The log file tells of the beginning and of the end, not of each attempt.
"""

import logging
from collections.abc import Callable, Hashable
from functools import partial

from core_log.coordination.timers import Timers
from core_log.errors import BrokerError
from core_log.storage.partition_log import PartitionLog

logger = logging.getLogger(__name__)

FIRST_PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 60_000


class Outages:
    """``over(key)`` is called when the log takes requests again. Reading it back blocks the loop: the log is nobody else's."""

    def __init__(self, timers: Timers, over: Callable[[Hashable], None]) -> None:
        self._timers = timers
        self._over = over
        self._pauses_ms: dict[Hashable, int] = {}

    def begin(self, key: Hashable, log: PartitionLog, now_ms: int) -> None:
        """The log's ``failure`` was set, and no flush of it is under way."""
        logger.error(
            "%s-%d refuses reads and writes: syncing it failed (%s). It goes on by itself as soon as the disk allows",
            log.topic,
            log.partition,
            log.failure,
        )
        self._wait(key, log, now_ms)

    def forget(self, key: Hashable) -> None:
        """The partition is going away."""
        self._timers.cancel(("outage", key))
        self._calm(key)

    def _wait(self, key: Hashable, log: PartitionLog, now_ms: int) -> None:
        pause_ms = self._pauses_ms.get(key, FIRST_PAUSE_MS)
        self._pauses_ms[key] = min(pause_ms * 2, LONGEST_PAUSE_MS)
        self._timers.cancel(("calm", key))
        self._timers.set(("outage", key), now_ms + pause_ms, partial(self._try, key, log))

    def _try(self, key: Hashable, log: PartitionLog, now_ms: int) -> None:
        end = log.log_end_offset
        try:
            log.recover(now_ms)
        except (OSError, BrokerError):
            self._wait(key, log, now_ms)
            return
        logger.warning(
            "%s-%d takes requests again: it ends with offset %d, as the disk does; %d records that were not on it are gone",
            log.topic,
            log.partition,
            log.log_end_offset,
            end - log.log_end_offset,
        )
        # A disk that fails again at once is not tried every second for ever.
        self._timers.set(("calm", key), now_ms + LONGEST_PAUSE_MS, lambda _: self._calm(key))
        self._over(key)

    def _calm(self, key: Hashable) -> None:
        self._timers.cancel(("calm", key))
        self._pauses_ms.pop(key, None)
