"""Which consumer offsets a sink may commit. Pure: the time is passed in (seconds, any clock that does not go back)."""

from __future__ import annotations

from collections.abc import Mapping

from connect.api import TopicPartition

# A group without members forgets an offset some days after its own last commit: say it again in good time.
RECOMMIT_SECONDS = 3600.0


class SinkPositions:
    """What has been committed, and what is to be committed next. Offsets are the next one to read."""

    def __init__(self) -> None:
        self._committed: dict[TopicPartition, int] = {}
        self._committed_at = 0.0

    def begin(self, committed: Mapping[TopicPartition, int | None], now_seconds: float) -> None:
        """Where the group stands as the task begins."""
        self._committed = {at: offset for at, offset in committed.items() if offset is not None}
        self._committed_at = now_seconds

    def due(
        self, handled: Mapping[TopicPartition, int], durable: Mapping[TopicPartition, int] | None, now_seconds: float
    ) -> dict[TopicPartition, int]:
        """What to commit: what was handled, but no more than what flush() returned, and never backwards.

        A partition that flush() leaves out of its answer is not committed: too little is repeated, too much is lost.
        """
        allowed = handled if durable is None else {at: min(durable[at], end) for at, end in handled.items() if at in durable}
        due = {at: offset for at, offset in allowed.items() if offset > self._committed.get(at, -1)}
        if not due and now_seconds - self._committed_at >= RECOMMIT_SECONDS:
            return dict(self._committed)
        return due

    def committed(self, offsets: Mapping[TopicPartition, int], now_seconds: float) -> None:
        """These are in the log."""
        self._committed.update(offsets)
        self._committed_at = now_seconds
