"""Kafka Connect's InsertField: where a record comes from, when, or a fixed text, as fields of its key or value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from connect.api import DataError, Failure, PluginConfig, Record, Schema, SinkRecord, Transformation, Type, primitive
from connect.api import Field as SchemaField
from connect.api.schema import INT32, INT64, STRING, TIMESTAMP_NAME

_TIMESTAMP = primitive(Type.INT64, name=TIMESTAMP_NAME, version=1)
_NAMES = "Append '!' for a field that must not be null, '?' for one that may be (the default)."


class InsertFieldConfig(PluginConfig):
    """The options of InsertField."""

    topic_field: str | None = Field(None, description=f"Name of the field for the topic. {_NAMES}")
    partition_field: str | None = Field(None, description=f"Name of the field for the partition. {_NAMES}")
    offset_field: str | None = Field(None, description=f"Name of the field for the offset (sinks only). {_NAMES}")
    timestamp_field: str | None = Field(None, description=f"Name of the field for the record's timestamp. {_NAMES}")
    static_field: str | None = Field(None, description=f"Name of the field for static.value. {_NAMES}")
    static_value: str | None = Field(None, description="The text for static.field.")
    replace_null_with_default: bool = Field(True, description="A null in a field with a default stands for the default.")


@dataclass(frozen=True, slots=True)
class Insertion:
    """One field to insert: its name, its schema, and where its value comes from."""

    name: str
    schema: Schema
    value_of: Callable[[Record], Any]
    left_out_if_null: bool = False


def insertions_of(config: InsertFieldConfig) -> list[Insertion]:
    """What is configured, in Kafka Connect's order. ``name!`` is required, ``name?`` and ``name`` are not."""
    static = config.static_field if config.static_value is not None else None
    wanted: list[tuple[str | None, Schema, Callable[[Record], Any]]] = [
        (config.topic_field, STRING, lambda record: record.topic),
        (config.partition_field, INT32, _partition),
        (config.offset_field, INT64, _offset),
        (config.timestamp_field, _TIMESTAMP, lambda record: record.timestamp),
        (static, STRING, lambda _record: config.static_value),
    ]
    return [
        Insertion(
            name=spec[:-1] if spec.endswith(("!", "?")) else spec,
            schema=schema.as_optional(not spec.endswith("!")),
            value_of=value_of,
            left_out_if_null=value_of is _partition,
        )
        for spec, schema, value_of in wanted
        if spec
    ]


def _partition(record: Record) -> int | None:
    return record.partition


def _offset(record: Record) -> int:
    if not isinstance(record, SinkRecord):
        raise DataError("Offset insertion is only supported for sink connectors: remove offset.field.")
    return record.offset


class InsertField(Transformation[InsertFieldConfig]):
    """A struct's schema is extended once; a value without a schema just gets the fields. Tombstones pass as they are."""

    java_classes = ("org.apache.kafka.connect.transforms.InsertField",)
    has_target = True

    def __init__(self, config: InsertFieldConfig, target: Any = "value") -> None:
        super().__init__(config, target)
        self._insertions = insertions_of(config)
        self._extended: dict[Schema, tuple[Schema, Mapping[str, Any]]] = {}

    def transform_batch(self, records: Sequence[Record]) -> list[Record | Failure | None]:
        """Changes the records that it can; a record that fails is left as it was."""
        change = self._change_key if self.target == "key" else self._change_value
        results: list[Record | Failure | None] = []
        for record in records:
            try:
                change(record)
                results.append(record)
            except DataError as error:
                results.append(Failure(error))
        return results

    def _change_key(self, record: Record) -> None:
        if record.key is not None:
            record.key, record.key_schema = self._inserted(record, record.key, record.key_schema)

    def _change_value(self, record: Record) -> None:
        if record.value is not None:
            record.value, record.value_schema = self._inserted(record, record.value, record.value_schema)

    def _inserted(self, record: Record, value: Any, schema: Schema | None) -> tuple[dict[str, Any], Schema | None]:
        if type(value) is not dict or (schema is not None and schema.type is not Type.STRUCT):
            kind = schema.type if schema is not None else type(value).__name__
            where = f"{self.target} of a record of topic '{record.topic}'"
            raise DataError(
                f"Only Struct objects (or maps without a schema) supported for field insertion; the {where} is {kind}."
            )
        defaults: Mapping[str, Any] = {}
        if schema is not None:
            schema, defaults = self._extended.get(schema) or self._extend(schema)
        result = value.copy()
        for name, default in defaults.items():
            if result.get(name) is None:
                result[name] = default
        for field in self._insertions:
            inserted = field.value_of(record)
            # As in the JVM: a source's record mostly has no partition yet, and without a schema no field then.
            if inserted is not None or schema is not None or not field.left_out_if_null:
                result[field.name] = inserted
        if schema is not None:
            self._check_required(record, result)
        return result, schema

    def _check_required(self, record: Record, value: Mapping[str, Any]) -> None:
        for field in self._insertions:
            if value[field.name] is None and not field.schema.optional:
                raise DataError(
                    f"Field '{field.name}' is required ('!') and a record of topic '{record.topic}' has nothing for it: "
                    f"write '{field.name}?' to allow null."
                )

    def _extend(self, schema: Schema) -> tuple[Schema, Mapping[str, Any]]:
        """The struct with the new fields, and the defaults that stand for its nulls."""
        new = {field.name: SchemaField(field.name, field.schema) for field in self._insertions}
        kept = [field for field in schema.fields if field.name not in new]
        defaults = {
            field.name: field.schema.default
            for field in kept
            if self.config.replace_null_with_default and field.schema.has_default and field.schema.default is not None
        }
        self._extended[schema] = extended = (schema.with_fields(*kept, *new.values()), defaults)
        return extended
