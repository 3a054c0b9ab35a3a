"""Source records to payloads: by topic and schema, so that a converter sees as many values at once as it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from connect.api import Converter, DataError, Schema, SourceRecord
from connect.runtime.tasks.error_policy import Stage
from connect.runtime.tasks.retries import Retries

Headers = list[tuple[str, bytes | None]]
OnFailure = Callable[[Exception, Stage, SourceRecord], None]


class Encoded(NamedTuple):
    """Parallel lists. ``headers`` None: no record of the batch has any; records may share one list of them."""

    records: Sequence[SourceRecord]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[Headers] | None
    topics: set[str]


class RecordEncoder:
    """One task's key, value and header converters."""

    def __init__(self, key: Converter[Any], value: Converter[Any], header: Converter[Any], retries: Retries) -> None:
        self._key = key
        self._value = value
        self._header = header
        self._retries = retries

    def encode(self, records: list[SourceRecord], on_failure: OnFailure) -> Encoded:
        """All records but those that ``on_failure`` let pass as skipped, in order."""
        groups = _groups(records)
        if len(groups) == 1:
            encoded = self._encode_group(records, on_failure)
        else:
            encoded = self._encode_mixed(records, groups, on_failure)
        if any(record.headers for record in encoded.records):
            encoded = self._with_headers(encoded, on_failure)
        return encoded

    def _encode_mixed(self, records: list[SourceRecord], groups: list[list[int]], on_failure: OnFailure) -> Encoded:
        """Each group by itself, then everything back in the order in which it came."""
        placed: dict[int, tuple[SourceRecord, bytes | None, bytes | None]] = {}
        topics: set[str] = set()
        for indices in groups:
            group = self._encode_group([records[index] for index in indices], on_failure)
            topics |= group.topics
            index_of = {id(records[index]): index for index in indices}
            for record, key, value in zip(group.records, group.keys, group.values, strict=True):
                placed[index_of[id(record)]] = (record, key, value)
        ordered = [placed[index] for index in sorted(placed)]
        return Encoded(
            [item[0] for item in ordered], [item[1] for item in ordered], [item[2] for item in ordered], None, topics
        )

    def _encode_group(self, records: list[SourceRecord], on_failure: OnFailure) -> Encoded:
        """Records of one topic, one key schema and one value schema."""
        first = records[0]
        topic = first.topic
        keys: list[bytes | None] = [None] * len(records)
        if first.key_schema is not None or any(record.key is not None for record in records):
            given = [record.key for record in records]
            keys, failed = self._convert(self._key, Stage.KEY_CONVERTER, topic, first.key_schema, given)
            records, (keys,) = _without(failed, Stage.KEY_CONVERTER, records, [keys], on_failure)
        given = [record.value for record in records]
        values, failed = self._convert(self._value, Stage.VALUE_CONVERTER, topic, first.value_schema, given)
        records, (keys, values) = _without(failed, Stage.VALUE_CONVERTER, records, [keys, values], on_failure)
        return Encoded(records, keys, values, None, {topic})

    def _convert(
        self, converter: Converter[Any], stage: Stage, topic: str, schema: Schema | None, given: list[Any]
    ) -> tuple[list[bytes | None], dict[int, Exception]]:
        """Payloads, and what was wrong with those that have none."""
        if not given:
            return [], {}
        try:
            return self._retries.call(lambda: converter.encode(topic, schema, given), stage), {}
        except DataError:
            return self._convert_singly(converter, stage, topic, schema, given)

    def _convert_singly(
        self, converter: Converter[Any], stage: Stage, topic: str, schema: Schema | None, given: list[Any]
    ) -> tuple[list[bytes | None], dict[int, Exception]]:
        payloads: list[bytes | None] = [None] * len(given)
        failed: dict[int, Exception] = {}
        for index, value in enumerate(given):
            try:
                payloads[index] = self._retries.call(partial(converter.encode, topic, schema, [value]), stage)[0]
            except DataError as error:
                failed[index] = error
        return payloads, failed

    def _with_headers(self, encoded: Encoded, on_failure: OnFailure) -> Encoded:
        """Sources give one tuple of headers to many records: it is encoded once a batch, not once a record (4 us for four)."""
        known: dict[tuple[str, int], Headers] = {}
        kept: list[int] = []
        headers: list[Headers] = []
        for index, record in enumerate(encoded.records):
            identity = record.topic, id(record.headers)
            try:
                pairs = known.get(identity)
                if pairs is None:
                    pairs = known[identity] = self._encode_headers(record)
            except DataError as error:
                on_failure(error, Stage.HEADER_CONVERTER, record)
            else:
                kept.append(index)
                headers.append(pairs)
        if len(kept) == len(encoded.records):
            return encoded._replace(headers=headers)
        return Encoded(
            [encoded.records[index] for index in kept],
            [encoded.keys[index] for index in kept],
            [encoded.values[index] for index in kept],
            headers,
            encoded.topics,
        )

    def _encode_headers(self, record: SourceRecord) -> Headers:
        encode, topic = self._header.encode, record.topic
        return [(header.name, encode(topic, header.schema, [header.value])[0]) for header in record.headers]


def _groups(records: list[SourceRecord]) -> list[list[int]]:
    """Indices of records that can be encoded together. Schemas are interned, so identity tells them apart."""
    first = records[0]
    topic, key_schema, value_schema = first.topic, first.key_schema, first.value_schema
    for record in records:
        if record.topic != topic or record.value_schema is not value_schema or record.key_schema is not key_schema:
            break
    else:
        return [[]]
    groups: dict[tuple[str, int, int], list[int]] = {}
    for index, record in enumerate(records):
        groups.setdefault((record.topic, id(record.key_schema), id(record.value_schema)), []).append(index)
    return list(groups.values())


def _without(
    failed: dict[int, Exception],
    stage: Stage,
    records: list[SourceRecord],
    columns: list[list[bytes | None]],
    on_failure: OnFailure,
) -> tuple[list[SourceRecord], list[list[bytes | None]]]:
    """The batch less its failures, which the error policy hears of."""
    if not failed:
        return records, columns
    for index, error in failed.items():
        on_failure(error, stage, records[index])
    kept = [index for index in range(len(records)) if index not in failed]
    return [records[index] for index in kept], [[column[index] for index in kept] for column in columns]
