"""A sink's offset commits: one at a time, never waited for but at the end, and tried again."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import KafkaException

from connect.api import TopicPartition
from connect.runtime.tasks.error_policy import Stage, Verdict, verdict
from connect.runtime.tasks.failure_trace import TaskFailure
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.retries import Retries
from connect.runtime.tasks.sink_consumer import CommitBlocked, SinkConsumer
from connect.runtime.tasks.sink_positions import SinkPositions

NEVER = float("inf")
SERVE_SECONDS = 0.02


class SinkCommits:
    """Commits what SinkPositions says is due."""

    def __init__(self, consumer: SinkConsumer, retries: Retries, progress: Progress) -> None:
        self.again_at = NEVER
        """On the monotonic clock: when a commit that failed is due again."""
        self._consumer = consumer
        self._retries = retries
        self._progress = progress
        self._backoff = retries.backoff()
        self._positions = SinkPositions()
        self._under_way: Mapping[TopicPartition, int] | None = None

    def begin(self, committed: Mapping[TopicPartition, int | None]) -> None:
        """Where the group stands."""
        self._positions.begin(committed, time.monotonic())

    def start(self, handled: Mapping[TopicPartition, int], durable: Mapping[TopicPartition, int] | None) -> None:
        """Commits what is due, unless a commit is under way: then the next one takes it along."""
        if self._under_way is not None:
            return
        self.again_at = NEVER
        due = self._positions.due(handled, durable, time.monotonic())
        if due:
            self._under_way = due
            self._consumer.begin_commit(due)

    def settle(self) -> bool:
        """Takes up the outcome, if there is one. False while a commit is under way. Raises TaskFailure."""
        if self._under_way is None:
            return True
        try:
            if not self._consumer.commit_outcome():
                return False
        except (KafkaException, CommitBlocked) as error:
            if verdict(error, Stage.KAFKA_CONSUME) is not Verdict.RETRY:
                raise TaskFailure(error, Stage.KAFKA_CONSUME) from error
            self.again_at = time.monotonic() + self._retries.announce(error, Stage.KAFKA_CONSUME, self._backoff)
        else:
            self._positions.committed(self._under_way, time.monotonic())
            if self._backoff.attempt:
                self._backoff.reset()
                self._progress.recovered()
        self._under_way = None
        return True

    def wait(self, seconds: float) -> bool:
        """The same, at most that long. To be called with fetching paused."""
        deadline = time.monotonic() + seconds
        while not self.settle():
            if time.monotonic() > deadline:
                return False
            self._consumer.serve(SERVE_SECONDS)
        return True
