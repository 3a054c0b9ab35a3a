"""Messages of the log to sink records: by topic, so that a converter sees as many payloads at once as it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from connect.api import Converter, DataError, Header, Schema, SinkRecord
from connect.runtime.tasks.error_policy import Stage
from connect.runtime.tasks.retries import Retries

OnFailure = Callable[[Exception, Stage, Message], None]
Decoded = tuple[Sequence[Schema | None], Sequence[Any], dict[int, Exception]]


class RecordDecoder:
    """One task's key, value and header converters."""

    def __init__(self, key: Converter[Any], value: Converter[Any], header: Converter[Any], retries: Retries) -> None:
        self._key = key
        self._value = value
        self._header = header
        self._retries = retries

    def decode(self, messages: Sequence[Message], on_failure: OnFailure) -> list[SinkRecord]:
        """All messages but those that ``on_failure`` let pass as skipped; in order within each topic."""
        by_topic: dict[str, list[Message]] = {}
        for message in messages:
            by_topic.setdefault(message.topic(), []).append(message)  # type: ignore[arg-type]
        records: list[SinkRecord] = []
        for topic, group in by_topic.items():
            records += self._decode_topic(topic, group, on_failure)
        return records

    def _decode_topic(self, topic: str, messages: list[Message], on_failure: OnFailure) -> list[SinkRecord]:
        raw_keys: list[bytes | None] = [message.key() for message in messages]
        raw_values: list[bytes | None] = [message.value() for message in messages]
        key_schemas, keys, bad_keys = self._keys(topic, raw_keys)
        value_schemas, values, bad_values = self._convert(self._value, Stage.VALUE_CONVERTER, topic, raw_values)
        records = []
        for index, message in enumerate(messages):
            if index in bad_keys:
                on_failure(bad_keys[index], Stage.KEY_CONVERTER, message)
                continue
            if index in bad_values:
                on_failure(bad_values[index], Stage.VALUE_CONVERTER, message)
                continue
            kind, timestamp = message.timestamp()
            raw_headers = message.headers()
            try:
                headers = self._headers(topic, raw_headers) if raw_headers else ()
            except DataError as error:
                on_failure(error, Stage.HEADER_CONVERTER, message)
                continue
            records.append(
                SinkRecord(
                    topic,
                    message.partition(),  # type: ignore[arg-type]
                    message.offset(),  # type: ignore[arg-type]
                    keys[index],
                    values[index],
                    key_schemas[index],
                    value_schemas[index],
                    None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
                    headers,
                    raw_keys[index],
                    raw_values[index],
                )
            )
        return records

    def _keys(self, topic: str, raw_keys: list[bytes | None]) -> Decoded:
        if all(key is None for key in raw_keys):
            return raw_keys, raw_keys, {}  # type: ignore[return-value]
        return self._convert(self._key, Stage.KEY_CONVERTER, topic, raw_keys)

    def _convert(self, converter: Converter[Any], stage: Stage, topic: str, payloads: list[bytes | None]) -> Decoded:
        """Schemas and values, and what was wrong with the payloads that have none."""
        try:
            schemas, values = self._retries.call(lambda: converter.decode(topic, payloads), stage)
        except DataError:
            return self._convert_singly(converter, stage, topic, payloads)
        return schemas, values, {}

    def _convert_singly(self, converter: Converter[Any], stage: Stage, topic: str, payloads: list[bytes | None]) -> Decoded:
        schemas: list[Schema | None] = [None] * len(payloads)
        values: list[Any] = [None] * len(payloads)
        failed: dict[int, Exception] = {}
        for index, payload in enumerate(payloads):
            try:
                decoded = self._retries.call(partial(converter.decode, topic, [payload]), stage)
            except DataError as error:
                failed[index] = error
            else:
                schemas[index], values[index] = decoded[0][0], decoded[1][0]
        return schemas, values, failed

    def _headers(self, topic: str, raw_headers: Any) -> tuple[Header, ...]:
        headers = []
        for name, payload in raw_headers:
            schemas, values = self._header.decode(topic, [payload])
            headers.append(Header(name, values[0], schemas[0]))
        return tuple(headers)
