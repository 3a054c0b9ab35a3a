from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from connect.api import ConfigError, ConnectError, DataError, FencedError, RetriableError
from connect.runtime.tasks.error_policy import DeliveryError, Stage, Verdict, verdict

POLL, PUT = Stage.TASK_POLL, Stage.TASK_PUT
KEY, VALUE, HEADER, TRANSFORM = Stage.KEY_CONVERTER, Stage.VALUE_CONVERTER, Stage.HEADER_CONVERTER, Stage.TRANSFORMATION
PRODUCE, CONSUME = Stage.KAFKA_PRODUCE, Stage.KAFKA_CONSUME
RETRY, SKIP, FAIL, STOP = Verdict.RETRY, Verdict.SKIP, Verdict.FAIL, Verdict.STOP

AWAY = KafkaException(KafkaError(KafkaError._TRANSPORT))
DENIED = KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
FATAL = KafkaException(KafkaError(KafkaError._TRANSPORT, "gone", True))
TOO_LARGE = DeliveryError(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), "t")
NO_TOPIC = DeliveryError(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "t")

TABLE = [
    # error, stage, with errors.tolerance=none, with all
    (FencedError(), POLL, STOP, STOP),
    (FencedError(), PUT, STOP, STOP),
    (FencedError(), VALUE, STOP, STOP),
    (ConfigError("x", "key"), POLL, FAIL, FAIL),
    (ConfigError("x", "key"), TRANSFORM, FAIL, FAIL),
    (RetriableError(), POLL, RETRY, RETRY),
    (RetriableError(), PUT, RETRY, RETRY),
    (RetriableError(), VALUE, RETRY, RETRY),
    (RetriableError(), TRANSFORM, RETRY, RETRY),
    (TimeoutError(), POLL, RETRY, RETRY),  # the connector calls it retriable
    (TimeoutError(), PUT, RETRY, RETRY),
    (TimeoutError(), TRANSFORM, FAIL, SKIP),  # a transform does not
    (DataError("x", 3), KEY, FAIL, SKIP),
    (DataError("x", 3), VALUE, FAIL, SKIP),
    (DataError("x", 3), HEADER, FAIL, SKIP),
    (DataError("x", 3), TRANSFORM, FAIL, SKIP),
    (DataError("x", 3), PUT, FAIL, SKIP),
    (DataError("x"), PUT, FAIL, FAIL),  # which of them?
    (DataError("x"), POLL, FAIL, FAIL),
    (KeyError("x"), TRANSFORM, FAIL, SKIP),
    (KeyError("x"), PUT, FAIL, FAIL),
    (KeyError("x"), POLL, FAIL, FAIL),
    (ConnectError("x"), PUT, FAIL, FAIL),
    (AWAY, CONSUME, RETRY, RETRY),
    (AWAY, PRODUCE, RETRY, RETRY),
    (FATAL, CONSUME, FAIL, FAIL),
    (DENIED, PRODUCE, FAIL, FAIL),
    (NO_TOPIC, PRODUCE, RETRY, RETRY),
    (TOO_LARGE, PRODUCE, FAIL, SKIP),
]


@pytest.mark.parametrize(
    ("error", "stage", "none", "all_"), TABLE, ids=lambda value: getattr(value, "name", type(value).__name__)
)
def test_the_table(error: Exception, stage: Stage, none: Verdict, all_: Verdict) -> None:
    assert verdict(error, stage, tolerance="none", retriable=(TimeoutError,)) is none
    assert verdict(error, stage, tolerance="all", retriable=(TimeoutError,)) is all_
