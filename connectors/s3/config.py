"""The keys of Confluent's S3 sink connector, as its users write them, and ours: ``rotate.bytes``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from connect.api import ConfigError, ConnectorConfig, Key, Unserved
from connectors.s3.time_pattern import compile_pattern

MIN_PART_BYTES = 5 * 1024 * 1024

_SERVED_CLASSES = {
    "JsonFormat": "json",
    "DefaultPartitioner": "Default",
    "TimeBasedPartitioner": "TimeBased",
    "DailyPartitioner": "Daily",
    "HourlyPartitioner": "Hourly",
}
_LATER = {
    *("AvroFormat", "ParquetFormat", "ByteArrayFormat", "Avro", "Parquet", "ByteArray", "avro", "parquet", "bytes"),
    *("FieldPartitioner", "Field"),
}


def _class(*names: str) -> BeforeValidator:
    """A Java class name or a short name, to the short name."""

    def parse(value: Any) -> str:
        simple = str(value).rsplit(".", 1)[-1]
        short = _SERVED_CLASSES.get(simple, simple)
        if simple in _LATER:
            raise ValueError(f"{simple} is not supported yet. Choose one of: {', '.join(names)}")
        chosen = {name.lower(): name for name in names}.get(short.lower())
        if chosen is None:
            raise ValueError(f"there is no such class here. Choose one of: {', '.join(names)}")
        return chosen

    return BeforeValidator(parse)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("there is no such time zone; write a name like Europe/Paris or UTC") from error
    return value or "UTC"


def _positive(value: int) -> int:
    """-1 (or 0) turns a limit off, as in Confluent's sink."""
    if value < -1:
        raise ValueError("must be positive, or -1 for none")
    return value if value > 0 else -1


def _url(value: str) -> str:
    if value and not value.startswith(("http://", "https://", "file:///")):
        raise ValueError("must begin with http://, https:// or file:///")
    return value


def _pattern(value: str) -> str:
    compile_pattern(value)  # raises ValueError naming the letter
    return value


Limit = Annotated[int, AfterValidator(_positive)]
Files = Key(group="Files")
Rotation = Key(group="Rotation", importance="high")
Partitioning = Key(group="Partitioner")
Store = Key(group="Store", importance="high")
Requests = Key(group="Store", importance="low")


