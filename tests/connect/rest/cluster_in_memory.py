"""A herder without a log: the real commands and the real view over a config topic that is a list in memory."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast

from connect.runtime.herding.assignment import Assignment, Deal, TaskAssignment, TaskId
from connect.runtime.herding.cluster_view import ClusterView
from connect.runtime.herding.commands import Commands, Stopping
from connect.runtime.herding.config_state import apply
from connect.runtime.herding.statuses import State, Status
from connect.runtime.herding.stores import ConfigStore
from connect.runtime.requests import Request
from connect.service.settings import WorkerSettings
from tests.connect.runtime.plan.plugin_samples import WORKER

SETTINGS = WorkerSettings.from_mapping({**WORKER, "listeners": "http://127.0.0.1:38083"})
URL = "http://127.0.0.1:38083"
WORKER_ID = "127.0.0.1:38083"


class MemoryTable:
    def __init__(self, on_change: Any) -> None:
        self.on_change = on_change

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def put(self, key: bytes, value: bytes | None, timeout_seconds: float = 0) -> None:
        self.on_change(key, value)

    send = put


class Nobody:
    """Stands for the leader's and the local tasks: takes note."""

    def __init__(self) -> None:
        self.restarted: list[object] = []

    def restart(self, what: object) -> None:
        self.restarted.append(what)


class MemoryHerder:
    """Starts nothing: a connector that is put gets one task, which runs at once."""

    def __init__(self) -> None:
        self.view = ClusterView(ready=True, is_leader=True, leader_url=URL, cluster_id="E65gxY2NRzm7-eauHNiq6Q")
        self.requests: list[Request] = []
        self.stored_offsets: dict[str, list[dict[str, Any]]] = {}
        self.local = Nobody()
        configs = ConfigStore(cast("Any", MemoryTable(self._changed)))
        self._configs = configs
        self._commands = Commands(URL, configs, cast("Any", Nobody()), cast("Any", self.local), lambda: self.view, self._forget)

    def submit(self, request: Request) -> Future[Any]:
        self.requests.append(request)
        future: Future[Any] = Future()
        try:
            answer = self._commands.carry_out(request)
            future.set_result(None if isinstance(answer, Stopping) else answer)
        except Exception as error:
            future.set_exception(error)
        return future

    def offsets(self, name: str) -> list[dict[str, Any]]:
        return self.stored_offsets.get(name, [])

    def run(self, name: str, *, state: State = State.RUNNING, trace: str | None = None, version: str = "4.3.1") -> None:
        """What the rest of the worker would do: deal out one task, and report."""
        config = self.view.state.connectors[name]
        self._configs.put_tasks(name, [config])
        deal = Deal("source", version, "", {0: TaskAssignment(URL, ({},), 1)}, 1)
        deals = {**self.view.state.assignment.deals, name: deal}
        self.view = replace(
            self.view,
            state=replace(self.view.state, assignment=Assignment(1, URL, (URL,), deals)),
            connector_statuses={**self.view.connector_statuses, name: Status(State.RUNNING, WORKER_ID, 1, version)},
            task_statuses={**self.view.task_statuses, TaskId(name, 0): Status(state, WORKER_ID, 1, version, trace)},
            topics_used={**self.view.topics_used, name: frozenset({"t1"})},
        )

    def _changed(self, key: bytes, value: bytes | None) -> None:
        self.view = replace(self.view, state=apply(self.view.state, key, value))

    def _forget(self, name: str, _kind: str) -> None:
        self.stored_offsets.pop(name, None)
