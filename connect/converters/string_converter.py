"""Kafka Connect's StringConverter: text in one encoding."""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator

from connect.api import Converter, DataError, PluginConfig, Schema
from connect.api.schema import OPTIONAL_STRING


class StringConverterConfig(PluginConfig):
    """The options of StringConverter."""

    converter_encoding: str = Field("UTF-8", description="The name of the text encoding.")

    @field_validator("converter_encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"no text encoding is called '{name}'") from None
        return name


def java_text(value: Any) -> str:
    """What Java's ``toString`` says of a value, as far as text, numbers and booleans go; JSON for lists and structs."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


class StringConverter(Converter[StringConverterConfig]):
    """Writes anything as text; reads text as an optional STRING."""

    java_classes = ("org.apache.kafka.connect.storage.StringConverter",)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:  # noqa: ARG002
        """Raises DataError for a character that the encoding lacks."""
        encoding = self.config.converter_encoding
        payloads: list[bytes | None] = []
        for value in values:
            try:
                payloads.append(None if value is None else java_text(value).encode(encoding))
            except UnicodeEncodeError as error:
                raise DataError(
                    f"The text for topic '{topic}' cannot be written in {encoding}: {error}", len(payloads)
                ) from error
        return payloads

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        """Raises DataError for bytes that are no text in the encoding."""
        encoding = self.config.converter_encoding
        values: list[Any] = []
        for payload in payloads:
            try:
                values.append(None if payload is None else payload.decode(encoding))
            except UnicodeDecodeError as error:
                raise DataError(f"A payload of topic '{topic}' is no text in {encoding}: {error}", len(values)) from error
        return [OPTIONAL_STRING] * len(values), values
