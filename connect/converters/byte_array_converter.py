"""Kafka Connect's ByteArrayConverter: payloads as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connect.api import Converter, DataError, PluginConfig, Schema, Type
from connect.api.schema import OPTIONAL_BYTES


class ByteArrayConverter(Converter[PluginConfig]):
    """Bytes in, the same bytes out."""

    java_classes = ("org.apache.kafka.connect.converters.ByteArrayConverter",)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        """Raises DataError for anything but bytes."""
        if schema is not None and schema.type is not Type.BYTES:
            raise DataError(f"Invalid schema type for ByteArrayConverter: {schema.type.name} (topic '{topic}')", 0)
        for index, value in enumerate(values):
            if value is not None and not isinstance(value, bytes):
                what = type(value).__name__
                raise DataError(f"ByteArrayConverter is not compatible with objects of type {what} (topic '{topic}')", index)
        return list(values)

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:  # noqa: ARG002
        """Never fails."""
        return [OPTIONAL_BYTES] * len(payloads), list(payloads)
