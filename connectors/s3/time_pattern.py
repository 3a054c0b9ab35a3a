"""Joda-Time's date patterns (``'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH``), as ``path.format`` has them, to text.

Grammar: https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html. Text stands in single quotes, ''
is a quote; a letter's repetition is the least number of digits. Names of months and days are English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

Formatter = Callable[[datetime], str]

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'")

_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "y": lambda at: at.year,
    "Y": lambda at: at.year,
    "M": lambda at: at.month,
    "d": lambda at: at.day,
    "D": lambda at: at.timetuple().tm_yday,
    "e": lambda at: at.isoweekday(),
    "w": lambda at: at.isocalendar().week,
    "x": lambda at: at.isocalendar().year,
    "H": lambda at: at.hour,
    "k": lambda at: at.hour or 24,
    "K": lambda at: at.hour % 12,
    "h": lambda at: at.hour % 12 or 12,
    "m": lambda at: at.minute,
    "s": lambda at: at.second,
}


def compile_pattern(pattern: str) -> Formatter:
    """A function from a time to text. Raises ValueError naming what the pattern has and we cannot render."""
    parts = [_part(match) for match in _TOKEN.finditer(pattern)]
    return lambda at: "".join(part(at) for part in parts)


def _part(match: re.Match[str]) -> Formatter:
    text = match[0]
    if match[1] is not None:
        literal = match[1].replace("''", "'") or "'"
        return lambda _at: literal
    if text == "'":
        raise ValueError("a quote is opened and never closed")
    if match[2] is None:
        return lambda _at: text
    return _letter(match[2], len(text))


def _letter(letter: str, count: int) -> Formatter:
    if letter == "M" and count >= 3:
        return lambda at: at.strftime("%b" if count == 3 else "%B")
    if letter in "yYx" and count == 2:
        return lambda at: f"{_NUMBERS[letter](at) % 100:02d}"
    if letter in _NUMBERS:
        number = _NUMBERS[letter]
        return lambda at: f"{number(at):0{count}d}"
    if letter == "E":
        return lambda at: at.strftime("%a" if count <= 3 else "%A")
    if letter == "S":
        return lambda at: f"{at.microsecond:06d}".ljust(count, "0")[:count]
    if letter == "a":
        return lambda at: at.strftime("%p")
    raise ValueError(f"the letter {letter} of the pattern is not supported")
