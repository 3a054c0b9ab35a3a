"""Confluent's keys, as people have them."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from connect.api import ConfigError
from connect.runtime.plan.config_parsing import parse
from connectors.s3.config import S3SinkConfig
from tests.connectors.s3.bucket import config

SAMPLE = Path(__file__).parents[3] / "config" / "connectors" / "s3-sink.json"


def test_java_class_names_are_ours() -> None:
    parsed = config(
        format_class="io.confluent.connect.s3.format.json.JsonFormat",
        partitioner_class="io.confluent.connect.storage.partitioner.DefaultPartitioner",
        storage_class="io.confluent.connect.s3.storage.S3Storage",
        timestamp_extractor="io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordFieldTimestampExtractor",
    )
    assert (parsed.format_class, parsed.partitioner_class) == ("json", "Default")
    assert parsed.timestamp_extractor == "RecordField"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format_class", "io.confluent.connect.s3.format.avro.AvroFormat", "AvroFormat is not supported yet"),
        ("partitioner_class", "io.confluent.connect.storage.partitioner.FieldPartitioner", "not supported yet"),
        ("partitioner_class", "com.acme.MyPartitioner", "no such class here. Choose one of: Default, TimeBased"),
        ("timezone", "Europe/Pariss", "no such time zone"),
        ("path_format", "yyyy/QQ", "the letter Q"),
        ("store_url", "localhost:9000", "must begin with http://"),
        ("s3_part_size", "1000", "greater than or equal to 5242880"),
        ("flush_size", "0", "greater than 0"),
    ],
)
def test_wrong_values_say_what_would_be_right(key: str, value: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**{key: value})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"s3_bucket_name": ""}, "s3.bucket.name"),
        ({"aws_access_key_id": "AK"}, "aws.secret.access.key"),
        ({"partitioner_class": "TimeBased"}, "path.format"),
        ({"partitioner_class": "TimeBased", "path_format": "yyyy"}, "partition.duration.ms"),
    ],
)
def test_keys_that_belong_together(keys: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**keys)
    assert caught.value.key == key


def test_a_folder_needs_no_bucket() -> None:
    assert config(s3_bucket_name="", store_url="file:///tmp/x").folder == "/tmp/x"


def test_keys_not_served_yet() -> None:
    given = {
        "s3.bucket.name": "b",
        "flush.size": "1",
        "store.kafka.keys": "true",
        "s3.ssea.name": "AES256",
        "s3.wan.mode": "true",
    }
    parsed = parse(S3SinkConfig, given)
    assert {problem.key for problem in parsed.problems} == {"store.kafka.keys", "s3.ssea.name"}
    assert ["s3.wan.mode" in warning for warning in parsed.warnings] == [True]
    harmless = {**given, "store.kafka.keys": "false", "s3.ssea.name": ""}
    assert parse(S3SinkConfig, harmless).problems == []


def test_the_sample_is_right() -> None:
    sample = json.loads(SAMPLE.read_text())
    common = {"connector.class", "tasks.max", "topics"}
    parsed = parse(S3SinkConfig, {key: value for key, value in sample.items() if key not in common})
    assert (parsed.problems, parsed.warnings) == ([], [])
