"""Kafka Connect's SimpleHeaderConverter: header values as readable text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connect.api import Converter, DataError, PluginConfig, Schema
from connect.api.schema import BOOLEAN, FLOAT64, INT8, INT16, INT32, INT64, STRING

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.?\d+)([eE][+-]?\d+)?")

_WORDS: Mapping[str, tuple[Schema | None, Any]] = {"true": (BOOLEAN, True), "false": (BOOLEAN, False), "null": (None, None)}


def _text(value: Any, *, embedded: bool = False) -> str:
    """A value as Java's ``Values.convertToString`` writes it: text inside lists and maps is quoted, other text is not."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if embedded else value
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, bytes):
        encoded = base64.b64encode(value).decode("ascii")
        return f'"{encoded}"' if embedded else encoded
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(key, embedded=True)}:{_text(item, embedded=True)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item, embedded=True) for item in value) + "]"
    return str(value)


def _parse(text: str) -> tuple[Schema | None, Any]:
    """The narrowest type whose text this is: booleans, integers, other numbers, arrays and objects; else a string."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _narrowest(int(text), text)
    if _DECIMAL.fullmatch(text):
        return FLOAT64, float(text)
    if text[:1] in ("[", "{"):
        try:
            return None, json.loads(text, parse_float=lambda number: float(Decimal(number)))
        except ValueError:
            return STRING, text
    return STRING, text


def _narrowest(value: int, text: str) -> tuple[Schema, Any]:
    for schema, bits in ((INT8, 7), (INT16, 15), (INT32, 31), (INT64, 63)):
        if -(1 << bits) <= value < 1 << bits:
            return schema, value
    return STRING, text


class SimpleHeaderConverter(Converter[PluginConfig]):
    """Writes values as text, and reads text as the type that it looks like."""

    java_classes = ("org.apache.kafka.connect.storage.SimpleHeaderConverter",)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:  # noqa: ARG002
        """Raises DataError for text with half a surrogate pair."""
        payloads: list[bytes | None] = []
        for value in values:
            try:
                payloads.append(None if value is None else _text(value).encode())
            except UnicodeEncodeError as error:
                raise DataError(f"A header for topic '{topic}' is no text: {error}", len(payloads)) from error
        return payloads

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:  # noqa: ARG002
        """Never fails: bytes that are no UTF-8 are read with replacement characters, as in the JVM."""
        pairs = [(None, None) if payload is None else _parse(payload.decode(errors="replace")) for payload in payloads]
        return [schema for schema, _ in pairs], [value for _, value in pairs]
