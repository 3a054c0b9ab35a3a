"""Deadlines by name. Setting one again moves it, which costs nothing where it moves to later: what heartbeats do all the
time.
"""

import heapq
from collections.abc import Callable, Hashable
from itertools import count

Action = Callable[[int], None]


class Timers:
    """``action(now_ms)`` is called from ``tick`` once the deadline has passed, and may set and cancel timers."""

    def __init__(self) -> None:
        self._due: dict[Hashable, tuple[int, Action]] = {}
        self._queued: dict[Hashable, int] = {}
        self._heap: list[tuple[int, int, Hashable]] = []
        self._numbers = count()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._due

    def set(self, key: Hashable, deadline_ms: int, action: Action) -> None:
        self._due[key] = (deadline_ms, action)
        queued = self._queued.get(key)
        if queued is None or queued > deadline_ms:
            self._push(key, deadline_ms)

    def cancel(self, key: Hashable) -> None:
        self._due.pop(key, None)

    def next_deadline_ms(self) -> int | None:
        """The nearest deadline; None when there is none."""
        self._settle()
        return self._heap[0][0] if self._heap else None

    def tick(self, now_ms: int) -> None:
        self._settle()
        while self._heap and self._heap[0][0] <= now_ms:
            _, _, key = heapq.heappop(self._heap)
            del self._queued[key]
            _, action = self._due.pop(key)
            action(now_ms)
            self._settle()

    def _push(self, key: Hashable, deadline_ms: int) -> None:
        self._queued[key] = deadline_ms
        heapq.heappush(self._heap, (deadline_ms, next(self._numbers), key))

    def _settle(self) -> None:
        """Make the head of the heap the true nearest deadline: drop what was cancelled, push again what was moved."""
        while self._heap:
            deadline_ms, _, key = self._heap[0]
            due = self._due.get(key)
            if due is not None and due[0] == deadline_ms and self._queued.get(key) == deadline_ms:
                return
            heapq.heappop(self._heap)
            if self._queued.get(key) != deadline_ms:
                continue  # an earlier entry of the same timer took its place
            del self._queued[key]
            if due is not None:
                self._push(key, due[0])
