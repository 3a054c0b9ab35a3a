"""What to do about an error: one pure function.

The class of the error decides, with the stage at which it came up and ``errors.tolerance``. Stages have Kafka Connect's
names (``org.apache.kafka.connect.runtime.errors.Stage``), since dead letters carry them.
"""

# ruff: noqa: SLF001 - librdkafka's own error codes begin with an underscore
from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import Literal

from confluent_kafka import KafkaError, KafkaException

from connect.api import ConfigError, DataError, FencedError, RetriableError


class Stage(StrEnum):
    """Where in a task a record was."""

    TASK_POLL = "TASK_POLL"
    TRANSFORMATION = "TRANSFORMATION"
    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    HEADER_CONVERTER = "HEADER_CONVERTER"
    KAFKA_PRODUCE = "KAFKA_PRODUCE"
    KAFKA_CONSUME = "KAFKA_CONSUME"
    TASK_PUT = "TASK_PUT"


class Verdict(Enum):
    """RETRY later, SKIP the record, FAIL the task, or STOP quietly since another owner has taken over."""

    RETRY = "retry"
    SKIP = "skip"
    FAIL = "fail"
    STOP = "stop"


# Each record is handled by itself here, so any error is that record's.
_RECORD_STAGES = frozenset(
    {Stage.TRANSFORMATION, Stage.KEY_CONVERTER, Stage.VALUE_CONVERTER, Stage.HEADER_CONVERTER, Stage.KAFKA_PRODUCE}
)

# librdkafka sets KafkaError.retriable() for its transactional calls only.
_TRANSIENT = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._WAIT_COORD,
        KafkaError._NO_OFFSET,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
        # An ordinary member sits in the sink's group; nothing can be committed until it has left.
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
    }
)

PURGED = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
UNREACHABLE = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})
END_OF_PARTITION: int = KafkaError._PARTITION_EOF

_RECORDS_FAULT = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG, KafkaError.INVALID_MSG_SIZE}
)


class DeliveryError(Exception):
    """The log refused a record for good, which its producer learned some time after sending it."""

    def __init__(self, error: KafkaError, topic: str, key: bytes | None = None) -> None:
        of_key = "" if key is None else f" with key {key[:200]!r}"
        super().__init__(f"the log refused a record for topic {topic}{of_key}: {error.str()} ({error.name()})")
        self.error = error
        self.topic = topic


def kafka_error(error: BaseException) -> KafkaError | None:
    """The Kafka error inside, if it is one."""
    if isinstance(error, DeliveryError):
        return error.error
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        return error.args[0]
    return None


def is_transient(error: KafkaError) -> bool:
    """Whether the log may be well again soon."""
    return not error.fatal() and (bool(error.retriable()) or error.code() in _TRANSIENT)


def verdict(
    error: BaseException,
    stage: Stage,
    *,
    tolerance: Literal["none", "all"] = "none",
    retriable: Sequence[type[BaseException]] = (),
) -> Verdict:
    """``retriable`` are the connector's own (``Connector.retriable``); they count where the connector was called."""
    if isinstance(error, FencedError):
        return Verdict.STOP
    if isinstance(error, ConfigError):
        return Verdict.FAIL
    own = tuple(retriable) if stage in (Stage.TASK_POLL, Stage.TASK_PUT) else ()
    if isinstance(error, (RetriableError, *own)):
        return Verdict.RETRY
    kafka = kafka_error(error)
    if kafka is not None and is_transient(kafka):
        return Verdict.RETRY
    if tolerance == "all" and _is_one_records(error, kafka, stage):
        return Verdict.SKIP
    return Verdict.FAIL


def _is_one_records(error: BaseException, kafka: KafkaError | None, stage: Stage) -> bool:
    if kafka is not None:
        return kafka.code() in _RECORDS_FAULT
    if stage is Stage.TASK_PUT:
        return isinstance(error, DataError) and error.index is not None
    return stage in _RECORD_STAGES
