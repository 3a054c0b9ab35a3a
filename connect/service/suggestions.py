"""'Did you mean ...?' for keys and names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known word, or "" if none is near."""
    nearest = get_close_matches(given, list(known), n=1, cutoff=0.75)
    return f"Did you mean '{nearest[0]}'?" if nearest else ""
