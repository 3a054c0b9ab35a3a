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
from connect.runtime.plan.connector_plan import ConnectorPlan
from connect.runtime.tasks.control import Control, Interrupted
from connect.runtime.tasks.error_policy import Stage
from connect.runtime.tasks.failure_trace import TaskFailure, coordinates
from connect.runtime.tasks.log_complaints import LogComplaints
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.record_decoder import RecordDecoder
from connect.runtime.tasks.retries import Retries
from connect.runtime.tasks.sink_commits import SinkCommits
from connect.runtime.tasks.sink_consumer import SinkConsumer
from connect.runtime.tasks.task import TaskSpec, TaskStateChanged
from connect.runtime.tasks.tolerance import Tolerance
from connect.runtime.tasks.transform_chain import TransformChain
from connect.service import kafka_clients

POLL_SECONDS = 0.1
TICK_SECONDS = 1.0
PAUSED_SECONDS = 0.25

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
        self._complaints = LogComplaints()
        overrides = plan.client_overrides.get("consumer")
        make = partial(kafka_clients.consumer, spec.settings, group, overrides, error_cb=self._complaints.hear)
        self._consumer = SinkConsumer(make, group, partitions)
        self._in_hand: list[Message] = []
        self._flush_seconds = spec.settings.offset_flush_interval_ms / 1000
        self._flushed_at = self._ticked_at = time.monotonic()
        self._commits = SinkCommits(self._consumer, self._retries, progress)
        self._settle_seconds = 0.4 * spec.settings.task_shutdown_graceful_timeout_ms / 1000
        self._read_backoff = self._retries.backoff()

    def run(self) -> None:
        """Until asked to stop. Raises TaskFailure or what nobody expected; FencedError if another owns this work now."""
        if not self._begin():
            return
        while not self._control.stopping:
            with suppress(Interrupted):
                self._turn()
        if self._leave_off():
            self._consumer.close()  # else it would wait for the log, which is away

    def _begin(self) -> bool:
        """Takes the partitions up. False if the task was asked to stop before it could."""
        while not self._control.stopping:
            with suppress(Interrupted):
                committed = self._retries.call(self._consumer.assign, Stage.KAFKA_CONSUME)
                self._commits.begin(committed)
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
        self._commits.settle()
        now = time.monotonic()
        if now - self._ticked_at >= TICK_SECONDS:
            self._ticked_at = now
            self._put(self._connector.tick)
            if self._complaints.newest:
                self._look_for_the_log()
        if now - self._flushed_at >= self._flush_seconds or now >= self._commits.again_at:
            self._flush_and_commit()

    def _look_for_the_log(self) -> None:
        """Librdkafka has complained of it and reconnects by itself; the status says so until it answers."""
        try:
            self._consumer.ping()
        except KafkaException:
            self._read_backoff.attempt += 1
            self._progress.retrying(f"{Stage.KAFKA_CONSUME}: {self._complaints}", self._read_backoff.attempt, TICK_SECONDS)
        else:
            self._complaints.forget()
            self._read_backoff.reset()
            self._progress.recovered()

    def _flush_and_commit(self) -> None:
        """Has the connector make durable what it can, then begins to commit that far."""
        handled = self._consumer.positions(self._in_hand)
        durable = self._put(self._connector.flush)
        self._flushed_at = time.monotonic()
        self._commits.start(handled, durable)

    def _leave_off(self) -> bool:
        """Fetches no more, and flushes and commits what was handled. False if the log did not confirm it in time."""
        self._consumer.pause()
        if not self._commits.wait(self._settle_seconds):
            return False
        with suppress(Interrupted):  # what could not be flushed is not committed either
            self._flush_and_commit()
        return self._commits.wait(self._settle_seconds)

    def _pause(self) -> None:
        self._leave_off()
        self._progress.publish(final=True)
        self._control.send(TaskStateChanged("PAUSED"))
        self._wait_out_pause()
        if not self._control.stopping:
            self._consumer.resume()
            self._control.send(TaskStateChanged("RUNNING"))

    def _wait_out_pause(self) -> None:
        while self._control.paused and not self._control.stopping:
            self._control.take_commands(PAUSED_SECONDS)
            self._consumer.serve(0)
            self._commits.settle()
            self._commits.start({}, None)  # nothing new; but the group must not forget a pause of weeks


def _span(records: list[SinkRecord]) -> str:
    """``orders-3@17`` to ``orders-3@2016``: where the batch lies."""
    first, last = coordinates(records[0]), coordinates(records[-1])
    return first if first == last else f"{first} to {last}"