class S3SinkConfig(ConnectorConfig):
    """Where objects go, what they are called, and when a file is closed."""

    s3_bucket_name: Annotated[str, Store] = ""
    s3_region: Annotated[str, Store] = "us-west-2"
    store_url: Annotated[str, AfterValidator(_url), Store] = ""
    s3_path_style_access_enabled: Annotated[bool, Requests] = True
    aws_access_key_id: Annotated[str, Store] = ""
    aws_secret_access_key: Annotated[SecretStr, Store] = SecretStr("")
    s3_credentials_provider_class: Annotated[str, Requests] = "DefaultAWSCredentialsProviderChain"
    s3_part_size: Annotated[int, Field(ge=MIN_PART_BYTES, lt=2**31), Requests] = 26_214_400
    s3_part_retries: Annotated[int, Field(ge=0, lt=2**31), Requests] = 3
    enable_conditional_writes: Annotated[bool, Requests] = True
    storage_class: Annotated[str, Requests] = "io.confluent.connect.s3.storage.S3Storage"

    format_class: Annotated[Literal["json"], _class("json"), Files] = "json"
    s3_compression_type: Annotated[Literal["none", "gzip"], Files] = "none"
    s3_compression_level: Annotated[int, Field(ge=-1, le=9), Files] = -1
    topics_dir: Annotated[str, Files] = "topics"
    directory_delim: Annotated[str, Field(min_length=1), Files] = "/"
    file_delim: Annotated[str, Files] = "+"
    filename_offset_zero_pad_width: Annotated[int, Field(ge=0, le=20), Files] = 10
    behavior_on_null_values: Annotated[Literal["fail", "ignore"], Files] = "fail"
    schema_compatibility: Annotated[Literal["NONE"], Files] = "NONE"

    flush_size: Annotated[int, Field(gt=0, lt=2**31), Rotation]
    rotate_bytes: Annotated[Limit, Rotation] = -1
    rotate_interval_ms: Annotated[Limit, Rotation] = -1
    rotate_schedule_interval_ms: Annotated[Limit, Rotation] = -1

    partitioner_class: Annotated[
        Literal["Default", "TimeBased", "Daily", "Hourly"], _class("Default", "TimeBased", "Daily", "Hourly"), Partitioning
    ] = "Default"
    path_format: Annotated[str, AfterValidator(_pattern), Partitioning] = ""
    partition_duration_ms: Annotated[Limit, Partitioning] = -1
    locale: Annotated[str, Partitioning] = ""
    timezone: Annotated[str, AfterValidator(_zone), Partitioning] = "UTC"
    timestamp_extractor: Annotated[
        Literal["Wallclock", "Record", "RecordField"],
        BeforeValidator(lambda value: str(value).rsplit("$", 1)[-1].removesuffix("TimestampExtractor")),
        Partitioning,
    ] = "Wallclock"
    timestamp_field: Annotated[str, Partitioning] = "timestamp"

    unserved: ClassVar[tuple[Unserved, ...]] = (
        Unserved("store.kafka.keys", "false"),
        Unserved("store.kafka.headers", "false"),
        Unserved("keys.format.class", changes_records=False),
        Unserved("headers.format.class", changes_records=False),
        Unserved("json.decimal.format", "BASE64"),
        Unserved("s3.ssea.name", ""),
        Unserved(r"s3\.sse\..*", pattern=True),
        Unserved("s3.acl.canned", ""),
        Unserved("s3.object.tagging", "false"),
        Unserved("s3.schema.partition.affix.type", "NONE"),
        Unserved("append.late.data", "false", changes_records=False),
        Unserved("partition.field.name", changes_records=False),
        Unserved("tombstone.encoded.partition", "tombstone", changes_records=False),
        Unserved("report.null.values.to.dlq", changes_records=False),
        Unserved("s3.retry.backoff.ms", "200", changes_records=False),
        Unserved("retry.backoff.ms", "5000", changes_records=False),
        Unserved(r"s3\.proxy\..*", pattern=True),
        Unserved(r"s3\.credentials\.provider\.(?!class).*", pattern=True),
        Unserved(r"s3\.(elastic\.buffer\..*|wan\.mode|http\..*|path\.style\.access)", changes_records=False, pattern=True),
        Unserved(r"(avro|parquet)\.codec|format\.bytearray\..*|send\.digest", changes_records=False, pattern=True),
        Unserved(r"(max|partitioner\.max)\.open\.files.*|max\.(write\.duration\.ms|files\.scan\.limit)", None, False, True),
        Unserved(r"enhanced\.avro\.schema\.support|connect\.meta\.data|schemas\.cache\.(size|config)", None, False, True),
        Unserved("allow.optional.map.keys", changes_records=False),
        Unserved(r"hive\..*", pattern=True),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.s3_bucket_name and not self.folder:
            raise ConfigError('Missing required configuration "s3.bucket.name" which has no default value.', "s3.bucket.name")
        if bool(self.aws_access_key_id) != bool(self.aws_secret_access_key.get_secret_value()):
            missing = "aws.access.key.id" if not self.aws_access_key_id else "aws.secret.access.key"
            raise ConfigError("aws.access.key.id and aws.secret.access.key belong together: give both, or neither.", missing)
        if self.partitioner_class == "TimeBased":
            if not self.path_format:
                raise ConfigError("The TimeBased partitioner needs path.format, such as 'year'=YYYY/'month'=MM.", "path.format")
            if self.partition_duration_ms < 0:
                raise ConfigError(
                    "The TimeBased partitioner needs partition.duration.ms, such as 3600000.", "partition.duration.ms"
                )
        return self

    @property
    def folder(self) -> str:
        """The folder of a ``file://`` store, or "" where the store is S3."""
        return self.store_url.removeprefix("file://") if self.store_url.startswith("file://") else ""

    @property
    def extension(self) -> str:
        """What object names end in."""
        return ".json.gz" if self.s3_compression_type == "gzip" else ".json"
