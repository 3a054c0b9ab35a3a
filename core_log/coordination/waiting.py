"""Parked requests: each waits for a key (a partition, say) to be woken, or for its deadline."""

import heapq
from collections.abc import Callable, Hashable, Iterable
from itertools import count

Retry = Callable[[bool], bool]


class Parked:
    """One waiting operation; ``done`` is true once it has ended or was cancelled."""

    __slots__ = ("_waiting", "done", "keys", "retry")

    def __init__(self, waiting: "Waiting", keys: tuple[Hashable, ...], retry: Retry) -> None:
        self._waiting = waiting
        self.keys = keys
        self.retry = retry
        self.done = False

    def cancel(self) -> None:
        """Forget it; nothing is called any more."""
        self._waiting.end(self)


class Waiting:
    """``retry(expired)`` is called at every wake-up and at the deadline; it returns True when it has answered.

    At the deadline it is called with True and must answer. ``retry`` runs inside ``wake`` and ``tick``, and may park, wake and
    cancel itself.
    """

    def __init__(self) -> None:
        self._by_key: dict[Hashable, dict[Parked, None]] = {}
        self._deadlines: list[tuple[int, int, Parked]] = []
        self._numbers = count()
        self._dead = 0

    def __len__(self) -> int:
        return len(self._deadlines) - self._dead

    def park(self, keys: Iterable[Hashable], deadline_ms: int, retry: Retry) -> Parked:
        parked = Parked(self, tuple(keys), retry)
        for key in parked.keys:
            self._by_key.setdefault(key, {})[parked] = None
        heapq.heappush(self._deadlines, (deadline_ms, next(self._numbers), parked))
        return parked

    def wake(self, key: Hashable) -> None:
        """Let everyone parked on the key try again, in the order they came."""
        for parked in tuple(self._by_key.get(key, ())):
            if not parked.done and parked.retry(False):
                self.end(parked)

    def tick(self, now_ms: int) -> None:
        """Call what is due."""
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            _, _, parked = self._deadlines[0]
            if not parked.done:
                self.end(parked)
                parked.retry(True)
            self._drop_dead_head()

    def next_deadline_ms(self) -> int | None:
        self._drop_dead_head()
        return self._deadlines[0][0] if self._deadlines else None

    def end(self, parked: Parked) -> None:
        if parked.done:
            return
        parked.done = True
        self._dead += 1
        for key in parked.keys:
            others = self._by_key.get(key)
            if others is not None:
                others.pop(parked, None)
                if not others:
                    del self._by_key[key]
        if self._dead > 64 and self._dead * 2 > len(self._deadlines):
            self._deadlines = [entry for entry in self._deadlines if not entry[2].done]
            heapq.heapify(self._deadlines)
            self._dead = 0

    def _drop_dead_head(self) -> None:
        while self._deadlines and self._deadlines[0][2].done:
            heapq.heappop(self._deadlines)
            self._dead -= 1
