"""Transformations in the order of ``transforms``, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from connect.api import Failure, Record, SinkRecord, SourceRecord, Transformation
from connect.runtime.tasks.error_policy import Stage, Verdict, verdict
from connect.runtime.tasks.progress import Progress
from connect.runtime.tasks.retries import Retries

R = TypeVar("R", SourceRecord, SinkRecord)
OnFailure = Callable[[Exception, Stage, R], None]
"""Takes note of a record that is to be skipped, or raises."""


class TransformChain(Generic[R]):
    """Applies each transformation to whole batches; a failed record is retried, skipped or the end, by the error policy."""

    def __init__(self, transforms: Sequence[Transformation[Any]], retries: Retries, progress: Progress) -> None:
        self._transforms = tuple(transforms)
        self._retries = retries
        self._progress = progress

    def apply(self, records: list[R], on_failure: OnFailure[R]) -> list[R]:
        """The records to go on with, in order; those dropped on purpose are counted as filtered."""
        for transform in self._transforms:
            if not records:
                break
            records = self._step(transform, records, on_failure)
        return records

    def _step(self, transform: Transformation[Any], records: list[R], on_failure: OnFailure[R]) -> list[R]:
        results = transform.transform_batch(cast("list[Record]", records))
        if len(results) != len(records):
            raise TypeError(
                f"{type(transform).__name__}.transform_batch() returned {len(results)} results for {len(records)} records"
            )
        if not any(result is None or type(result) is Failure for result in results):
            return cast("list[R]", results)
        kept: list[R] = []
        for record, result in zip(records, results, strict=True):
            outcome = self._again(transform, record, result) if type(result) is Failure else result
            if type(outcome) is Failure:
                on_failure(outcome.error, Stage.TRANSFORMATION, record)
            elif outcome is None:
                self._progress.filtered += 1
            else:
                kept.append(cast("R", outcome))
        return kept

    def _again(self, transform: Transformation[Any], record: R, failure: Failure) -> Record | Failure | None:
        """One that failed for a passing reason is tried by itself until it does not."""
        backoff = self._retries.backoff()
        outcome: Record | Failure | None = failure
        while type(outcome) is Failure and verdict(outcome.error, Stage.TRANSFORMATION) is Verdict.RETRY:
            self._retries.pause(outcome.error, Stage.TRANSFORMATION, backoff)
            outcome = transform.transform_batch([record])[0]
        if backoff.attempt:
            self._progress.recovered()
        return outcome
