"""Text to Connect's numbers, against PostgreSQL's documented calendar and independent arithmetic."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres import temporal

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as timestamp without time zone


@given(st.dates())
def test_dates_are_days_since_1970(day: date) -> None:
    assert temporal.days(day.isoformat()) == (day - date(1970, 1, 1)).days


@given(st.datetimes())
def test_timestamps_are_microseconds_since_1970(moment: datetime) -> None:
    text = moment.isoformat(sep=" ").rstrip("0") if moment.microsecond else moment.isoformat(sep=" ")
    assert temporal.timestamp_us(text) == (moment - EPOCH) // timedelta(microseconds=1)
    assert temporal.timestamp_ms(text) == temporal.timestamp_us(text) // 1000


@given(st.dates())
def test_the_calendar_goes_on_before_and_after_python_s(day: date) -> None:
    days = (day - date(1970, 1, 1)).days
    assert temporal.days_from_civil(day.year, day.month, day.day) == days
    # The Gregorian calendar repeats after 400 years, which are 146,097 days.
    assert temporal.days_from_civil(day.year - 4800, day.month, day.day) == days - 12 * 146_097


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("4713-01-01 BC", -2_440_550),
        ("0001-12-31 BC", -719_163),
        ("5874897-12-31", 2_145_042_905),
        ("infinity", 2**31 - 1),
        ("-infinity", -(2**31)),
    ],
)
def test_far_dates(text: str, days: int) -> None:
    assert temporal.days(text) == days


def test_timestamps_before_christ_and_infinite() -> None:
    assert temporal.timestamp_us("0044-03-15 01:02:03 BC") == -63_517_820_277_000_000
    assert temporal.timestamp_us("infinity") == 2**63 - 1
    assert temporal.timestamp_us("-infinity") == -(2**63)
    assert temporal.timestamp_ms("294276-12-31 23:59:59.999999") == 9_224_318_015_999_999


def test_a_timestamp_beyond_64_bits_is_named_not_wrapped() -> None:
    with pytest.raises(ValueError, match=r"294276-12-31.*time\.precision\.mode=connect"):
        temporal.timestamp_us("294276-12-31 23:59:59.999999")


@pytest.mark.parametrize(
    ("digits", "text", "iso"),
    [
        (6, "2024-02-29 10:34:56.789012+00", "2024-02-29T10:34:56.789012Z"),
        (6, "2024-02-29 10:34:56.78+00", "2024-02-29T10:34:56.780000Z"),
        (6, "2024-02-29 10:34:56+00", "2024-02-29T10:34:56.000000Z"),
        (3, "2024-02-29 10:34:56.7+00", "2024-02-29T10:34:56.700Z"),
        (0, "2024-02-29 10:34:56+00", "2024-02-29T10:34:56Z"),
        (6, "0044-03-15 01:02:03+00 BC", "-0043-03-15T01:02:03.000000Z"),
        (6, "12024-03-15 01:02:03+00", "+12024-03-15T01:02:03.000000Z"),
        (6, "-infinity", "-infinity"),
    ],
)
def test_zoned_timestamps(digits: int, text: str, iso: str) -> None:
    assert temporal.zoned_timestamp(digits, text) == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("12:34:56.789012+02", "10:34:56.789012Z"),
        ("12:34:56.5-05:30", "18:04:56.5Z"),
        ("00:00:00+14", "10:00:00Z"),
        ("23:59:59-12:34:56", "12:34:55Z"),
    ],
)
def test_zoned_times(text: str, iso: str) -> None:
    assert temporal.zoned_time(text) == iso


@given(st.times())
def test_times_are_microseconds_since_midnight(moment: time) -> None:
    expected = datetime.combine(date(2000, 1, 1), moment, UTC) - datetime(2000, 1, 1, tzinfo=UTC)
    assert temporal.time_us(moment.isoformat()) == expected // timedelta(microseconds=1)


def test_the_end_of_the_day_is_a_time() -> None:
    assert temporal.time_us("24:00:00") == 86_400_000_000


@pytest.mark.parametrize(
    ("text", "us", "iso"),
    [
        ("P1Y2M3DT4H5M6.78S", 37_091_106_780_000, "P1Y2M3DT4H5M6.78S"),
        ("P-1M3D", -2_370_600_000_000, "P0Y-1M3DT0H0M0S"),
        ("PT-0.5S", -500_000, "P0Y0M0DT0H0M-0.5S"),
        ("PT0S", 0, "P0Y0M0DT0H0M0S"),
        ("PT-100H-59M", -363_540_000_000, "P0Y0M0DT-100H-59M0S"),
    ],
)
def test_intervals(text: str, us: int, iso: str) -> None:
    assert temporal.interval_us(text) == us
    assert temporal.interval_text(text) == iso


@pytest.mark.parametrize(
    "decode", [temporal.days, temporal.time_us, temporal.timestamp_us, temporal.interval_us, temporal.zoned_time]
)
@given(text=st.text(max_size=30))
def test_what_is_no_such_value_is_a_value_error(decode, text: str) -> None:
    with suppress(ValueError):
        decode(text)
