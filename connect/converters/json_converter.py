"""Kafka Connect's JsonConverter: plain JSON, or JSON in an envelope ``{"schema": ..., "payload": ...}``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field, field_validator

from connect.api import Converter, DataError, PluginConfig
from connect.api.schema import Schema
from connect.converters.json_decoding import Decode, Decoders, Inexact, Undecodable
from connect.converters.json_encoding import OPTIONS, DecimalFormat, Encode, Encoders, Unencodable
from connect.converters.json_schema import InvalidSchema, from_json, to_json

_NOT_AN_ENVELOPE = (
    'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. '
    "If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration."
)


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class JsonConverterConfig(PluginConfig):
    """The options of JsonConverter."""

    schemas_enable: bool = Field(True, description="Write and expect each value in an envelope with its schema.")
    schemas_cache_size: int = Field(1000, description="Taken for compatibility; schemas are kept as long as they are used.")
    decimal_format: Annotated[DecimalFormat, BeforeValidator(_upper)] = Field(
        "BASE64", description="How a Decimal is written: BASE64 of its unscaled bytes, or NUMERIC. Both are read."
    )
    replace_null_with_default: bool = Field(True, description="A null in a field with a default stands for the default.")
    schema_content: str | None = Field(
        None, description="With schemas.enable: the schema of all that is read, so that payloads come without an envelope."
    )

    @field_validator("schema_content")
    @classmethod
    def _is_a_schema(cls, text: str | None) -> str | None:
        if text:
            from_json(json.loads(text), lambda schema, value: Decoders(True).prepare(schema)(value))
        return text


class JsonConverter(Converter[JsonConverterConfig]):
    """Envelopes cost one dump of the payload: a schema's own bytes are made once."""

    java_classes = ("org.apache.kafka.connect.json.JsonConverter",)

    def __init__(self, config: JsonConverterConfig, *, is_key: bool) -> None:
        super().__init__(config, is_key=is_key)
        self._encoders = Encoders(config.decimal_format, config.replace_null_with_default)
        self._decoders = Decoders(config.replace_null_with_default)
        self._prepared: dict[Schema, tuple[Encode | None, bytes]] = {}
        self._decode_by_schema: dict[Schema, Decode] = {}
        self._heads: dict[str, tuple[bytes, Schema]] = {}  # topic -> how its last envelope began, up to the payload
        self._fixed: Schema | None = None
        if config.schemas_enable and config.schema_content:
            self._fixed = from_json(json.loads(config.schema_content), self._decode_default)

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        """Values to JSON. Raises DataError with the field that does not fit."""
        encode, head = self._prepare(schema)
        tail = b"}" if self.config.schemas_enable else b""
        payloads: list[bytes | None] = []
        for value in values:
            if value is None:
                payloads.append(None)
                continue
            try:
                body = (
                    self._dump_schemaless(value)
                    if schema is None
                    else orjson.dumps(encode(value) if encode else value, None, OPTIONS)
                )
            except (Unencodable, TypeError, AttributeError) as error:
                index = len(payloads)
                raise DataError(f"The {self._half} for topic '{topic}' does not convert to JSON: {error}", index) from error
            payloads.append(head + body + tail if head else body)
        return payloads

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        """JSON to values. Raises DataError for text that is no JSON, no envelope or does not fit its schema."""
        schemas: list[Schema | None] = []
        values: list[Any] = []
        read = self._read_envelope if self.config.schemas_enable else self._read_plain
        for payload in payloads:
            schema, value = None, None
            if payload is not None:
                try:
                    schema, value = read(topic, payload)
                except (Undecodable, InvalidSchema) as error:
                    raise DataError(str(error), len(values)) from error
                except (ValueError, RecursionError) as error:
                    message = f"Converting byte[] to Kafka Connect data failed due to serialization error: {error}"
                    raise DataError(message, len(values)) from error
            schemas.append(schema)
            values.append(value)
        return schemas, values

    @property
    def _half(self) -> str:
        return "key" if self.is_key else "value"

    def _prepare(self, schema: Schema | None) -> tuple[Encode | None, bytes]:
        """How to encode values of a schema, and what stands before each payload."""
        if schema is None:
            return None, b'{"schema":null,"payload":' if self.config.schemas_enable else b""
        prepared = self._prepared.get(schema)
        if prepared is None:
            head = b""
            if self.config.schemas_enable:
                head = b'{"schema":' + orjson.dumps(to_json(schema, self._encode_default)) + b',"payload":'
            prepared = self._prepared[schema] = (self._encoders.prepare(schema), head)
        return prepared

    def _encode_default(self, schema: Schema, value: Any) -> Any:
        encode = self._encoders.prepare(schema)
        return encode(value) if encode else value

    def _decode_default(self, schema: Schema, value: Any) -> Any:
        return self._decoders.prepare(schema)(value)

    def _dump_schemaless(self, value: Any) -> bytes:
        """Most values are written as they are; those that orjson refuses, or that hold a NaN (a null to orjson), are not."""
        try:
            body = orjson.dumps(value, None, OPTIONS)
        except TypeError:
            return orjson.dumps(self._encoders.schemaless(value), None, OPTIONS)
        return orjson.dumps(self._encoders.schemaless(value), None, OPTIONS) if b"null" in body else body

    def _read_plain(self, _topic: str, payload: bytes) -> tuple[None, Any]:
        return None, orjson.loads(payload)

    def _read_envelope(self, topic: str, payload: bytes) -> tuple[Schema | None, Any]:
        if self._fixed is not None:
            return self._fixed, self._fitting(self._fixed, orjson.loads(payload), lambda: _exact(payload))
        head, known = self._heads.get(topic, (b"", None))
        if known is not None and payload.startswith(head):
            body = payload[len(head) : -1]
            try:
                return known, self._fitting(known, orjson.loads(body), lambda: _exact(body))
            except orjson.JSONDecodeError:
                pass  # something stands behind the payload: the whole has to be looked at
        return self._read_new_envelope(topic, payload)

    def _read_new_envelope(self, topic: str, payload: bytes) -> tuple[Schema | None, Any]:
        envelope = orjson.loads(payload)
        if envelope is None:
            return None, None
        if not isinstance(envelope, dict) or envelope.keys() != {"schema", "payload"}:
            raise Undecodable(_NOT_AN_ENVELOPE)
        if envelope["schema"] is None:
            return None, envelope["payload"]
        schema = from_json(envelope["schema"], self._decode_default)
        head = b'{"schema":' + orjson.dumps(envelope["schema"]) + b',"payload":'
        if payload.startswith(head) and payload.endswith(b"}"):
            self._heads[topic] = head, schema
        return schema, self._fitting(schema, envelope["payload"], lambda: _exact(payload)["payload"])

    def _fitting(self, schema: Schema, value: Any, reread: Callable[[], Any]) -> Any:
        decode = self._decode_by_schema.get(schema)
        if decode is None:
            decode = self._decode_by_schema[schema] = self._decoders.prepare(schema)
        try:
            return decode(value)
        except Inexact:
            return decode(reread())


def _exact(text: bytes) -> Any:
    """The JSON with decimal numbers as they are written."""
    return json.loads(text, parse_float=Decimal)
