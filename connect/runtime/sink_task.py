"""The loop of a sink task: consume, convert, transform, write, and now and then flush and commit.

At least once: consumer offsets are committed only up to what the connector's flush() says is durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import KafkaException, Message

from connect.api import DataError, FencedError, SinkConnector, SinkRecord, TopicPartition
from connect.runtime.connector_plan import ConnectorPlan
from connect.runtime.control import Control, Interrupted
from connect.runtime.error_policy import Stage, Verdict, verdict
from connect.runtime.failure_trace import TaskFailure, coordinates
from connect.runtime.progress import Progress
from connect.runtime.record_decoder import RecordDecoder
from connect.runtime.retries import Retries
from connect.runtime.sink_consumer import CommitBlocked, SinkConsumer
from connect.runtime.sink_positions import SinkPositions
from connect.runtime.task import TaskSpec, TaskStateChanged
from connect.runtime.tolerance import Tolerance
from connect.runtime.transform_chain import TransformChain
from connect.service import kafka_clients

POLL_SECONDS = 0.1
TICK_SECONDS = 1.0
PAUSED_SECONDS = 0.25
NEVER = float("inf")

T = TypeVar("T")


class SinkTask:
    """One sink connector instance and the partitions dealt to it."""

    def __init__(
        self, spec: TaskSpec, plan: ConnectorPlan, connector: SinkConnector[Any], control: Control, progress: Progress
    ) -> None:
        self._connector = connector
        self._control = control
        self._progress = progress
        self._retries = Retries(control, progress, plan.errors.retry_delay_max_ms / 1000)
        self._tolerance = Tolerance(plan.errors, progress)
        self._chain: TransformChain[SinkRecord] = TransformChain(plan.transforms, self._retries, progress)
        self._decoder = RecordDecoder(plan.key_converter, plan.value_converter, plan.header_converter, self._retries)
        group = f"connect-{spec.connector}"
        partitions = [TopicPartition(topic, partition) for topic, partition in spec.partitions]
        consumer = kafka_clients.consumer(spec.settings, group, plan.client_overrides.get("consumer"))
        self._consumer = SinkConsumer(consumer, group, partitions)
        self._positions = SinkPositions()
        self._in_hand: list[Message] = []
        self._flush_seconds = spec.settings.offset_flush_interval_ms / 1000
        self._flushed_at = self._ticked_at = time.monotonic()
        self._commit_again_at = NEVER
        self._commit_backoff = self._retries.backoff()
        self._read_backoff = self._retries.backoff()

    def run(self) -> None:
        """Until asked to stop. Raises TaskFailure or what nobody expected; FencedError if another owns this work now."""
        try:
            if self._begin():
                while not self._control.stopping:
                    with suppress(Interrupted):
                        self._turn()
                with suppress(Interrupted):
                    self._flush_and_commit()
        finally:
            self._consumer.close()

    def _begin(self) -> bool:
        """Takes the partitions up. False if the task was asked to stop before it could."""
        while not self._control.stopping:
            with suppress(Interrupted):
                committed = self._retries.call(self._consumer.assign, Stage.KAFKA_CONSUME)
                self._positions.begin(committed, time.monotonic())
                self._put(partial(self._connector.assigned, committed))
                self._progress.uses({at.topic for at in committed})
                self._control.send(TaskStateChanged("PAUSED" if self._control.paused else "RUNNING"))
                return True
            self._wait_out_pause()
        return False

    def _turn(self) -> None:
        if self._control.paused:
            self._pause()
            return
        if not self._in_hand:
            self._in_hand = self._read()
        if self._in_hand:
            self._handle(self._in_hand)
            self._in_hand = []
        self._keep_time()
        self._progress.publish()
        self._control.take_commands()

    def _read(self) -> list[Message]:
        try:
            messages = self._consumer.read(POLL_SECONDS)
        except KafkaException as error:
            if error.args[0].fatal():
                raise TaskFailure(error, Stage.KAFKA_CONSUME) from error
            # librdkafka goes on by itself; the status says why nothing comes.
            self._retries.pause(error, Stage.KAFKA_CONSUME, self._read_backoff)
            return []
        if messages and self._read_backoff.attempt:
            self._read_backoff.reset()
            self._progress.recovered()
        return messages

    def _handle(self, messages: list[Message]) -> None:
        records = self._decoder.decode(messages, self._skip_message)
        records = self._chain.apply(records, self._tolerance.skip_or_raise)
        while records:
            try:
                self._put(partial(self._connector.write, records), _span(records))
            except TaskFailure as failure:
                records = self._without_culprit(records, failure)
            else:
                self._progress.handled(len(records))
                return

    def _without_culprit(self, records: list[SinkRecord], failure: TaskFailure) -> list[SinkRecord]:
        """The batch again, less the record that cannot be written. Raises where no such record may be skipped."""
        error = failure.error
        if not isinstance(error, DataError) or error.index is None or not 0 <= error.index < len(records):
            raise failure
        self._tolerance.skip_or_raise(error, Stage.TASK_PUT, records[error.index])
        return records[: error.index] + records[error.index + 1 :]

    def _skip_message(self, error: Exception, stage: Stage, message: Message) -> None:
        self._tolerance.skip_or_fail(error, stage, lambda: f"{message.topic()}-{message.partition()}@{message.offset()}")

    def _put(self, call: Callable[[], T], where: str = "") -> T:
        """Calls the connector until it does not ask for another try. Raises TaskFailure, FencedError or Interrupted."""
        try:
            return self._retries.call(call, Stage.TASK_PUT, self._connector.retriable)
        except (FencedError, Interrupted):
            raise
        except Exception as error:
            raise TaskFailure(error, Stage.TASK_PUT, where) from error

    def _keep_time(self) -> None:
        now = time.monotonic()
        if now - self._ticked_at >= TICK_SECONDS:
            self._ticked_at = now
            self._put(self._connector.tick)
        if now - self._flushed_at >= self._flush_seconds or now >= self._commit_again_at:
            self._flush_and_commit()

    def _flush_and_commit(self) -> None:
        """Has the connector make durable what it can, then commits that far. A commit that fails is tried again later."""
        handled = self._consumer.positions(self._in_hand)
        durable = self._put(self._connector.flush)
        self._flushed_at = now = time.monotonic()
        self._commit_again_at = NEVER
        due = self._positions.due(handled, durable, now)
        if not due:
            return
        try:
            self._consumer.commit(due)
        except (KafkaException, CommitBlocked) as error:
            if verdict(error, Stage.KAFKA_CONSUME) is not Verdict.RETRY:
                raise TaskFailure(error, Stage.KAFKA_CONSUME) from error
            self._commit_again_at = now + self._retries.announce(error, Stage.KAFKA_CONSUME, self._commit_backoff)
            return
        self._positions.committed(due, now)
        if self._commit_backoff.attempt:
            self._commit_backoff.reset()
            self._progress.recovered()

    def _pause(self) -> None:
        with suppress(Interrupted):  # what could not be flushed is not committed either
            self._flush_and_commit()
        self._consumer.pause()
        self._progress.publish(final=True)
        self._control.send(TaskStateChanged("PAUSED"))
        self._wait_out_pause()
        if not self._control.stopping:
            self._consumer.resume()
            self._control.send(TaskStateChanged("RUNNING"))

    def _wait_out_pause(self) -> None:
        while self._control.paused and not self._control.stopping:
            self._control.take_commands(PAUSED_SECONDS)


def _span(records: list[SinkRecord]) -> str:
    """``orders-3@17`` to ``orders-3@2016``: where the batch lies."""
    first, last = coordinates(records[0]), coordinates(records[-1])
    return first if first == last else f"{first} to {last}"
