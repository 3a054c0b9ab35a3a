"""What connectors and tasks are doing, and changing that: status, tasks, restart, pause, resume, stop, topics."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from connect.rest.cluster import Cluster
from connect.runtime.requests import BadRequest, NotFound, RestartConnector, RestartTask, SetTargetState, TargetState

Answer = Response | tuple[Response, int] | tuple[str, int]
TARGETS = {
    "pause": (TargetState.PAUSED, 202),
    "resume": (TargetState.STARTED, 202),
    "stop": (TargetState.STOPPED, 204),
}


def resource(cluster: Cluster) -> Blueprint:
    routes = Blueprint("lifecycle", __name__, url_prefix="/connectors/<name:connector>")

    @routes.get("/status")
    def status(connector: str) -> Response:
        return jsonify(_status(cluster, connector, f"No status found for connector {connector}"))

    @routes.get("/tasks")
    def tasks(connector: str) -> Response:
        configs = cluster.known(connector, f"Connector {connector} not found").task_configs
        return jsonify(
            [{"id": {"connector": connector, "task": task}, "config": config} for task, config in enumerate(configs)]
        )

    @routes.get("/tasks/<int:task>/status")
    def task_status(connector: str, task: int) -> Response:
        missing = f"No status found for task {connector}-{task}"
        found = [one for one in _status(cluster, connector, missing)["tasks"] if one["id"] == task]
        if not found:
            raise NotFound(missing)
        return jsonify(found[0])

    @routes.post("/tasks/<int:task>/restart")
    def restart_task(connector: str, task: int) -> Answer:
        cluster.ask(RestartTask(connector, task))
        return "", 204

    @routes.post("/restart")
    def restart(connector: str) -> Answer:
        include_tasks, only_failed = _flag("includeTasks"), _flag("onlyFailed")
        cluster.must_lead()
        decided = cluster.ask(RestartConnector(connector, include_tasks, only_failed))
        return (jsonify(decided), 202) if include_tasks or only_failed else ("", 204)

    @routes.put("/<any(pause, resume, stop):target>")
    def set_target(connector: str, target: str) -> Answer:
        state, code = TARGETS[target]
        cluster.must_lead()
        cluster.ask(SetTargetState(connector, state))
        return "", code

    @routes.get("/topics")
    def topics(connector: str) -> Response:
        return jsonify({connector: {"topics": cluster.view.topics(connector)}})

    return routes


def _status(cluster: Cluster, name: str, otherwise: str) -> dict[str, Any]:
    found = cluster.view.status(name)
    if found is None:
        raise NotFound(otherwise)
    return found


def _flag(name: str) -> bool:
    given = request.args.get(name, "false").lower()
    if given not in ("true", "false"):
        raise BadRequest(f"{name}={given}: it has to be true or false.")
    return given == "true"
