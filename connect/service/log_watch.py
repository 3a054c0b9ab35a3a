"""Says when the log goes away and when it is back: one line each, whatever number of clients notice it."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from connect.service import client_logs, kafka_clients
from connect.service.kafka_clients import INTERNAL
from connect.service.settings import WorkerSettings

_logger = logging.getLogger(__name__)
_QUESTION_SECONDS = 2.0
_PAUSE_SECONDS = 0.2
# The log answers, and still a client complains: of a broker that is away while others serve, or of an advertised address
# that cannot be reached from here. That is said once it has lasted, and again after a while.
_LASTING_SECONDS = 5.0
_SAME_TROUBLE_SECONDS = 120.0
_SAY_AGAIN_SECONDS = 600.0
_REASONS = 100


class LogWatch:
    """Hears what clients complain of, asks the log itself, and says what it finds. One for a process.

    ``answers`` asks the log once, and takes two seconds at most.
    """

    def __init__(
        self,
        brokers: str,
        answers: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._brokers = brokers
        self._answers = answers
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._troubles: dict[str, tuple[float, float, float]] = {}  # reason: first and last heard, last said
        self._thread = threading.Thread(target=self._run, name="log-watch", daemon=True)

    def start(self) -> None:
        client_logs.complaints.listener = self.hear
        self._thread.start()

    def stop(self) -> None:
        client_logs.complaints.listener = None
        self._stopping.set()
        self._heard.put(None)
        self._thread.join(_QUESTION_SECONDS + 1)

    def hear(self, reason: str) -> None:
        """A client got no answer. Any thread; takes no time."""
        self._heard.put(reason)

    def _run(self) -> None:
        while (reason := self._heard.get()) is not None and not self._stopping.is_set():
            if self._answers():
                self._weigh(reason)
            else:
                self._wait_for_log(reason)

    def _wait_for_log(self, reason: str) -> None:
        begun = self._clock()
        _logger.warning("The log at %s does not answer (%s); trying again.", self._brokers, reason)
        while not self._answers():
            if self._stopping.wait(self._pause_seconds):
                return
        while not self._heard.empty() and not self._stopping.is_set():
            self._heard.get()  # of the time before
        self._troubles.clear()
        _logger.info("The log at %s answers again, after %.1f s.", self._brokers, self._clock() - begun)

    def _weigh(self, reason: str) -> None:
        now = self._clock()
        if len(self._troubles) > _REASONS:
            self._troubles.clear()
        first, last, said = self._troubles.get(reason, (now, now, -math.inf))
        if now - last > _SAME_TROUBLE_SECONDS:
            first = now  # it comes and goes
        if now - first >= _LASTING_SECONDS and now - said >= _SAY_AGAIN_SECONDS:
            _logger.warning("The log at %s answers, but not to every client: %s. Trying again.", self._brokers, reason)
            said = now
        self._troubles[reason] = first, now, said


def log_watch(settings: WorkerSettings) -> LogWatch:
    """One that asks the brokers of ``settings``, each time with a client of its own, as a newcomer would."""

    def answers() -> bool:
        client = kafka_clients.admin(settings, INTERNAL)
        try:
            client.describe_cluster(request_timeout=_QUESTION_SECONDS).result()
        except KafkaException as error:
            _logger.debug("Asking the log: %s", error)
            return False
        return True

    return LogWatch(settings.bootstrap_servers, answers)
