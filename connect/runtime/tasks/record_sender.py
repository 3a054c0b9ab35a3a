"""Records into the log: queued at once, checked at the next flush, with no call back for those that arrive."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connect.runtime.tasks.error_policy import PURGED, DeliveryError
from connect.runtime.tasks.record_encoder import Encoded

WAIT_SECONDS = 0.5
UNPARTITIONED = -1
NOW = 0
# librdkafka's own default would let a slow log fill a gigabyte; this is what Java's producer takes (buffer.memory).
BUFFER_BYTES = 32 * 1024 * 1024


class RecordSender:
    """One task's producer. ``meanwhile`` is called about once a second while the log is slow; it may raise to give up.

    ``refused`` hears of records that the log does not take; what it raises, :meth:`flush` and :meth:`send` raise.
    """

    def __init__(
        self, make: Callable[..., Producer], meanwhile: Callable[[], None], refused: Callable[[DeliveryError], None]
    ) -> None:
        # A call back on errors only costs 0.2 us a record; one on every record three times that.
        self._producer = make(delivery_report_only_error=True)
        self._meanwhile = meanwhile
        self._refused = refused
        self._error: Exception | None = None

    def send(self, encoded: Encoded) -> None:
        """Queues a batch. Waits where the queue is full. Raises what an earlier batch ran into."""
        produce, delivered = self._producer.produce, self._delivered
        headers_of = encoded.headers or (None for _ in encoded.records)
        for record, key, value, headers in zip(encoded.records, encoded.keys, encoded.values, headers_of, strict=False):
            partition = UNPARTITIONED if record.partition is None else record.partition
            timestamp = NOW if record.timestamp is None else record.timestamp
            while True:
                try:
                    # All by position: keywords double the cost of the call.
                    produce(record.topic, value, key, partition, None, delivered, timestamp, headers)  # type: ignore[arg-type]
                except BufferError:
                    self._wait_for_room()
                except KafkaException as problem:
                    self._refused(DeliveryError(problem.args[0], record.topic, key))
                    break
                else:
                    break
        self._producer.poll(0)
        self._raise_error()

    def flush(self) -> None:
        """Returns once everything sent is durable in the log; for ever, if need be."""
        asked = time.monotonic()
        while self._producer.flush(WAIT_SECONDS):
            self._raise_error()
            asked = self._pass_time(asked)
        self._raise_error()

    def drop(self) -> None:
        """Forgets what has not been sent, and every error so far: the source is read again from its last offset."""
        self._producer.purge()
        self._producer.flush(WAIT_SECONDS)
        self._error = None

    def _wait_for_room(self) -> None:
        asked = time.monotonic()
        before = len(self._producer)
        while len(self._producer) >= before:
            self._producer.poll(0.05)
            self._raise_error()
            asked = self._pass_time(asked)

    def _pass_time(self, asked: float) -> float:
        now = time.monotonic()
        if now - asked < 2 * WAIT_SECONDS:
            return asked
        self._meanwhile()
        return now

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None or error.code() in PURGED:
            return
        try:
            self._refused(DeliveryError(error, message.topic() or "", message.key()))
        except Exception as refusal:  # noqa: BLE001 - raised where the task can hear it: librdkafka is calling
            self._error = self._error or refusal

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
