"""Log lines about what can go wrong thousands of times a second: one per source and minute, however often it happens."""

import logging
from collections.abc import Hashable

logger = logging.getLogger(__name__)

_EVERY_MS = 60_000
_SOURCES = 1_000


class Complaints:
    def __init__(self) -> None:
        self._since: dict[Hashable, tuple[int, int]] = {}  # source -> (ms of the last line, how often since)

    def say(self, source: Hashable, line: str, now_ms: int) -> None:
        last_ms, silent = self._since.get(source, (now_ms - _EVERY_MS, 0))
        if now_ms - last_ms < _EVERY_MS:
            self._since[source] = (last_ms, silent + 1)
            return
        if len(self._since) >= _SOURCES:
            self._since.clear()
        self._since[source] = (now_ms, 0)
        more = f" (and {silent} more like it)" if silent else ""
        logger.warning("%s%s", line, more)
