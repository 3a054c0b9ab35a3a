"""What the leader has to find out elsewhere, in a small pool: the herder's thread waits for no plugin and no outside system."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from connect.runtime.plan.probe_child import Outline
from connect.runtime.tasks.failure_trace import failure_trace

PROBES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class OutlineFound:
    """The answer for the configuration with this fingerprint."""

    name: str
    config: str
    outline: Outline


@dataclass(frozen=True, slots=True)
class OutlineFailed:
    """There is no answer. ``lasting``: a person must change something; otherwise it is worth another try."""

    name: str
    config: str
    trace: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class TopicsFound:
    """The number of partitions of every topic there is; None: the log could not be asked."""

    topics: Mapping[str, int] | None


Finding = OutlineFound | OutlineFailed | TopicsFound


class Discovery:
    """``find_outline`` runs plugin code (in a child, with a deadline); ``list_topics`` asks the log. Both block."""

    def __init__(
        self,
        find_outline: Callable[[Mapping[str, str]], Outline],
        list_topics: Callable[[], Mapping[str, int]],
        is_lasting: Callable[[Exception], bool],
        report: Callable[[Finding], None],
        make_pool: Callable[[int, str], Executor] = ThreadPoolExecutor,
    ) -> None:
        self._find_outline = find_outline
        self._list_topics = list_topics
        self._is_lasting = is_lasting
        self._report = report
        self._probes = make_pool(PROBES_AT_ONCE, "outline")
        self._scans = make_pool(1, "topic-scan")
        self._scanning = threading.Lock()

    def ask_outline(self, name: str, config: Mapping[str, str], fingerprint: str) -> None:
        self._probes.submit(self._outline, name, config, fingerprint)

    def ask_topics(self) -> None:
        """Does nothing while a scan is under way."""
        if self._scanning.acquire(blocking=False):
            self._scans.submit(self._topics)

    def stop(self) -> None:
        for pool in (self._probes, self._scans):
            pool.shutdown(wait=False, cancel_futures=True)

    def _outline(self, name: str, config: Mapping[str, str], fingerprint: str) -> None:
        try:
            outline = self._find_outline(config)
        except Exception as error:  # noqa: BLE001 - a plugin's error: it becomes the connector's status
            self._report(OutlineFailed(name, fingerprint, failure_trace(error), self._is_lasting(error)))
        else:
            self._report(OutlineFound(name, fingerprint, outline))

    def _topics(self) -> None:
        found: Mapping[str, int] | None = None
        try:
            found = self._list_topics()
        except Exception:  # noqa: BLE001 - the log is away: whatever the client says, the next scan asks again
            found = None
        finally:
            self._scanning.release()
            self._report(TopicsFound(found))
