"""What the config topic asks of one worker. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from connect.runtime.herding.assignment import TaskId, tasks_ahead
from connect.runtime.herding.config_state import ConfigState
from connect.runtime.herding.local_tasks import Wanted
from connect.runtime.requests import TargetState

TASK_CLASS = "task.class"
"""The JVM adds this key to task configurations, and so do we; it is nothing that a connector knows."""


def wanted_tasks(state: ConfigState, worker: str) -> tuple[dict[TaskId, Wanted], set[TaskId]]:
    """The tasks that ``worker`` (its URL) is to run, and those of which nothing can be said yet.

    Undecided are the tasks of a connector whose configuration is newer than its deal: they go on as they are until the
    leader has dealt anew.
    """
    wanted: dict[TaskId, Wanted] = {}
    undecided: set[TaskId] = set()
    for task_id, task in state.assignment.tasks_of(worker).items():
        name = task_id.connector
        if name not in state.connectors or state.target(name) is TargetState.STOPPED:
            continue
        deal = state.assignment.deals[name]
        configs = state.tasks(name)
        if deal.config != state.fingerprints[name] or len(configs) != len(deal.tasks):
            undecided.add(task_id)
            continue
        wanted[task_id] = Wanted(
            kind=deal.kind,
            config=without_task_class(configs[task_id.task]),
            partitions=task.partitions,
            epoch=task.epoch,
            paused=state.target(name) is TargetState.PAUSED,
            version=deal.version,
            after=tasks_ahead(deal, task_id.task),
        )
    return wanted, undecided


def without_task_class(config: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in config.items() if key != TASK_CLASS}
