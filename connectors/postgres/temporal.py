"""Dates, times and intervals: PostgreSQL's text (DateStyle ISO, IntervalStyle iso_8601, TimeZone UTC) to Connect's numbers.

Years are astronomical and the calendar proleptic Gregorian, as PostgreSQL itself counts; so dates before Christ and far ones
are right. Infinity is the greatest (least) number of the type. All functions raise ValueError for text that is no such value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

INT32_MAX: Final = 2**31 - 1
INT64_MAX: Final = 2**63 - 1
DAY_US: Final = 86_400_000_000

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - timestamp without time zone, taken as UTC
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_FAR = re.compile(r"(\d+)-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00)?)?( BC)?")
_INTERVAL = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?"
)
_MONTH_US = DAY_US * 36525 // 1200  # Debezium's month: 365.25 days / 12


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, for any astronomical year (0 is 1 BC)."""
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@lru_cache(maxsize=8192)
def days(text: str) -> int:
    """A date: days since 1970-01-01."""
    if len(text) == 10:
        return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL
    if text in _INFINITIES:
        return INT32_MAX if text == "infinity" else -INT32_MAX - 1
    return _far(text)[0]


def time_us(text: str) -> int:
    """A time of day: microseconds since midnight; 24:00:00 is a time."""
    if len(text) < 8 or text[2] != ":" or text[5] != ":":
        raise ValueError(f"{text!r} is no time")
    whole = int(text[0:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:8])
    return whole * 1_000_000 + (int(text[9:].ljust(6, "0")) if len(text) > 8 else 0)


def time_ms(text: str) -> int:
    """A time of day: milliseconds since midnight."""
    return time_us(text) // 1000


def timestamp_us(text: str) -> int:
    """A timestamp without time zone, taken as UTC: microseconds since 1970."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return _far_timestamp(text, 1)


def timestamp_ms(text: str) -> int:
    """The same in milliseconds, rounded down."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND // 1000
    except ValueError:
        return _far_timestamp(text, 1000)


def zoned_timestamp(digits: int, text: str) -> str:
    """A timestamp with time zone: ISO 8601 in UTC with that many digits of the second; "infinity" stays."""
    if len(text) > 10 and text[10] == " " and text.endswith("+00"):  # a year of four digits, after Christ
        if len(text) == 29 and digits == 6:
            return f"{text[:10]}T{text[11:26]}Z"
        clock = text[11:-3]
        if digits:
            clock = (clock if len(clock) > 8 else f"{clock}.").ljust(9 + digits, "0")
        return f"{text[:10]}T{clock}Z"
    if text in _INFINITIES:
        return text
    found = _FAR.fullmatch(text)
    if found is None or found[4] is None:
        raise ValueError(f"{text!r} is no timestamp with time zone")
    year = 1 - int(found[1]) if found[5] else int(found[1])
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    clock = found[4]
    if digits:
        whole, _, fraction = clock.partition(".")
        clock = f"{whole}.{fraction.ljust(digits, '0')}"
    return f"{sign}{abs(year):04}-{found[2]}-{found[3]}T{clock}Z"


def zoned_time(text: str) -> str:
    """A time with time zone: ISO 8601 in UTC, the day it falls on lost."""
    at = max(text.rfind("+"), text.rfind("-"))
    if at < 8:
        raise ValueError(f"{text!r} is no time with time zone")
    parts = [int(part) for part in text[at + 1 :].split(":")]
    offset = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    utc = time_us(text[:at]) - (offset if text[at] == "+" else -offset) * 1_000_000
    clock = (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc % DAY_US)).time()
    plain = clock.isoformat()
    return f"{plain.rstrip('0') if clock.microsecond else plain}Z"


def interval_us(text: str) -> int:
    """An interval as microseconds, a month being 365.25 / 12 days."""
    if text in _INFINITIES:
        return INT64_MAX if text == "infinity" else -INT64_MAX - 1
    months, whole_days, us = _interval(text)
    return months * _MONTH_US + whole_days * DAY_US + us


def interval_text(text: str) -> str:
    """An interval in ISO 8601 with every field: P1Y2M3DT4H5M6.78S."""
    if text in _INFINITIES:
        return text
    months, whole_days, us = _interval(text)
    years, months = _truncating(months, 12)
    minutes, rest = _truncating(us, 60_000_000)
    hours, minutes = _truncating(minutes, 60)
    seconds = f"{'-' if rest < 0 else ''}{abs(rest) // 1_000_000}"
    if fraction := abs(rest) % 1_000_000:
        seconds += f".{fraction:06}".rstrip("0")
    return f"P{years}Y{months}M{whole_days}DT{hours}H{minutes}M{seconds}S"


def _interval(text: str) -> tuple[int, int, int]:
    """Months, days, microseconds."""
    found = _INTERVAL.fullmatch(text)
    if found is None or text == "P":
        raise ValueError(f"{text!r} is no interval")
    years, months, weeks, whole_days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    second_us = int(found[8] or 0) * 1_000_000 + int((found[9] or "0").ljust(6, "0"))
    us = (hours * 3600 + minutes * 60) * 1_000_000 + (-second_us if found[7] else second_us)
    return years * 12 + months, weeks * 7 + whole_days, us


def _truncating(number: int, by: int) -> tuple[int, int]:
    """Division toward zero, so that all fields keep the sign."""
    quotient, rest = divmod(abs(number), by)
    return (quotient, rest) if number >= 0 else (-quotient, -rest)


def _far(text: str) -> tuple[int, str]:
    """Days and clock of a date or timestamp that Python's own types cannot hold."""
    found = _FAR.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date")
    year = 1 - int(found[1]) if found[5] else int(found[1])
    return days_from_civil(year, int(found[2]), int(found[3])), found[4] or "00:00:00"


def _far_timestamp(text: str, divisor: int) -> int:
    if text in _INFINITIES:
        return INT64_MAX if text == "infinity" else -INT64_MAX - 1
    whole_days, clock = _far(text)
    value = (whole_days * DAY_US + time_us(clock)) // divisor
    if value > INT64_MAX:
        raise ValueError(
            f"{text} is too far away for microseconds in 64 bits:"
            " set time.precision.mode=connect (milliseconds) or exclude the column"
        )
    return value


_INFINITIES = frozenset(("infinity", "-infinity"))
