"""Standard logging, for people or (``json``) for machines, with the connector and task a line is about."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

_FORMAT = "%(asctime)s %(levelname)-7s %(message)s (%(name)s)"
_CONTEXT = ("connector", "task")  # given as ``extra`` where a line is logged


class _Lines(logging.Formatter):
    """One line a record, the context in brackets; traces follow on lines of their own."""

    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        about = _context(record)
        if not about:
            return text
        name = "/".join(str(value) for value in about.values())
        return text.replace(f"{record.levelname:<7} ", f"{record.levelname:<7} [{name}] ", 1)


class _Json(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and connector, task and trace where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        import orjson  # only this switch needs it

        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_context(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def _context(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: getattr(record, name) for name in _CONTEXT if hasattr(record, name)}


def configure(level: str = "INFO", json: bool = False, stream: TextIO | None = None) -> None:
    """Sends what this process logs to ``stream`` (standard error), replacing what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json() if json else _Lines(_FORMAT))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("apscheduler").setLevel("WARNING")  # it tells of every job
