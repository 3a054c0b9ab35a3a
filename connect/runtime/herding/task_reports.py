"""Makes the status topic say what is true of the tasks at this worker, and of those that were here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connect.runtime.herding.assignment import TaskId
from connect.runtime.herding.local_tasks import LocalTasks, Wanted
from connect.runtime.herding.statuses import State, Status
from connect.runtime.herding.stores import StatusStore


def report_tasks(local: LocalTasks, statuses: StatusStore, wanted: Mapping[TaskId, Wanted], worker_id: str) -> None:
    """Cheap to repeat: only differences are written."""
    known = statuses.tasks()
    for task_id, status in local.statuses().items():
        said = known.get(task_id)
        # Its first start needs no word; a task that has left us is its new worker's to report.
        begins = said is None and status.state is State.RESTARTING and status.trace is None
        ours = task_id in wanted and wanted[task_id].epoch == status.generation
        if not begins and (ours or said is None or said.worker_id == worker_id):
            statuses.show_task(task_id, status)
    _report_ended(local, statuses, wanted, worker_id)
    for task_id, said in known.items():
        # Of an earlier life of this worker.
        if said.worker_id == worker_id and said.state is not State.UNASSIGNED and task_id not in local.tasks:
            statuses.show_task(task_id, replace(said, state=State.UNASSIGNED, trace=None))


def _report_ended(local: LocalTasks, statuses: StatusStore, wanted: Mapping[TaskId, Wanted], worker_id: str) -> None:
    """Others wait for this word before they start the same task."""
    for task_id, epoch in local.ended(wanted).items():
        said = statuses.task(task_id)
        if statuses.ended(task_id, epoch) or (said is not None and said.generation > epoch):
            local.forget(task_id)
        else:
            version = said.version if said else None
            statuses.show_task(task_id, Status(State.UNASSIGNED, worker_id, epoch, version))
