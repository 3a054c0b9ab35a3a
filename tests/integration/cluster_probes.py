"""What the cluster tests look at: the records in a topic as a plain consumer sees them, and the life of each task."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError

SOURCE = "tests.connect.runtime.tasks.task_samples:CountingSource"


def counting(topic: str, journal: Path | None = None, tasks: int = 1, **more: str) -> dict[str, str]:
    """A source that counts for ever, a hundred records a second from each task."""
    config = {
        "connector.class": SOURCE,
        "tasks.max": str(tasks),
        "partition.count": str(tasks),
        "topic": topic,
        "delay.ms": "10",
        "journal": str(journal or ""),
    }
    return {**config, **{key.replace("_", "."): value for key, value in more.items()}}


@dataclass
class Beginnings:
    """How often tasks began to read, by the journal that they keep."""

    journal: Path

    def __len__(self) -> int:
        return len(self.lines("read"))

    def lines(self, kind: str) -> list[Any]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line for line in map(json.loads, lines) if line[0] == kind]


class Numbers:
    """Follows a topic into which a CountingSource of one task writes."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.seen: list[int] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"watch-{topic}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "topic.metadata.refresh.interval.ms": 200,
                "allow.auto.create.topics": False,
            }
        )
        self._consumer.subscribe([topic])

    def read_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def wait_beyond(self, number: int, timeout_seconds: float) -> float:
        """Seconds until a record beyond ``number`` has arrived."""
        begun = time.monotonic()
        while max(self.seen, default=-1) <= number:
            waited = time.monotonic() - begun
            assert waited < timeout_seconds, f"no record beyond {number} in {waited:.1f} s; {len(self.seen)} so far"
            self._read(0.2)
        return time.monotonic() - begun

    def _read(self, timeout_seconds: float) -> None:
        message = self._consumer.poll(min(timeout_seconds, 0.2))
        for each in [message, *self._consumer.consume(500, 0)] if message else []:
            error = each.error()
            if error is None:
                self.seen.append(json.loads(each.value() or b"null")["n"])
            else:
                assert error.retriable() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART, error

    @property
    def newest(self) -> int:
        return max(self.seen, default=-1)

    @property
    def missing(self) -> set[int]:
        """Numbers that never came although greater ones did."""
        return set(range(self.newest)) - set(self.seen)

    def close(self) -> None:
        self._consumer.close()


def wait_until(condition: Callable[[], Any], timeout_seconds: float, what: str) -> Any:
    """What ``condition`` gives once it is true."""
    deadline = time.monotonic() + timeout_seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_seconds} s: {what}"
        time.sleep(0.05)
    return result
