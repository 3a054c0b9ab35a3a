"""One source partition being read: its generator, and how far it has come. Pure but for the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from connect.api import Checkpoint, Offset, Partition, SourceConnector, SourceRecord
from connect.runtime.backoff import Backoff

BATCH_RECORDS = 2_000
# Records that come one by one are gathered for so long at most: a step of the generator may take a second.
GATHER_SECONDS = 0.02

_logger = logging.getLogger(__name__)
Step = SourceRecord | list[SourceRecord] | Checkpoint | None


class PartitionReader:
    """Reads batches and keeps four offsets, each behind the one before.

    ``taken``: the batch last read ends there. ``sent``: those records are on their way to the log; reading resumes from
    here. ``durable``: records and offset are in the log. ``confirmed``: the connector's commit() has been told.
    """

    def __init__(self, connector: SourceConnector[Any], partition: Partition, offset: Offset | None, backoff: Backoff) -> None:
        self.partition = partition
        self.backoff = backoff
        self.taken = self.sent = self.durable = self.confirmed = offset
        self.finished = False
        self.resume_at = 0.0
        """On the monotonic clock: not to be read before."""
        self._connector = connector
        self._steps: Iterator[Step] | None = None
        self._held_back: Exception | None = None

    def read(self, clock: Any = time.monotonic) -> list[SourceRecord]:
        """The next records; none if there are none now. An error comes up once the records before it have been taken."""
        if self._held_back is not None:
            error, self._held_back = self._held_back, None
            raise error
        records: list[SourceRecord] = []
        try:
            self._gather(records, clock)
        except Exception as error:
            if not records:
                raise
            self._held_back = error
        return records

    def _gather(self, records: list[SourceRecord], clock: Any) -> None:
        if self._steps is None:
            self._steps = iter(self._connector.read(self.partition, self.sent))
        deadline = clock() + GATHER_SECONDS
        since_checkpoint = 0
        try:
            for step in self._steps:
                if not step:
                    return
                kind = type(step)
                if kind is SourceRecord:
                    records.append(step)  # type: ignore[arg-type]
                elif kind is list:
                    records += step  # type: ignore[arg-type]
                elif kind is Checkpoint:
                    self.taken = step.offset  # type: ignore[union-attr]
                    since_checkpoint = len(records)
                else:
                    raise TypeError(f"read() yields SourceRecord, a list of them, Checkpoint or None, not {kind.__name__}")
                if len(records) >= BATCH_RECORDS or clock() >= deadline:
                    return
            self.finished = True
        finally:
            last = next((item.offset for item in reversed(records[since_checkpoint:]) if item.offset is not None), None)
            if last is not None:
                self.taken = last

    def close(self) -> None:
        """Gives the generator up; the next read() begins a new one from ``sent``."""
        steps, self._steps = self._steps, None
        self._held_back = None
        self.finished = False
        self.taken = self.sent
        if steps is None:
            return
        try:
            steps.close()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - a plugin's clean-up; what was read before stands
            _logger.warning("Closing the read of %s failed: %s: %s", dict(self.partition), type(error).__name__, error)

    def rewind(self) -> None:
        """Back to what the log is known to hold."""
        self.sent = self.durable
        self.close()
