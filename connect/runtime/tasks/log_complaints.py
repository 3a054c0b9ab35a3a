"""What librdkafka says of a log that is away. It reconnects by itself; a person wants to know."""

from __future__ import annotations

from confluent_kafka import KafkaError

from connect.runtime.tasks.error_policy import UNREACHABLE


class LogComplaints:
    """The newest complaint of a task's clients; :meth:`hear` is their ``error_cb``."""

    def __init__(self) -> None:
        self.newest: str | None = None

    def hear(self, error: KafkaError) -> None:
        if error.code() in UNREACHABLE:
            self.newest = error.str()

    def forget(self) -> None:
        """The log answers again."""
        self.newest = None

    def __str__(self) -> str:
        return f"the log does not answer ({self.newest})" if self.newest else "the log is slow"
