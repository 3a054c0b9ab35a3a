"""The configuration: Debezium's keys for its PostgreSQL connector."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connect.api import CommaList, ConnectorConfig, Key, Unserved
from connect.api.java_regex import compile_pattern
from connectors.postgres.filters import Filters
from connectors.postgres.unserved import UNSERVED

SnapshotMode = Literal["initial", "initial_only", "no_data", "always", "when_needed"]

_CONNECTION = Key(group="Connection", importance="high")
_TLS = Key(group="Connection")
_SLOT = Key(group="Slot and publication")
_TABLES = Key(group="Tables and columns", width="long")
_TYPES = Key(group="Types")
_SNAPSHOT = Key(group="Snapshot")
_EVENTS = Key(group="Events")
_FLOW = Key(group="Flow", importance="low")


class PostgresConfig(ConnectorConfig):
    """``PostgresSource``. Raises pydantic's ValidationError with every problem."""

    unserved: ClassVar[tuple[Unserved, ...]] = UNSERVED

    topic_prefix: Annotated[str, Key(group="Events", importance="high"), Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """Names the server: topics are ``{prefix}.{schema}.{table}``, the source partition is ``{"server": prefix}``."""

    database_hostname: Annotated[str, _CONNECTION]
    database_port: Annotated[int, _CONNECTION, Field(ge=1, le=65535)] = 5432
    database_user: Annotated[str, _CONNECTION]
    database_password: Annotated[SecretStr | None, _CONNECTION] = None
    database_dbname: Annotated[str, _CONNECTION]
    database_sslmode: Annotated[Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"], _TLS] = "prefer"
    database_sslcert: Annotated[str | None, _TLS] = None
    database_sslkey: Annotated[str | None, _TLS] = None
    database_sslpassword: Annotated[SecretStr | None, _TLS] = None
    database_sslrootcert: Annotated[str | None, _TLS] = None
    database_tcpKeepAlive: Annotated[bool, _TLS] = True  # noqa: N815 - Debezium's spelling

    plugin_name: Annotated[Literal["pgoutput"], _SLOT] = "pgoutput"
    """Only pgoutput, which every PostgreSQL has. (Debezium's own default, decoderbufs, has to be installed on the server.)"""
    slot_name: Annotated[str, _SLOT, Field(pattern=r"^[a-z0-9_]{1,63}$")] = "debezium"
    publication_name: Annotated[str, _SLOT, Field(min_length=1, max_length=63)] = "dbz_publication"
    publication_autocreate_mode: Annotated[Literal["filtered", "all_tables", "disabled"], _SLOT] = "filtered"
    """``filtered``: a publication of the captured tables only. (Debezium's default, all_tables, makes UPDATE and DELETE fail
    in the application for every table of the database that has no replica identity.)"""
    publish_via_partition_root: Annotated[bool, _SLOT] = False
    status_update_interval_ms: Annotated[int, _SLOT, Field(ge=100)] = 10_000

    schema_include_list: Annotated[CommaList, _TABLES] = ()
    schema_exclude_list: Annotated[CommaList, _TABLES] = ()
    table_include_list: Annotated[CommaList, _TABLES, Key(importance="high", width="long")] = ()
    table_exclude_list: Annotated[CommaList, _TABLES] = ()
    column_include_list: Annotated[CommaList, _TABLES] = ()
    column_exclude_list: Annotated[CommaList, _TABLES] = ()

    decimal_handling_mode: Annotated[Literal["precise", "double", "string"], _TYPES] = "precise"
    time_precision_mode: Annotated[Literal["adaptive", "connect"], _TYPES] = "adaptive"
    binary_handling_mode: Annotated[Literal["bytes", "base64", "base64-url-safe", "hex"], _TYPES] = "bytes"
    interval_handling_mode: Annotated[Literal["numeric", "string"], _TYPES] = "numeric"
    hstore_handling_mode: Annotated[Literal["json"], _TYPES] = "json"
    unavailable_value_placeholder: Annotated[str, _TYPES] = "__debezium_unavailable_value"

    snapshot_mode: Annotated[SnapshotMode, _SNAPSHOT] = "initial"

    tombstones_on_delete: Annotated[bool, _EVENTS] = True
    skipped_operations: Annotated[CommaList, _EVENTS] = ("t",)
    extended_headers_enabled: Annotated[bool, _EVENTS] = True
    provide_transaction_metadata: Annotated[Literal[False], _EVENTS] = False

    # Accepted for the sake of existing configurations: batches and queues size themselves here.
    poll_interval_ms: Annotated[int, _FLOW] = 500
    max_batch_size: Annotated[int, _FLOW] = 2048
    max_queue_size: Annotated[int, _FLOW] = 8192

    @field_validator("snapshot_mode", mode="before")
    @classmethod
    def _older_name(cls, value: object) -> object:
        return "no_data" if value == "never" else value

    @field_validator("provide_transaction_metadata", mode="before")
    @classmethod
    def _no_transaction_topic(cls, value: object) -> object:
        if isinstance(value, str) and value.lower() == "true":
            raise ValueError("the transaction topic is not supported yet: leave the key out or set it to false")
        return False if isinstance(value, str) and value.lower() == "false" else value

    @field_validator("skipped_operations")
    @classmethod
    def _operations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value == ("none",):
            return ()
        if unknown := [item for item in value if item not in {"c", "u", "d", "t"}]:
            raise ValueError(f"{', '.join(unknown)}: must be none, or some of c (create), u (update), d (delete), t (truncate)")
        return value

    @field_validator(
        "schema_include_list", "schema_exclude_list", "table_include_list",
        "table_exclude_list", "column_include_list", "column_exclude_list",
    )  # fmt: skip
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            compile_pattern(pattern)
        return value

    @model_validator(mode="after")
    def _one_list_of_each(self) -> Self:
        for what in ("schema", "table", "column"):
            if getattr(self, f"{what}_include_list") and getattr(self, f"{what}_exclude_list"):
                raise ValueError(f"{what}.include.list and {what}.exclude.list exclude each other: give one of them")
        return self

    def filters(self) -> Filters:
        """The lists, compiled."""
        return Filters(
            schemas=(self.schema_include_list, self.schema_exclude_list),
            tables=(self.table_include_list, self.table_exclude_list),
            columns=(self.column_include_list, self.column_exclude_list),
        )
