"""What the herder does when REST asks for it: checks against the state at hand, records for the config topic, and an answer.

Used by the herder's thread alone. An answer that has to wait for tasks to stop is a :class:`Stopping`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connect.runtime.herding.assignment import TaskId, Turn
from connect.runtime.herding.cluster_view import ClusterView
from connect.runtime.herding.leader import Leader
from connect.runtime.herding.local_tasks import LocalTasks
from connect.runtime.herding.statuses import State
from connect.runtime.herding.stores import ConfigStore
from connect.runtime.requests import (
    BadRequest,
    Conflict,
    DeleteConnector,
    NotFound,
    NotLeader,
    PutConnector,
    Request,
    ResetOffsets,
    RestartConnector,
    RestartTask,
    SetTargetState,
    TargetState,
)

MUST_BE_STOPPED = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "
    "connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
)


@dataclass(frozen=True, slots=True)
class Stopping:
    """An answer that is due once these turns are over."""

    turns: Mapping[TaskId, Turn]


@dataclass
class Commands:
    """Carries out requests. ``view`` gives the present moment; ``forget_offsets`` takes a connector's name and kind."""

    own_url: str
    configs: ConfigStore
    leader: Leader
    local: LocalTasks
    view: Callable[[], ClusterView]
    forget_offsets: Callable[[str, str], None]

    def carry_out(self, request: Request) -> Any:
        """The answer, or a :class:`Stopping`. Raises RequestError."""
        if isinstance(request, RestartTask):
            return self._restart_task(request)
        view = self.view()
        if not view.is_leader:
            raise NotLeader(view.leader_url)
        match request:
            case PutConnector():
                return self._put(request, view)
            case DeleteConnector():
                return self._delete(request, view)
            case SetTargetState():
                return self._set_target(request, view)
            case RestartConnector():
                return self._restart(request, view)
            case ResetOffsets():
                return self._reset_offsets(request, view)

    def _put(self, request: PutConnector, view: ClusterView) -> tuple[dict[str, Any], bool]:
        name = request.name
        created = name not in view.state.connectors
        if not created and not request.replace:
            raise Conflict(f"Connector {name} already exists")
        if created and request.initial_state is not None:
            self.configs.put_target_state(name, request.initial_state)
        self.configs.put_connector(name, {**request.config, "name": name})
        info = self.view().info(name)
        assert info is not None
        if created and request.kind:
            info["type"] = request.kind
        return info, created

    def _delete(self, request: DeleteConnector, view: ClusterView) -> Stopping:
        if request.name not in view.state.connectors:
            raise NotFound(f"Connector {request.name} not found")
        turns = _turns(view, request.name)
        self.configs.remove_connector(request.name)
        return Stopping(turns)

    def _set_target(self, request: SetTargetState, view: ClusterView) -> Stopping | None:
        name = request.name
        if name not in view.state.connectors:
            raise NotFound(f"Unknown connector {name}")
        if request.state is not TargetState.STOPPED:
            self.configs.put_target_state(name, request.state)
            return None
        turns = _turns(view, name)
        self.configs.put_tasks(name, [])
        self.configs.put_target_state(name, TargetState.STOPPED)
        return Stopping(turns)

    def _restart(self, request: RestartConnector, view: ClusterView) -> dict[str, Any]:
        """Gives the status as it is going to be: with RESTARTING where that was decided on."""
        name = request.name
        status = view.status(name)
        if status is None:
            raise NotFound(f"Unknown connector: {name}")
        parts = [status["connector"], *(status["tasks"] if request.include_tasks else ())]
        restarted = [part for part in parts if not request.only_failed or part["state"] == State.FAILED]
        if request.include_tasks or request.only_failed:
            self.configs.put_restart(name, include_tasks=request.include_tasks, only_failed=request.only_failed)
        if any(part is status["connector"] for part in restarted):
            self.leader.restart(name)
        for part in restarted:
            part["state"] = State.RESTARTING.value
            part.pop("trace", None)
        return status

    def _restart_task(self, request: RestartTask) -> None:
        """Any worker may be asked; the one that has the task does it."""
        state = self.view().state
        if request.name not in state.connectors:
            raise NotFound(f"Unknown connector: {request.name}")
        task_id = TaskId(request.name, request.task)
        deal = state.assignment.deals.get(request.name)
        if deal is None or request.task not in deal.tasks:
            raise NotFound(f"Unknown task: {task_id}")
        owner = deal.tasks[request.task].worker
        if owner != self.own_url:
            raise NotLeader(owner)
        self.local.restart(task_id)

    def _reset_offsets(self, request: ResetOffsets, view: ClusterView) -> None:
        name = request.name
        if name not in view.state.connectors:
            raise NotFound(f"Connector {name} not found")
        if view.state.target(name) is not TargetState.STOPPED:
            raise BadRequest(MUST_BE_STOPPED.format(name=name))
        self.forget_offsets(name, view.kind(name))


def _turns(view: ClusterView, name: str) -> dict[TaskId, Turn]:
    """What has to be over when none of the connector's tasks is to run any more."""
    deal = view.state.assignment.deals.get(name)
    if deal is None:
        return {}
    turns = {TaskId(name, number): turn for number, turn in deal.after.items()}
    return {**turns, **{TaskId(name, number): Turn(task.worker, task.epoch) for number, task in deal.tasks.items()}}
