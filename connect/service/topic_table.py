"""A compacted topic as a table: read to its end, followed in a thread, written through the log and read back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from connect.api import RetriableError
from connect.service import kafka_clients
from connect.service.internal_topics import ensure_compacted_topic, wait_for_brokers
from connect.service.kafka_clients import INTERNAL
from connect.service.settings import WorkerSettings

_logger = logging.getLogger(__name__)
_BATCH = 500
_POLL_SECONDS = 0.1

OnChange = Callable[[bytes, bytes | None], None]


@dataclass(slots=True)
class _Delivery:
    """What became of one record on its way to the log."""

    error: KafkaError | None = None
    partition: int = -1
    offset: int = -1
    done: threading.Event = field(default_factory=threading.Event)

    def report(self, error: KafkaError | None, message: Message) -> None:
        self.error = error
        if error is None:
            self.partition, self.offset = message.partition() or 0, message.offset() or 0
        self.done.set()


class TopicTable:
    """The newest value of every key of a topic.

    ``on_change(key, value)`` is called for every record in the log's order, from the topic's beginning on (so also while
    :meth:`start` runs), on the table's own thread: it must only take note. A value of None is a tombstone. The other
    methods may be called from any thread.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        topic: str,
        *,
        partitions: int,
        replication_factor: int,
        on_change: OnChange | None = None,
    ) -> None:
        self.topic = topic
        self._settings = settings
        self._partitions = partitions
        self._replication_factor = replication_factor
        self._on_change = on_change
        self._values: dict[bytes, bytes] = {}
        self._next: dict[int, int] = {}  # partition -> the offset up to which everything has been applied
        self._moved = threading.Condition()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"table-{topic}", daemon=True)
        self._admin = kafka_clients.admin(settings, INTERNAL)
        # A round trip per write is what somebody waits for: nothing may linger.
        self._producer = kafka_clients.producer(settings, INTERNAL, linger_ms=0, socket_nagle_disable=True)

    def start(self) -> None:
        """Returns once the topic exists and everything in it has been applied; waits for the brokers as long as it takes.

        Raises EnvironmentProblem where the topic cannot be used.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Ends the thread. What :meth:`send` has not delivered within a second is given up."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._producer.flush(1.0)

    def get(self, key: bytes) -> bytes | None:
        """The newest value, or None."""
        return self._values.get(key)

    def items(self) -> dict[bytes, bytes]:
        """A copy of the table."""
        with self._moved:
            return dict(self._values)

    def put(self, key: bytes, value: bytes | None, timeout_seconds: float = 30.0) -> None:
        """Writes a record and returns when this table has read it back: whoever asks from then on sees it.

        Raises RetriableError when that takes too long (the record may yet arrive) or the broker refuses the record.
        """
        deadline = time.monotonic() + timeout_seconds
        delivery = _Delivery()
        self._producer.produce(self.topic, value, key, on_delivery=delivery.report)
        while not delivery.done.is_set() and time.monotonic() < deadline:
            self._producer.flush(min(_POLL_SECONDS, timeout_seconds))
        if delivery.error is not None:
            raise RetriableError(f"Topic '{self.topic}' did not take a record: {delivery.error.str()}.")
        if not delivery.done.is_set() or not self._wait_until({delivery.partition: delivery.offset + 1}, deadline):
            raise RetriableError(
                f"Writing to topic '{self.topic}' took longer than {timeout_seconds:g} s; are the brokers at "
                f"{self._settings.bootstrap_servers} up?"
            )

    def send(self, key: bytes, value: bytes | None) -> None:
        """Writes a record and does not wait; after any earlier write of this table."""
        self._producer.produce(self.topic, value, key, on_delivery=self._note_failure)
        self._producer.poll(0)

    def refresh(self, timeout_seconds: float = 30.0) -> None:
        """Returns once everything that is in the topic now has been applied. Raises RetriableError if that takes too long."""
        deadline = time.monotonic() + timeout_seconds
        try:
            ends = self._end_offsets(timeout_seconds)
        except KafkaException:
            # An AdminClient keeps the leader epochs that it saw first; after a broker's restart they are refused for ever.
            self._admin = kafka_clients.admin(self._settings, INTERNAL)
            try:
                ends = self._end_offsets(max(deadline - time.monotonic(), 0.1))
            except KafkaException as error:
                raise RetriableError(f"The end of topic '{self.topic}' cannot be read: {error.args[0].str()}.") from error
        if not self._wait_until(ends, deadline):
            raise RetriableError(f"Reading topic '{self.topic}' to its end took longer than {timeout_seconds:g} s.")

    def _end_offsets(self, timeout_seconds: float) -> dict[int, int]:
        newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(self.topic, partition): newest for partition in list(self._next)}
        answers = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=max(timeout_seconds, 0.1)
        )
        return {place.partition: answer.result().offset for place, answer in answers.items()}

    def _wait_until(self, ends: dict[int, int], deadline: float) -> bool:
        def applied() -> bool:
            return all(self._next.get(partition, 0) >= end for partition, end in ends.items())

        with self._moved:
            return self._moved.wait_for(applied, max(deadline - time.monotonic(), 0))

    def _run(self) -> None:
        try:
            self._read_to_end()
            with self._follower() as consumer:
                self._ready.set()
                while not self._stopping.is_set():
                    self._step(consumer)
        except Exception as error:  # the thread's boundary: start() raises it, later the log has it
            self._failure = error
            if self._ready.is_set():
                _logger.exception("Topic '%s' is not followed any more", self.topic)
        finally:
            self._ready.set()

    def _read_to_end(self) -> None:
        """A consumer for this alone: with a fetch wait of 10 ms it learns at once that the end is reached.

        Offsets are not compared: control records of transactions end a topic, and a position stays before them.
        """
        count = wait_for_brokers(self._ensure_topic, self._settings.bootstrap_servers, self._stopping)
        self._next = dict.fromkeys(range(count), 0)
        unread = set(self._next)
        consumer = self._consumer(fetch_wait_max_ms=10)
        try:
            # Offset 0 and not "beginning": that has to be looked up, and before a leader is known the look-up waits 0.5 s.
            consumer.assign([TopicPartition(self.topic, partition, 0) for partition in self._next])
            while unread:
                if self._stopping.is_set():
                    raise InterruptedError(f"Stopped while reading topic '{self.topic}'")
                unread -= self._step(consumer)
        finally:
            consumer.close()

    def _ensure_topic(self) -> int:
        roles = {self._settings.config_topic: "config", self._settings.offset_topic: "offset"}
        role = roles.get(self.topic, "status")
        options = {
            key: value for of, given in self._settings.topic_options.items() if of == role for key, value in given.items()
        }
        return ensure_compacted_topic(
            self._admin,
            self.topic,
            partitions=self._partitions,
            replication_factor=self._replication_factor,
            options=options,
        )

    def _consumer(self, **librdkafka: object) -> Consumer:
        return kafka_clients.consumer(
            self._settings,
            f"{self._settings.group_id}-{self.topic}",  # needed by the library, never joined: partitions are assigned
            INTERNAL,
            enable_partition_eof=True,
            auto_offset_reset="earliest",
            socket_nagle_disable=True,
            **librdkafka,
        )

    def _follower(self) -> closing[Consumer]:
        consumer = self._consumer()
        consumer.assign([TopicPartition(self.topic, partition, offset) for partition, offset in self._next.items()])
        return closing(consumer)

    def _step(self, consumer: Consumer) -> set[int]:
        """Applies what has come; returns the partitions whose end was reached."""
        first = consumer.poll(_POLL_SECONDS)
        self._producer.poll(0)  # reports and log lines of send()
        if first is None:
            return set()
        return self._apply([first, *consumer.consume(_BATCH - 1, 0)])

    def _apply(self, messages: list[Message]) -> set[int]:
        ended: set[int] = set()
        with self._moved:
            for message in messages:
                error = message.error()
                partition, offset = message.partition() or 0, message.offset() or 0
                if error is None:
                    self._apply_record(message.key(), message.value())
                    self._next[partition] = offset + 1
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes begin so
                    self._next[partition] = max(self._next[partition], offset)
                    ended.add(partition)
                else:
                    _logger.warning("Reading topic '%s': %s; trying again.", self.topic, error.str())
            self._moved.notify_all()
        return ended

    def _apply_record(self, key: bytes | None, value: bytes | None) -> None:
        if key is None:
            return  # means nothing in a compacted topic
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        if self._on_change:
            self._on_change(key, value)

    def _note_failure(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            _logger.error("Topic '%s' did not take a record: %s", self.topic, error.str())
