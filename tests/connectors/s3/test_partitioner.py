"""Folders are the ones that Confluent's partitioners make."""

from datetime import UTC, datetime

import pytest

from connect.api import DataError
from connectors.s3.partitioner import make_partitioner
from connectors.s3.time_pattern import compile_pattern
from tests.connectors.s3.bucket import config, record

AT = datetime(2026, 3, 5, 14, 7, 9, 45_000, tzinfo=UTC)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "year=2026/month=03/day=05/hour=14"),
        ("yyyy-M-d", "2026-3-5"),
        ("yy/MMM/MMMM/EEE", "26/Mar/March/Thu"),
        ("'dt'=yyyyMMdd'T'HHmmss.SSS", "dt=20260305T140709.045"),
        ("hh a", "02 PM"),
        ("'it''s' D", "it's 64"),
    ],
)
def test_joda_patterns(pattern: str, text: str) -> None:
    assert compile_pattern(pattern)(AT) == text


@pytest.mark.parametrize("pattern", ["'open", "yyyy Q"])
def test_patterns_that_cannot_be_rendered(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"quote|letter Q"):
        compile_pattern(pattern)


def time_based(**keys: str):
    given = {
        "partitioner_class": "TimeBasedPartitioner",
        "path_format": "YYYY-MM-dd/HH:mm",
        "partition_duration_ms": "3600000",
        "timestamp_extractor": "Record",
        **keys,
    }
    return make_partitioner(config(**given))


def test_default_is_kafkas_partition() -> None:
    assert make_partitioner(config()).path(record(1, partition=7), 0) == "partition=7"


def test_time_is_rounded_down_in_the_time_zone() -> None:
    at = ms(2026, 3, 5, 23, 50)
    assert time_based().path(record(0, time_ms=at), 0) == "2026-03-05/23:00"
    # half past in UTC is the full hour in Kolkata (+05:30)
    assert time_based(timezone="Asia/Kolkata").path(record(0, time_ms=at), 0) == "2026-03-06/05:00"
    daily = time_based(partition_duration_ms="86400000", timezone="America/New_York")
    assert daily.path(record(0, time_ms=at), 0) == "2026-03-05/00:00"


def test_the_hour_before_and_after_the_clocks_change() -> None:
    paris = time_based(timezone="Europe/Paris")
    found = [paris.path(record(0, time_ms=ms(2026, 3, 29, hour, 30)), 0) for hour in (0, 1, 0, 1)]
    assert found == ["2026-03-29/01:00", "2026-03-29/03:00"] * 2


def test_daily_and_hourly_have_paths_of_their_own() -> None:
    at = record(0, time_ms=ms(2026, 3, 5, 14, 7))
    daily = make_partitioner(
        config(partitioner_class="io.confluent.connect.storage.partitioner.DailyPartitioner", timestamp_extractor="Record")
    )
    hourly = make_partitioner(config(partitioner_class="Hourly", timestamp_extractor="Record"))
    assert daily.path(at, 0) == "year=2026/month=03/day=05"
    assert hourly.path(at, 0) == "year=2026/month=03/day=05/hour=14"


@pytest.mark.parametrize(
    "value",
    [ms(2026, 3, 5, 14), float(ms(2026, 3, 5, 14)), "2026-03-05T14:00:00Z", "2026-03-05T14:00:00", "2026-03-05T16:00:00+02:00"],
)
def test_a_field_of_the_value(value: object) -> None:
    nested = time_based(timestamp_extractor="RecordField", timestamp_field="after.at")
    assert nested.path(record(0, {"after": {"at": value}}), 0) == "2026-03-05/14:00"


@pytest.mark.parametrize("value", [None, {"after": None}, {"after": {"at": "yesterday"}}, {"after": {"at": True}}, "text"])
def test_a_record_without_its_time_is_named(value: object) -> None:
    nested = time_based(timestamp_extractor="RecordField", timestamp_field="after.at")
    with pytest.raises(DataError, match=r"orders-0 at offset 5 has no time in the field after.at"):
        nested.path(record(5, value), 0)


def test_a_time_out_of_range_is_named() -> None:
    with pytest.raises(DataError, match="offset 5"):
        time_based().path(record(5, time_ms=10**18), 0)


def test_wallclock_asks_the_clock() -> None:
    assert time_based(timestamp_extractor="Wallclock").path(record(0, time_ms=0), ms(2026, 3, 5, 9, 1)) == "2026-03-05/09:00"
