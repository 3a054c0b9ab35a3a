"""The sink against a real S3 server, and against a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connect.api import ConfigError, DataError, RetriableError, TaskContext, TopicPartition
from connectors.s3.sink import S3Sink
from tests.connectors.s3.bucket import config, read_bucket, read_lines, record, records

SOURCE = TopicPartition("orders", 0)


@pytest.fixture
def sinks() -> Iterator[list[S3Sink]]:
    made: list[S3Sink] = []
    yield made
    for sink in made:
        sink.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    return str(s3.bucket())


def keys_of(s3: Any, bucket: str, **keys: str) -> dict[str, str]:
    return {
        "s3_bucket_name": bucket,
        "store_url": s3.endpoint,
        "aws_access_key_id": s3.access_key,
        "aws_secret_access_key": s3.secret_key,
        "s3_region": "us-east-1",
        "s3_part_retries": "0",
        **keys,
    }


@pytest.fixture
def make_sink(s3: Any, bucket: str, sinks: list[S3Sink]) -> Any:
    def make(**keys: str) -> S3Sink:
        sinks.append(S3Sink(config(**keys_of(s3, bucket, **keys)), TaskContext("test", 0)))
        return sinks[-1]

    return make


def test_names_content_and_metadata(make_sink: Any, s3: Any, bucket: str) -> None:
    sink = make_sink(flush_size="4", s3_compression_type="gzip")
    sink.assigned({SOURCE: 7, TopicPartition("orders", 1): None})
    sink.write([*records(range(7, 16)), *records(range(5), partition=1)])
    assert read_bucket(s3.client, bucket) == {
        "topics/orders/partition=0/orders+0+0000000007.json.gz": [item.value for item in records(range(7, 11))],
        "topics/orders/partition=0/orders+0+0000000011.json.gz": [item.value for item in records(range(11, 15))],
        "topics/orders/partition=1/orders+1+0000000000.json.gz": [item.value for item in records(range(4), partition=1)],
    }
    head = s3.client.head_object(Bucket=bucket, Key="topics/orders/partition=0/orders+0+0000000011.json.gz")
    assert head["Metadata"] == {
        "penstock-first-offset": "11",
        "penstock-last-offset": "14",
        "penstock-records": "4",
        "penstock-first-timestamp": "0",
    }
    assert sink.flush() == {SOURCE: 15, TopicPartition("orders", 1): 4}


def test_a_killed_task_is_continued_without_loss_or_repetition(make_sink: Any, s3: Any, bucket: str) -> None:
    """Every place between two batches, on the real server; what was not flushed was not committed."""
    everything = records(range(40))
    for killed_after in (0, 9, 21, 39):
        prefix = f"killed{killed_after}"
        first = make_sink(flush_size="7", topics_dir=prefix)
        first.assigned({SOURCE: None})
        committed = None
        for place in range(0, killed_after, 3):
            first.write(everything[place : place + 3])
            if place % 2:
                committed = first.flush().get(SOURCE)
        second = make_sink(flush_size="5", topics_dir=prefix)
        second.assigned({SOURCE: committed})
        second.write(everything[committed or 0 :])
        assert second.flush()[SOURCE] <= 40
        second._writers[SOURCE].rotate(0)
        assert second.flush() == {SOURCE: 40}
        found = [
            line for key, lines in sorted(read_bucket(s3.client, bucket).items()) if key.startswith(prefix) for line in lines
        ]
        assert found == [item.value for item in everything]


def test_large_objects_go_up_in_parts_and_are_never_overwritten(make_sink: Any, s3: Any, bucket: str) -> None:
    text = "".join(chr(33 + (number * 7919) % 90) for number in range(120_000))
    values = [record(offset, {"offset": offset, "text": text}) for offset in range(100)]
    keys = {"flush_size": "100", "s3_part_size": str(5 * 1024 * 1024)}
    first, rival = make_sink(**keys), make_sink(**{**keys, "flush_size": "60"})
    for sink in (first, rival):
        sink.assigned({SOURCE: 0})
    first.write(values[:50])  # both have the same file open
    rival.write(values[:50])
    first.write(values[50:])
    rival.write(values[50:])
    found = read_bucket(s3.client, bucket)
    assert [line["offset"] for lines in found.values() for line in lines] == list(range(100))
    etag = s3.client.head_object(Bucket=bucket, Key="topics/orders/partition=0/orders+0+0000000000.json")["ETag"]
    assert etag.strip('"').endswith("-3"), "it went up in parts of 5 MiB"
    assert s3.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert rival.flush() == {SOURCE: 100}


def test_an_outage_is_waited_out(make_sink: Any, s3: Any, bucket: str) -> None:
    sink = make_sink(flush_size="5")
    sink.assigned({SOURCE: 0})
    sink.write(records(range(3)))
    s3.stop()
    try:
        for _ in range(3):
            with pytest.raises(RetriableError, match="does not answer"):
                sink.write(records(range(3, 8)))
        assert sink.flush() == {SOURCE: 0}
    finally:
        s3.start()
    sink.write(records(range(3, 8)))  # the runtime gives the same batch again
    sink.write(records(range(8, 10)))
    assert sorted(line["offset"] for lines in read_bucket(s3.client, bucket).values() for line in lines) == list(range(10))


def test_tombstones_fail_or_are_left_out(make_sink: Any, s3: Any, bucket: str) -> None:
    batch = [record(0), record(1, None), record(2)]
    strict = make_sink(flush_size="2")
    strict.assigned({SOURCE: 0})
    with pytest.raises(DataError, match=r"orders-0 at offset 1 has a null value .*behavior.on.null.values") as caught:
        strict.write(batch)
    assert caught.value.index == 1
    lenient = make_sink(flush_size="2", behavior_on_null_values="ignore")
    lenient.assigned({SOURCE: 0})
    lenient.write(batch)
    assert [line["offset"] for lines in read_bucket(s3.client, bucket).values() for line in lines] == [0, 2]
    assert lenient.flush() == {SOURCE: 3}


def test_a_topic_that_was_made_again_is_not_taken_for_the_old_one(make_sink: Any) -> None:
    old = make_sink(flush_size="2")
    old.assigned({SOURCE: 0})
    old.write(records(range(2), time_ms=1_700_000_000_000))
    new = make_sink(flush_size="2")
    new.assigned({SOURCE: None})
    with pytest.raises(
        ConfigError, match=r"2023-11-14 22:13:20 UTC, ours is of 2026.*the topic was probably deleted and made again"
    ):
        new.write(records(range(2), time_ms=1_780_000_000_000))


@pytest.mark.parametrize(
    ("keys", "key", "said"),
    [
        ({}, None, ""),
        ({"s3_bucket_name": "no-such-bucket"}, "s3.bucket.name", "aws s3 mb s3://no-such-bucket"),
        ({"aws_secret_access_key": "wrong"}, "aws.access.key.id", "does not accept the credentials"),
        ({"aws_access_key_id": "nobody"}, "aws.access.key.id", "does not accept the credentials"),
        ({"s3_region": "eu-west-3"}, "s3.region", "Check s3.region"),
        ({"store_url": "http://127.0.0.1:9"}, "store.url", "does not answer"),
    ],
)
def test_check_finds_what_would_not_work(make_sink: Any, keys: dict[str, str], key: str | None, said: str) -> None:
    problems = make_sink(**keys).check()
    assert [problem.key for problem in problems] == ([key] if key else [])
    assert all(said in str(problem) for problem in problems)


def test_the_wall_clock_closes_files(make_sink: Any, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_780_000_000_500
    monkeypatch.setattr("connectors.s3.sink._now_ms", lambda: now)
    told: list[Any] = []
    sink = make_sink(flush_size="1000", rotate_schedule_interval_ms="1000")
    sink.context = dataclasses.replace(sink.context, report=told.append)
    sink.assigned({SOURCE: 0})
    sink.write(records(range(3)))
    sink.tick()
    assert read_bucket(s3.client, bucket) == {}
    now += 500
    sink.tick()
    assert len(read_bucket(s3.client, bucket)) == 1
    assert told == [{"objects": 1, "last_object": "topics/orders/partition=0/orders+0+0000000000.json"}]


def folder_sink(folder: Path, **keys: str) -> S3Sink:
    return S3Sink(config(s3_bucket_name="", store_url=f"file://{folder}", **keys), TaskContext("test", 0))


def test_a_folder_has_the_same_keys(tmp_path: Path) -> None:
    first = folder_sink(tmp_path, flush_size="3", s3_compression_type="gzip")
    first.assigned({SOURCE: None})
    first.write(records(range(8)))
    first.close()
    second = folder_sink(tmp_path, flush_size="4", s3_compression_type="gzip")  # nothing had been committed
    second.assigned({SOURCE: None})
    second.write(records(range(10)))
    second.close()
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    names = [f"topics/orders/partition=0/orders+0+000000000{offset}.json.gz" for offset in (0, 3, 6)]
    assert [str(path.relative_to(tmp_path)) for path in files] == names
    assert [line["offset"] for path in files for line in read_lines(path.name, path.read_bytes())] == list(range(10))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problems = folder_sink(tmp_path / "file").check()
    assert [problem.key for problem in problems] == ["store.url"]
    assert "cannot be written" in problems[0].message
    assert folder_sink(tmp_path / "new").check() == ()


def test_no_way_out_of_the_folder(tmp_path: Path) -> None:
    sink = folder_sink(tmp_path / "in", topics_dir="../../out", flush_size="1")
    sink.assigned({SOURCE: 0})
    with pytest.raises(ConfigError, match="leads out of the folder"):
        sink.write(records(range(1)))
