"""'Did you mean ...?' for keys and names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(given: str, known: Iterable[str], likeness: float = 0.75) -> str | None:
    """The known word that is most like the given one, if one is alike enough; ``likeness`` 1 is the same word."""
    return next(iter(get_close_matches(given, list(known), n=1, cutoff=likeness)), None)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known word, or "" if none is near."""
    found = nearest(given, known)
    return f"Did you mean '{found}'?" if found else ""
