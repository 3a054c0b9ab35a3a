"""How long to wait before the next attempt: doubling, with jitter, up to a minute. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import random

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 60.0


@dataclass(slots=True)
class Backoff:
    """Counts attempts. ``chance`` gives numbers in [0, 1): many tasks that lost one server must not return as one."""

    longest_seconds: float = LONGEST_SECONDS
    chance: Callable[[], float] = random
    attempt: int = 0

    def next_seconds(self) -> float:
        """Between half and all of 0.5, 1, 2, 4 ... seconds."""
        self.attempt += 1
        ceiling = min(self.longest_seconds, FIRST_SECONDS * 2.0 ** min(self.attempt, 20))
        return ceiling * (0.5 + self.chance() / 2)

    def reset(self) -> None:
        """It worked."""
        self.attempt = 0
