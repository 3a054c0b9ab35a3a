"""Log lines about bad peers: one per source and minute, however much it sends."""

import logging

logger = logging.getLogger("core_log.server")

_EVERY_MS = 60_000
_SOURCES = 1_000


class Complaints:
    def __init__(self) -> None:
        self._since: dict[str, tuple[int, int]] = {}  # source -> (ms of the last line, connections closed without one)

    def say(self, source: str, reason: object, now_ms: int) -> None:
        last_ms, silent = self._since.get(source, (now_ms - _EVERY_MS, 0))
        if now_ms - last_ms < _EVERY_MS:
            self._since[source] = (last_ms, silent + 1)
            return
        if len(self._since) >= _SOURCES:
            self._since.clear()
        self._since[source] = (now_ms, 0)
        more = f" (and {silent} more like it)" if silent else ""
        logger.warning("closed a connection from %s: %s%s", source, reason, more)
