"""What REST asks of the herder, and how the herder says no.

Any thread may call :meth:`Herder.submit` with one of these; the herder's own thread carries it out and completes the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class TargetState(StrEnum):
    """What a user wants a connector to do (Kafka Connect's ``state.v2``)."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class PutConnector:
    """Create or replace a connector's configuration. The configuration has been validated. Gives ``(info, created)``.

    ``kind`` is what validation found, for the answer's ``type``.
    """

    name: str
    config: Mapping[str, str]
    replace: bool = True
    initial_state: TargetState | None = None
    kind: Literal["source", "sink"] | None = None


@dataclass(frozen=True, slots=True)
class DeleteConnector:
    """Remove a connector; its offsets stay."""

    name: str


@dataclass(frozen=True, slots=True)
class SetTargetState:
    """Pause, resume or stop. The future of a stop completes once no task runs any more."""

    name: str
    state: TargetState


@dataclass(frozen=True, slots=True)
class RestartConnector:
    """Restart a connector and, if asked, its tasks. Gives the status that was decided on."""

    name: str
    include_tasks: bool = False
    only_failed: bool = False


@dataclass(frozen=True, slots=True)
class RestartTask:
    """Restart one task."""

    name: str
    task: int


@dataclass(frozen=True, slots=True)
class ResetOffsets:
    """Forget a stopped connector's offsets (sources: tombstones; sinks: the group's offsets are deleted)."""

    name: str


Request = PutConnector | DeleteConnector | SetTargetState | RestartConnector | RestartTask | ResetOffsets


class RequestError(Exception):
    """A request that cannot be carried out. ``status`` is the HTTP status that says so."""

    status = 500


class BadRequest(RequestError):
    """The request itself is wrong."""

    status = 400


class NotFound(RequestError):
    """No such connector, task or plugin."""

    status = 404


class Conflict(RequestError):
    """Right, but not now."""

    status = 409


class NotLeader(RequestError):
    """Only the leader can do this: forward it to ``leader_url`` (None: nobody leads at the moment)."""

    status = 409

    def __init__(self, leader_url: str | None) -> None:
        super().__init__(
            "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
            if leader_url is None
            else f"This worker does not lead; ask {leader_url}"
        )
        self.leader_url = leader_url


ConnectorInfo = Mapping[str, Any]
"""``{"name", "config", "tasks": [{"connector", "task"}], "type"}``, as GET /connectors/{name} answers."""
