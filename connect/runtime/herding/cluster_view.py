"""What REST shows: one moment of the cluster, in Kafka Connect's shapes. Immutable; a new one at each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connect.runtime.herding import sink_topics
from connect.runtime.herding.assignment import Kind, TaskId
from connect.runtime.herding.config_state import ConfigState
from connect.runtime.herding.statuses import State, Status
from connect.runtime.requests import TargetState
from connect.runtime.tasks.task import TaskProgress


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """One connector. ``task_configs`` are in the order of the tasks' numbers."""

    config: Mapping[str, str]
    task_configs: list[dict[str, str]]
    target_state: TargetState
    kind: Kind


@dataclass(frozen=True)
class ClusterView:
    """``ready``: the internal topics have been read and the worker has joined. URLs are advertised ones."""

    ready: bool = False
    is_leader: bool = False
    leader_url: str | None = None
    cluster_id: str = ""
    state: ConfigState = field(default_factory=ConfigState)
    connector_statuses: Mapping[str, Status] = field(default_factory=dict)
    task_statuses: Mapping[TaskId, Status] = field(default_factory=dict)
    topics_used: Mapping[str, frozenset[str]] = field(default_factory=dict)
    progress: Mapping[TaskId, TaskProgress] = field(default_factory=dict)
    """Of the tasks at this worker."""

    @cached_property
    def connectors(self) -> Mapping[str, ConnectorView]:
        """All connectors, by name."""
        return {
            name: ConnectorView(
                config, [dict(task) for task in self.state.tasks(name)], self.state.target(name), self.kind(name)
            )
            for name, config in self.state.connectors.items()
        }

    def kind(self, name: str) -> Kind:
        """Of a connector that is there."""
        deal = self.state.assignment.deals.get(name)
        return deal.kind if deal else sink_topics.kind_by_keys(self.state.connectors[name])

    def info(self, name: str) -> dict[str, Any] | None:
        """``GET /connectors/{name}``, or None where there is no such connector."""
        if name not in self.state.connectors:
            return None
        return {
            "name": name,
            "config": dict(self.state.connectors[name]),
            "tasks": [{"connector": name, "task": number} for number in range(len(self.state.tasks(name)))],
            "type": self.kind(name),
        }

    def status(self, name: str) -> dict[str, Any] | None:
        """``GET /connectors/{name}/status``, or None where there is no such connector.

        The key ``penstock`` is ours: ``{"warnings": [text], "tasks": [{"id", "progress": {"records", "skipped", "filtered",
        "last_record_ms"}, "details": {...}, "retry": {...} or None}]}``, for the tasks of the worker that is asked.
        """
        if name not in self.state.connectors:
            return None
        connector = self.connector_statuses.get(name) or Status(State.UNASSIGNED, "", 0)
        numbers = range(len(self.state.tasks(name)))
        return {
            "name": name,
            "connector": connector.shown(),
            "tasks": [{"id": number, **self._task(TaskId(name, number)).shown()} for number in numbers],
            "type": self.kind(name),
            "penstock": {"warnings": self._warnings(name), "tasks": self._progress(name)},
        }

    def topics(self, name: str) -> list[str]:
        """The topics that the connector has used."""
        return sorted(self.topics_used.get(name, ()))

    def _task(self, task_id: TaskId) -> Status:
        """A task that nobody has said anything of is dealt out at most."""
        known = self.task_statuses.get(task_id)
        if known:
            return known
        deal = self.state.assignment.deals.get(task_id.connector)
        dealt = deal.tasks.get(task_id.task) if deal else None
        worker = dealt.worker.partition("://")[2] if dealt else ""
        return Status(State.UNASSIGNED, worker, 0, deal.version or None if deal else None)

    def _warnings(self, name: str) -> list[str]:
        deal = self.state.assignment.deals.get(name)
        return list(deal.warnings) if deal else []

    def _progress(self, name: str) -> list[dict[str, Any]]:
        return [
            {
                "id": task_id.task,
                "progress": {
                    "records": progress.records,
                    "skipped": progress.skipped,
                    "filtered": progress.filtered,
                    "last_record_ms": progress.last_record_ms,
                },
                "details": dict(progress.details),
                "retry": None if progress.retry is None else dict(progress.retry),
            }
            for task_id, progress in sorted(self.progress.items())
            if task_id.connector == name
        ]
