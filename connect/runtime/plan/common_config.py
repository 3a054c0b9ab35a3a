"""The configuration keys that all connectors share, whatever they connect to.

Their names, types, defaults, groups and order are Kafka Connect's (``ConnectorConfig``, ``SourceConnectorConfig`` and
``SinkConnectorConfig`` of 4.3). What Kafka Connect knows and we do not serve yet is refused where records would come out
differently, and accepted with a warning where they would not.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connect.api import CommaList, Key, PluginConfig, Unserved
from connect.api.java_regex import compile_pattern

INT_MAX = 2**31 - 1
COMMON = "Common"
TRANSFORMS = "Transforms"
PREDICATES = "Predicates"
ERRORS = "Error Handling"
TOPIC_CREATION = "Topic Creation"
EXACTLY_ONCE = "Exactly Once Support"
OFFSETS_TOPIC = "offsets.topic"


def refused(why: str) -> PydanticCustomError:
    """A value that Kafka Connect serves and we do not: ``why`` says what to do instead."""
    return PydanticCustomError("not_supported_yet", "not supported yet: {why}", {"why": why})


def _connector_name(value: str) -> str:
    if not value:
        raise ValueError("String may not be empty")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("String may not contain control characters")
    return value


def _aliases(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("Duplicate alias provided.")
    return values


def _no_predicates(values: tuple[str, ...]) -> tuple[str, ...]:
    if values:
        raise refused("leave it empty; transforms apply to every record")
    return values


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _not_required(value: str) -> str:
    if value == "required":
        raise refused("sources are at-least-once; leave it out or set it to requested")
    return value


def _poll_boundary(value: str) -> str:
    if value == "connector":
        raise refused("leave it out")
    return value


def _no_offsets_topic(value: str | None) -> str | None:
    if value:
        raise refused("offsets are kept in the worker's offset.storage.topic; leave it out")
    return value


def _no_dead_letters(value: str) -> str:
    if value:
        raise refused("leave it out; a record that cannot be handled stops the task and the status names it")
    return value


def _regex(value: str) -> str:
    compile_pattern(value)
    return value


Aliases = Annotated[CommaList, AfterValidator(_aliases)]
Int = Annotated[int, Field(ge=-(2**31), le=INT_MAX)]


class CommonConfig(PluginConfig):
    """Keys of sources and sinks alike."""

    name: Annotated[
        str,
        AfterValidator(_connector_name),
        Key(COMMON, "high", "medium", "Connector name"),
        Field(description="The connector's name, unique in the cluster."),
    ]
    connector_class: Annotated[
        str,
        Key(COMMON, "high", "long", "Connector class"),
        Field(description="Which connector: its name, or the Java class whose configuration it takes."),
    ]
    tasks_max: Annotated[
        int,
        Field(ge=1, le=INT_MAX, description="At most this many tasks share the work."),
        Key(COMMON, "high", "short", "Tasks max"),
    ] = 1
    key_converter: Annotated[
        str | None,
        Key(COMMON, "low", "short", "Key converter class"),
        Field(description="Turns record keys into bytes and back; the worker's where it is left out."),
    ] = None
    value_converter: Annotated[
        str | None,
        Key(COMMON, "low", "short", "Value converter class"),
        Field(description="Turns record values into bytes and back; the worker's where it is left out."),
    ] = None
    header_converter: Annotated[
        str | None,
        Key(COMMON, "low", "short", "Header converter class"),
        Field(description="Turns record headers into bytes and back; the worker's where it is left out."),
    ] = None
    config_action_reload: Annotated[
        Literal["none", "restart"],
        BeforeValidator(_lower),
        Key(COMMON, "low", "medium", "Reload Action"),
        Field(description="What to do when a value that a config provider gave has changed."),
    ] = "restart"
    transforms: Annotated[
        Aliases,
        Key(TRANSFORMS, "low", "long", "Transforms"),
        Field(description="Names of the transformations, in the order in which records pass them."),
    ] = ()
    predicates: Annotated[
        Aliases,
        AfterValidator(_no_predicates),
        Key(PREDICATES, "low", "long", "Predicates"),
        Field(description="Names of the predicates that transformations refer to."),
    ] = ()
    errors_retry_timeout: Annotated[
        int,
        Key(ERRORS, "medium", "medium", "Retry Timeout for Errors"),
        Field(description="For how long a failed step is tried again, in ms; -1 is for ever."),
    ] = 0
    errors_retry_delay_max_ms: Annotated[
        int,
        Key(ERRORS, "medium", "medium", "Maximum Delay Between Retries for Errors"),
        Field(description="The longest pause between two attempts, in ms."),
    ] = 60_000
    errors_tolerance: Annotated[
        Literal["none", "all"],
        BeforeValidator(_lower),
        Key(ERRORS, "medium", "short", "Error Tolerance"),
        Field(description="none: a record that cannot be handled stops the task. all: it is skipped."),
    ] = "none"
    errors_log_enable: Annotated[
        bool,
        Key(ERRORS, "medium", "short", "Log Errors"),
        Field(description="Whether errors that are tolerated are logged too."),
    ] = False
    errors_log_include_messages: Annotated[
        bool,
        Key(ERRORS, "medium", "short", "Log Error Details"),
        Field(description="Whether such log lines name the record's topic, partition and offset."),
    ] = False

    unserved: ClassVar[tuple[Unserved, ...]] = (
        Unserved("connector.plugin.version", changes_records=False),
        Unserved(r"(key|value|header)\.converter\.plugin\.version", changes_records=False, pattern=True),
        Unserved("tasks.max.enforce", default="true", changes_records=False),
    )


class SourceConfig(CommonConfig):
    """What sources have besides."""

    topic_creation_groups: Annotated[
        Aliases,
        Key(TOPIC_CREATION, "low", "long", "Topic Creation Groups"),
        Field(description="Names of the groups of rules by which missing topics are created."),
    ] = ()
    exactly_once_support: Annotated[
        Literal["requested", "required"],
        BeforeValidator(_lower),
        AfterValidator(_not_required),
        Key(EXACTLY_ONCE, "medium", "short", "Exactly once support"),
        Field(description="Whether the connector may run where exactly-once delivery is not to be had."),
    ] = "requested"
    transaction_boundary: Annotated[
        Literal["poll", "interval", "connector"],
        BeforeValidator(_lower),
        AfterValidator(_poll_boundary),
        Key(EXACTLY_ONCE, "medium", "medium", "Transaction Boundary"),
        Field(description="Which records share a transaction where delivery is exactly-once."),
    ] = "poll"
    transaction_boundary_interval_ms: Annotated[
        int | None,
        Field(ge=0, description="How often transactions are committed where the boundary is interval."),
        Key(EXACTLY_ONCE, "low", "short", "Transaction boundary interval"),
    ] = None
    offsets_storage_topic: Annotated[
        str | None,
        AfterValidator(_no_offsets_topic),
        Key(OFFSETS_TOPIC, "low", "long", "Offsets topic"),
        Field(description="A topic of its own for this connector's offsets."),
    ] = None


class SinkConfig(CommonConfig):
    """What sinks have besides. Exactly one of ``topics`` and ``topics.regex`` is given; the plan checks it."""

    topics: Annotated[
        CommaList,
        Key(COMMON, "high", "long", "Topics"),
        Field(description="The topics to read."),
    ] = ()
    topics_regex: Annotated[
        str,
        AfterValidator(_regex),
        Key(COMMON, "high", "long", "Topics regex"),
        Field(description="Reads every topic whose whole name this regular expression matches."),
    ] = ""
    errors_deadletterqueue_topic_name: Annotated[
        str,
        AfterValidator(_no_dead_letters),
        Key(ERRORS, "medium", "medium", "Dead Letter Queue Topic Name"),
        Field(description="The topic that takes the records that could not be handled."),
    ] = ""
    errors_deadletterqueue_topic_replication_factor: Annotated[
        int,
        Field(ge=-(2**15), le=2**15 - 1, description="The replication factor of that topic where it has to be created."),
        Key(ERRORS, "medium", "medium", "Dead Letter Queue Topic Replication Factor"),
    ] = 3
    errors_deadletterqueue_context_headers_enable: Annotated[
        bool,
        Key(ERRORS, "medium", "medium", "Enable Error Context Headers"),
        Field(description="Whether records in that topic say in headers what went wrong."),
    ] = False
