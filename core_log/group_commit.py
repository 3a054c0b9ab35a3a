"""Pipelined group commit: appends go on while a sync is under way, and the next sync covers all of them at once.

One sync per partition is in flight. Partitions sync side by side: files that are synced one after another by a single thread
take twice as long.
"""

from collections.abc import Callable, Hashable

from core_log.pool import Pool
from core_log.storage.partition_log import Flush, PartitionLog


class GroupCommit:
    def __init__(
        self, pool: Pool, advanced: Callable[[Hashable], None], failed: Callable[[Hashable, PartitionLog], None]
    ) -> None:
        """``advanced(key)`` after each sync: whoever waits on it looks again. Before it ``failed(key, log)``, if bad."""
        self._pool = pool
        self._advanced = advanced
        self._failed = failed
        self._dirty: dict[Hashable, PartitionLog] = {}
        self._in_flight: dict[Hashable, Flush] = {}
        #: Waiting for a checkpoint. One is written at a time, so that a thousand of them delay nobody's sync.
        self._unverified: dict[Hashable, PartitionLog] = {}
        self._verifying: Flush | None = None
        self._closed = False

    def request(self, key: Hashable, log: PartitionLog) -> None:
        """Something was appended. The sync begins with the next ``start``, so that one covers a whole turn of the loop."""
        self._dirty[key] = log

    def request_checkpoint(self, key: Hashable, log: PartitionLog) -> None:
        """Sync what there is and vouch for it, when its turn comes."""
        self._unverified[key] = log

    def start(self) -> None:
        """Begin what is asked for and not under way."""
        if self._closed:
            return
        for key in [key for key in self._dirty if key not in self._in_flight]:
            self._begin(key, self._dirty.pop(key))
        while self._unverified and self._verifying is None:
            free = next((key for key in self._unverified if key not in self._in_flight), None)
            if free is None:
                return
            self._verifying = self._begin(free, self._unverified.pop(free), checkpoint=True)

    def _begin(self, key: Hashable, log: PartitionLog, *, checkpoint: bool = False) -> Flush | None:
        flush = log.begin_flush(checkpoint=checkpoint)
        if flush is not None:
            self._in_flight[key] = flush
            self._pool.submit(flush.run, lambda: self._end(key, log, flush))
        return flush

    def _end(self, key: Hashable, log: PartitionLog, flush: Flush) -> None:
        del self._in_flight[key]
        if flush is self._verifying:
            self._verifying = None
        if not flush.abandoned:
            log.end_flush(flush)
            if flush.failure is not None:
                self._failed(key, log)
            self._advanced(key)
        self.start()

    def forget(self, key: Hashable) -> None:
        """The partition is gone, and another may take its name and its paths: a sync under way touches them no more."""
        self._dirty.pop(key, None)
        self._unverified.pop(key, None)
        if key in self._in_flight:
            self._in_flight[key].abandon()

    def close(self) -> None:
        """Begin nothing any more; what is under way may end."""
        self._closed = True

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for or under way."""
        return not (self._dirty or self._unverified or self._in_flight)
