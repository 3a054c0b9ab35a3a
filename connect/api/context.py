"""What a running connector may ask of the runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _nobody(_details: Mapping[str, Any]) -> None:
    """Nobody listens: outside a task."""


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Who is running. ``task_id`` is -1 outside a task (validation, partition discovery)."""

    connector_name: str
    task_id: int = -1
    report: Callable[[Mapping[str, Any]], None] = _nobody
    """Shows details in the task's status (``{"snapshot": {"rows": 100, "table": "orders"}}``): JSON values, the newest
    of a key wins. Cheap, but not for every record."""
