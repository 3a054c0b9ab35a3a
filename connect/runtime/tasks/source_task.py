"""The loop of a source task: read, transform, convert, send, and now and then make it durable.

At least once: records are flushed, then their offsets written and flushed, then the connector is told by commit(). A task
that dies at any moment goes on from an offset whose records are all in the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from connect.api import Offset, Partition, SourceConnector, SourceRecord
from connect.runtime.plan.connector_plan import ConnectorPlan
from connect.runtime.tasks.control import Control, Interrupted
from connect.runtime.tasks.error_policy import DeliveryError, Stage, Verdict, verdict
from connect.runtime.tasks.failure_trace import TaskFailure, compact
from connect.runtime.tasks.log_complaints import LogComplaints
from connect.runtime.tasks.offset_writer import OffsetWriter
from connect.runtime.tasks.partition_reader import BATCH_RECORDS, PartitionReader
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.record_encoder import RecordEncoder
from connect.runtime.tasks.record_sender import BUFFER_BYTES, RecordSender
from connect.runtime.tasks.retries import Retries
from connect.runtime.tasks.source_topics import SourceTopics
from connect.runtime.tasks.task import TaskSpec, TaskStateChanged
from connect.runtime.tasks.tolerance import Tolerance
from connect.runtime.tasks.transform_chain import TransformChain
from connect.service import kafka_clients

# A source that has gone quiet commits soon: it is cheap, and a crash then repeats nothing.
QUIET_SECONDS = 1.0
# How long to leave a source alone that had nothing: growing, since most quiet sources stay quiet.
SHORTEST_IDLE_SECONDS = 0.001
LONGEST_IDLE_SECONDS = 0.25
# After a failure the log gets this long to take what was sent before it.
LAST_FLUSH_SECONDS = 5.0
# The status says so when the log has kept us waiting for this long.
SLOW_SECONDS = 3
# A read that took this long has waited by itself.
WAITED_SECONDS = 0.005


Refused = Callable[[DeliveryError], None]


class SourceTask:
    """One source connector instance and the partitions that it reads, in turn."""

    def __init__(
        self, spec: TaskSpec, plan: ConnectorPlan, connector: SourceConnector[Any], control: Control, progress: Progress
    ) -> None:
        self._connector = connector
        self._control = control
        self._progress = progress
        self._retries = Retries(control, progress, plan.errors.retry_delay_max_ms / 1000, connector.keep_alive)
        self._tolerance = Tolerance(plan.errors, progress)
        self._chain: TransformChain[SourceRecord] = TransformChain(plan.transforms, self._retries, progress)
        self._encoder = RecordEncoder(plan.key_converter, plan.value_converter, plan.header_converter, self._retries)
        self._complaints = LogComplaints()
        self._slow_seconds = 0
        self._sender = _sender(spec, plan, self._complaints, self._log_is_slow, self._refused)
        self._offsets = OffsetWriter(
            spec.connector,
            spec.settings.offset_topic,
            lambda **options: kafka_clients.producer(spec.settings, kafka_clients.INTERNAL, **options),
            self._log_is_slow,
        )
        self._topics = SourceTopics(
            plan.topic_rules,
            enabled=spec.settings.topic_creation_enable,
            make_admin=lambda: kafka_clients.admin(spec.settings, plan.client_overrides.get("admin")),
        )
        self._readers = self._make_readers(spec)
        self._flush_seconds = spec.settings.offset_flush_interval_ms / 1000
        self._committed_at = self._sent_at = time.monotonic()
        self._idle_seconds = SHORTEST_IDLE_SECONDS
        self._log_backoff = self._retries.backoff()
        self._stop_seconds = 0.8 * spec.settings.task_shutdown_graceful_timeout_ms / 1000
        self._give_up_at: float | None = None

    def _make_readers(self, spec: TaskSpec) -> list[PartitionReader]:
        offsets: dict[bytes, Offset] = {partition_id(partition): offset for partition, offset in spec.offsets}
        return [
            PartitionReader(self._connector, partition, offsets.get(partition_id(partition)), self._retries.backoff())
            for partition in spec.partitions
        ]

    def run(self) -> None:
        """Until asked to stop. Raises TaskFailure or what nobody expected; FencedError if another owns this work now."""
        self._control.send(TaskStateChanged("PAUSED" if self._control.paused else "RUNNING"))
        try:
            while not self._control.stopping:
                self._turn_or_rewind()
            self._give_up_at = time.monotonic() + self._stop_seconds
            with suppress(Interrupted, DeliveryError):  # those records are read again by whoever comes next
                self._commit()
        except TaskFailure:
            self._give_up_at = time.monotonic() + LAST_FLUSH_SECONDS
            with suppress(Interrupted, DeliveryError):  # the more is durable now, the less comes twice after a restart
                self._make_durable()
            raise
        finally:
            for reader in self._readers:
                reader.close()

    def _turn_or_rewind(self) -> None:
        try:
            if self._control.paused:
                self._pause()
            else:
                self._turn()
        except Interrupted:
            for reader in self._readers:  # one may have lost a batch on the way
                reader.close()
        except DeliveryError as error:
            self._rewind(error)

    def _turn(self) -> None:
        """One round over all partitions, and a rest if there was nothing."""
        began = time.monotonic()
        moved = [self._serve(reader, began) for reader in self._readers]
        now = time.monotonic()
        self._commit_if_due(now)
        self._progress.publish()
        if any(moved):
            self._idle_seconds = SHORTEST_IDLE_SECONDS
            self._control.take_commands()
        elif now - began >= WAITED_SECONDS:
            self._control.take_commands()
        else:
            self._control.take_commands(self._idle_seconds)
            self._idle_seconds = min(self._idle_seconds * 2, LONGEST_IDLE_SECONDS)

    def _serve(self, reader: PartitionReader, now: float) -> bool:
        """Takes one batch all the way to the producer. False if there was none."""
        if reader.finished or reader.resume_at > now:
            return False
        try:
            records = reader.read()
        except Exception as error:  # noqa: BLE001 - the connector's; the error policy decides
            self._read_failed(reader, error)
            return False
        if reader.backoff.attempt:
            reader.backoff.reset()
            self._progress.recovered()
        for start in range(0, len(records), BATCH_RECORDS):
            self._send(reader.partition, records[start : start + BATCH_RECORDS])
        reader.sent = reader.taken
        return bool(records)

    def _send(self, partition: Partition, records: list[SourceRecord]) -> None:
        def skip(error: Exception, stage: Stage, record: SourceRecord) -> None:
            self._tolerance.skip_or_raise(error, stage, record, partition)

        records = self._chain.apply(records, skip)
        if not records:
            return
        encoded = self._encoder.encode(records, skip)
        self._retries.call(lambda: self._topics.ensure(encoded.topics), Stage.KAFKA_PRODUCE)
        self._sender.send(encoded)
        self._progress.uses(encoded.topics)
        self._progress.handled(len(encoded.records))
        self._sent_at = time.monotonic()

    def _read_failed(self, reader: PartitionReader, error: Exception) -> None:
        decided = verdict(error, Stage.TASK_POLL, retriable=self._connector.retriable)
        if decided is Verdict.STOP:
            raise error
        if decided is not Verdict.RETRY:
            place = f"{compact(dict(reader.partition))}{compact(reader.taken)}"
            raise TaskFailure(error, Stage.TASK_POLL, place) from error
        reader.close()
        reader.resume_at = time.monotonic() + self._retries.announce(error, Stage.TASK_POLL, reader.backoff)
        self._commit()

    def _commit_if_due(self, now: float) -> None:
        age = now - self._committed_at
        quiet = now - self._sent_at >= QUIET_SECONDS and age >= QUIET_SECONDS
        if age >= self._flush_seconds or (quiet and any(reader.sent != reader.durable for reader in self._readers)):
            self._commit()

    def _commit(self) -> None:
        """Makes durable what has been sent, then tells the connector."""
        self._make_durable()
        for reader in self._readers:
            if reader.durable is not None and reader.durable != reader.confirmed:
                self._confirm(reader, reader.durable)

    def _make_durable(self) -> None:
        self._sender.flush()
        changed = [(reader, reader.sent) for reader in self._readers if reader.sent is not None]
        changed = [(reader, offset) for reader, offset in changed if offset != reader.durable]
        if changed:
            self._offsets.write((reader.partition, offset) for reader, offset in changed)
        for reader, offset in changed:
            reader.durable = offset
        self._committed_at = time.monotonic()
        self._log_backoff.reset()
        if self._slow_seconds >= SLOW_SECONDS:
            self._progress.recovered()
            self._complaints.forget()
        self._slow_seconds = 0

    def _confirm(self, reader: PartitionReader, offset: Offset) -> None:
        try:
            self._connector.commit(reader.partition, offset)
        except Exception as error:  # noqa: BLE001 - the connector's; the error policy decides
            waiting = reader.resume_at > time.monotonic()
            if not waiting or verdict(error, Stage.TASK_POLL, retriable=self._connector.retriable) is not Verdict.RETRY:
                self._read_failed(reader, error)
        else:
            reader.confirmed = offset

    def _pause(self) -> None:
        self._commit()
        for reader in self._readers:
            reader.close()
        self._progress.publish(final=True)
        self._control.send(TaskStateChanged("PAUSED"))
        while self._control.paused and not self._control.stopping:
            self._control.take_commands(LONGEST_IDLE_SECONDS)
        if not self._control.stopping:
            self._control.send(TaskStateChanged("RUNNING"))

    def _rewind(self, error: DeliveryError) -> None:
        """The log refused records: for good, or because it was unwell, and then they are read again."""
        if verdict(error, Stage.KAFKA_PRODUCE) is not Verdict.RETRY:
            raise TaskFailure(error, Stage.KAFKA_PRODUCE, f"topic {error.topic}") from error
        self._sender.drop()
        self._topics.forget()
        resume_at = time.monotonic() + self._retries.announce(error, Stage.KAFKA_PRODUCE, self._log_backoff)
        for reader in self._readers:
            reader.rewind()
            reader.resume_at = resume_at
            reader.backoff.attempt += 1  # its next success clears what the status shows

    def _refused(self, error: DeliveryError) -> None:
        if verdict(error, Stage.KAFKA_PRODUCE) is Verdict.RETRY:
            raise error
        self._tolerance.skip_or_fail(error, Stage.KAFKA_PRODUCE, lambda: f"topic {error.topic}")

    def _log_is_slow(self) -> None:
        """About once a second while the log keeps us waiting."""
        if self._give_up_at is not None and time.monotonic() > self._give_up_at:
            raise Interrupted
        self._connector.keep_alive()
        self._slow_seconds += 1
        if self._slow_seconds >= SLOW_SECONDS:
            self._progress.retrying(f"{Stage.KAFKA_PRODUCE}: {self._complaints}", self._slow_seconds, 1.0)
        self._control.take_commands()
        self._progress.publish()


def partition_id(partition: Partition) -> bytes:
    """Equal for equal partitions, whatever the order of their keys."""
    return orjson.dumps(dict(partition), option=orjson.OPT_SORT_KEYS)


def _sender(
    spec: TaskSpec, plan: ConnectorPlan, complaints: LogComplaints, meanwhile: Callable[[], None], refused: Refused
) -> RecordSender:
    defaults = {"buffer.memory": str(BUFFER_BYTES), **spec.settings.client("producer")}
    overrides = {"buffer.memory": defaults["buffer.memory"], **plan.client_overrides.get("producer", {})}
    return RecordSender(
        lambda **options: kafka_clients.producer(spec.settings, overrides, error_cb=complaints.hear, **options),
        meanwhile,
        refused,
    )
