"""A sink task's view of the log: partitions dealt out by the leader, read by assign(), committed in ``connect-{name}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from connect.api import RetriableError, TopicPartition
from connect.runtime.tasks.error_policy import END_OF_PARTITION

BATCH_MESSAGES = 500  # larger batches fall out of the processor's cache: consume(5000) is slower than consume(500)
BATCHES = 4
TIMEOUT_SECONDS = 3.0
PING_SECONDS = 0.5


class CommitBlocked(RetriableError):
    """The group has ordinary members, so that nobody else may commit in it."""


class SinkConsumer:
    """Reads messages and commits offsets. Offsets are always the next one to read."""

    def __init__(self, make: Callable[..., Consumer], group: str, partitions: Iterable[TopicPartition]) -> None:
        self._consumer = make(on_commit=self._committed)
        self._early: list[Message] = []
        self._outcome: list[KafkaError | None] | None = None
        self._group = group
        self._partitions = [KafkaPartition(topic, partition) for topic, partition in partitions]

    def assign(self) -> dict[TopicPartition, int | None]:
        """Starts reading at the committed offsets, or where auto.offset.reset says; gives the committed ones."""
        committed = self._consumer.committed(self._partitions, timeout=TIMEOUT_SECONDS) if self._partitions else []
        for found in committed:
            if found.error is not None:
                raise KafkaException(found.error)
        self._consumer.assign([KafkaPartition(at.topic, at.partition, at.offset) for at in committed])
        return {TopicPartition(at.topic, at.partition): at.offset if at.offset >= 0 else None for at in committed}

    def read(self, timeout_seconds: float) -> list[Message]:
        """Some messages, none after the timeout. Raises KafkaException for what the log has to complain of."""
        if self._early:
            early, self._early = self._early, []
            return self._checked(early)
        first = self._consumer.poll(timeout_seconds)
        if first is None:
            return []
        # consume(n, t) waits out t unless n messages came; after a poll() there is no need to wait.
        messages = [first]
        for _ in range(BATCHES):
            more = self._consumer.consume(BATCH_MESSAGES - (len(messages) == 1), 0)
            messages += more
            if len(more) < BATCH_MESSAGES - 1:
                break
        return self._checked(messages)

    def _checked(self, messages: list[Message]) -> list[Message]:
        good = [message for message in messages if message.error() is None]
        if len(good) == len(messages):
            return messages
        if good:
            return good  # the log repeats what it complains of
        for message in messages:
            error = message.error()
            if error is not None and error.code() != END_OF_PARTITION:
                raise KafkaException(error)
        return good

    def positions(self, in_hand: Sequence[Message] = ()) -> dict[TopicPartition, int]:
        """How far each partition has been read; no further than the messages that are still in hand."""
        found = self._consumer.position(self._partitions) if self._partitions else []
        positions = {TopicPartition(at.topic, at.partition): at.offset for at in found if at.offset >= 0}
        for message in reversed([*in_hand, *self._early]):
            positions[TopicPartition(message.topic(), message.partition())] = message.offset()  # type: ignore[arg-type,assignment]
        return positions

    def begin_commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Sends a commit; :meth:`commit_outcome` has its end. A commit that waits would hang while the log is away."""
        self._outcome = None
        positions = [KafkaPartition(at.topic, at.partition, offset) for at, offset in offsets.items()]
        self._consumer.commit(offsets=positions, asynchronous=True)

    def commit_outcome(self) -> bool:
        """Whether the commit has ended well; False: not yet. Raises KafkaException, or CommitBlocked (members in the group)."""
        if self._outcome is None:
            return False
        errors = [error for error in self._outcome if error is not None]
        if not errors:
            return True
        problem = KafkaException(errors[0])
        if errors[0].code() in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION):
            raise CommitBlocked(
                f"offsets cannot be committed while an ordinary consumer is a member of group {self._group} (a JVM "
                "worker that runs this connector, or somebody's console consumer): stop it"
            ) from problem
        raise problem

    def _committed(self, error: KafkaError | None, partitions: Sequence[KafkaPartition]) -> None:
        self._outcome = [error, *(at.error for at in partitions)]

    def serve(self, timeout_seconds: float) -> None:
        """Hears what the log has to say, outcomes of commits above all; keeps a message that comes along for read()."""
        message = self._consumer.poll(timeout_seconds)
        if message is not None:
            self._early.append(message)

    def ping(self) -> None:
        """Raises KafkaException unless the log answers."""
        self._consumer.list_topics(next((at.topic for at in self._partitions), None), timeout=PING_SECONDS)

    def pause(self) -> None:
        """Fetches no more."""
        self._consumer.pause(self._partitions)

    def resume(self) -> None:
        """Fetches again."""
        self._consumer.resume(self._partitions)

    def close(self) -> None:
        """Gives the connections back."""
        self._consumer.close()
