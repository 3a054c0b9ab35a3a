"""Parked requests: each waits for a key (a partition, say) to be woken, or for its deadline."""

from collections.abc import Callable, Hashable, Iterable


class Parked:
    """One waiting operation; ``done`` is true once it has ended or was cancelled."""

    done: bool

    def cancel(self) -> None:
        """Forget it; nothing is called any more."""
        raise NotImplementedError


class Waiting:
    """``retry(expired)`` is called at every wake-up and at the deadline; it returns True when it has answered.

    At the deadline it is called with True and must answer. ``retry`` runs inside ``wake`` and ``tick``.
    """

    def park(self, keys: Iterable[Hashable], deadline_ms: int, retry: Callable[[bool], bool]) -> Parked:
        raise NotImplementedError

    def wake(self, key: Hashable) -> None:
        raise NotImplementedError

    def has_waiters(self, key: Hashable) -> bool:
        raise NotImplementedError

    def tick(self, now_ms: int) -> None:
        """Call what is due."""
        raise NotImplementedError

    def next_deadline_ms(self) -> int | None:
        raise NotImplementedError
