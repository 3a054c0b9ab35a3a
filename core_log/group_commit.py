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
        self._in_flight: set[Hashable] = set()

    def request(self, key: Hashable, log: PartitionLog) -> None:
        """Something was appended. The sync begins with the next ``start``, so that one covers a whole turn of the loop."""
        self._dirty[key] = log

    def start(self) -> None:
        """Begin what is asked for and not under way."""
        if not self._dirty:
            return
        ready = [key for key in self._dirty if key not in self._in_flight]
        for key in ready:
            log = self._dirty.pop(key)
            flush = log.begin_flush()
            if flush is not None:
                self._in_flight.add(key)
                self._submit(key, log, flush)

    def _submit(self, key: Hashable, log: PartitionLog, flush: Flush) -> None:
        def done() -> None:
            self._in_flight.discard(key)
            log.end_flush(flush)
            if flush.failure is not None:
                self._failed(key, log)
            self._advanced(key)
            self.start()

        self._pool.submit(flush.run, done)

    def forget(self, key: Hashable) -> None:
        """The partition is going away."""
        self._dirty.pop(key, None)

    @property
    def idle(self) -> bool:
        return not self._dirty and not self._in_flight
