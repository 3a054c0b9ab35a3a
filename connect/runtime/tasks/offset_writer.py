"""Source offsets into the offsets topic, in Kafka Connect's format, so that either side goes on where the other stopped.

Key: ``["connector",{partition}]``, value: ``{offset}``; compact JSON without schemas, as JsonConverter writes it
(org.apache.kafka.connect.storage.OffsetStorageWriter). The key's murmur2 hash decides the partition, as in Java.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson
from confluent_kafka import KafkaError, Message, Producer

from connect.api import DataError, Offset, Partition
from connect.runtime.tasks.error_policy import DeliveryError


def offset_key(connector: str, partition: Partition) -> bytes:
    """The record key of one partition's offset. Raises DataError where the partition is no JSON."""
    return _json([connector, dict(partition)], f"the source partition {partition!r}")


def offset_value(offset: Offset) -> bytes:
    """The record value of an offset. Raises DataError where it is no JSON."""
    return _json(dict(offset), f"the source offset {offset!r}")


def _json(value: object, what: str) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise DataError(f"{what} cannot be stored: its keys must be text and its values JSON ({error})") from error


class OffsetWriter:
    """One connector's offsets."""

    def __init__(self, connector: str, topic: str, make: Callable[..., Producer], meanwhile: Callable[[], None]) -> None:
        self._connector = connector
        self._topic = topic
        self._producer = make(linger_ms=0)
        self._meanwhile = meanwhile
        self._error: KafkaError | None = None

    def write(self, offsets: Iterable[tuple[Partition, Offset]]) -> None:
        """Returns once they are durable; for ever, if need be. Raises DeliveryError where the log refuses them."""
        for partition, offset in offsets:
            value, key = offset_value(offset), offset_key(self._connector, partition)
            self._producer.produce(self._topic, value, key, on_delivery=self._delivered)
        while self._producer.flush(1.0):
            self._meanwhile()
        if self._error is not None:
            error, self._error = self._error, None
            raise DeliveryError(error, self._topic)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._error = self._error or error
