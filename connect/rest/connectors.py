"""``/connectors``: create, read, change, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from connect.rest.bodies import config_map, json_object, merge_patch, optional_text
from connect.rest.cluster import Cluster
from connect.rest.validation import named, validated
from connect.runtime.plan.probe_child import Validation
from connect.runtime.requests import BadRequest, DeleteConnector, NotFound, PutConnector, TargetState

BODY_KEYS = ("name", "config", "initial_state")
INITIAL_STATES = {"RUNNING": TargetState.STARTED, "PAUSED": TargetState.PAUSED, "STOPPED": TargetState.STOPPED}
Answer = Response | tuple[Response, int] | tuple[Response, int, dict[str, str]] | tuple[str, int]


def resource(cluster: Cluster) -> Blueprint:
    routes = Blueprint("connectors", __name__, url_prefix="/connectors")

    @routes.get("")
    def list_all() -> Response:
        names = list(cluster.view.connectors)
        if "expand" not in request.args:
            return jsonify(names)
        expanded = {name: _expanded(cluster, name, request.args.getlist("expand")) for name in names}
        return jsonify({name: parts for name, parts in expanded.items() if parts is not None})

    @routes.post("")
    def create() -> Answer:
        cluster.must_lead()
        name, config, initial_state = _creation(json_object())
        config = named(config, name)
        found = validated(cluster, config)
        info, _ = cluster.ask(PutConnector(name, config, replace=False, initial_state=initial_state, kind=found.kind))
        return _stored(cluster, info, found, created=True)

    @routes.get("/<name:connector>")
    def read(connector: str) -> Response:
        info = cluster.view.info(connector)
        if info is None:
            raise NotFound(f"Connector {connector} not found")
        return jsonify(info)

    @routes.delete("/<name:connector>")
    def delete(connector: str) -> Answer:
        cluster.must_lead()
        cluster.ask(DeleteConnector(connector))
        return "", 204

    @routes.get("/<name:connector>/config")
    def read_config(connector: str) -> Response:
        stored = cluster.known(connector, f"Connector {connector} not found").config
        return jsonify({**stored, "name": connector})

    @routes.put("/<name:connector>/config")
    def put_config(connector: str) -> Answer:
        cluster.must_lead()
        return _put(cluster, connector, config_map(json_object()))

    @routes.patch("/<name:connector>/config")
    def patch_config(connector: str) -> Answer:
        cluster.must_lead()
        patch = merge_patch(json_object())
        stored = cluster.known(connector, f"Connector {connector} not found").config
        merged = {**stored, **patch}
        return _put(cluster, connector, {key: value for key, value in merged.items() if value is not None})

    return routes


def _creation(body: dict[str, Any]) -> tuple[str, dict[str, str], TargetState | None]:
    """Name, configuration and initial state of ``POST /connectors``."""
    for key in body:
        if key not in BODY_KEYS:
            raise BadRequest(f'Unrecognized field "{key}": a connector is made from {", ".join(BODY_KEYS)}.')
    config = body.get("config") or {}
    if not isinstance(config, dict):
        raise BadRequest('"config" has to be an object of strings.')
    state = optional_text(body, "initial_state").upper()
    if state and state not in INITIAL_STATES:
        raise BadRequest(f'"initial_state" is {body["initial_state"]}: it has to be one of {", ".join(INITIAL_STATES)}.')
    return optional_text(body, "name").strip(), config_map(config), INITIAL_STATES.get(state)


def _put(cluster: Cluster, name: str, config: dict[str, str]) -> Answer:
    config = named(config, name)
    found = validated(cluster, config)
    info, created = cluster.ask(PutConnector(name, config, kind=found.kind))
    return _stored(cluster, info, found, created=created)


def _stored(cluster: Cluster, info: dict[str, Any], found: Validation, *, created: bool) -> Answer:
    answer = dict(info)
    if found.warnings:
        answer["penstock"] = {"warnings": list(found.warnings)}
    if not created:
        return jsonify(answer), 200
    location = f"{cluster.settings.advertised_url}/connectors/{quote(info['name'], safe='')}"
    return jsonify(answer), 201, {"Location": location}


def _expanded(cluster: Cluster, name: str, parts: list[str]) -> dict[str, Any] | None:
    """The parts asked for; None for a connector that has gone meanwhile."""
    view = cluster.view
    readers = {"status": view.status, "info": view.info}
    found = {part: readers[part](name) for part in dict.fromkeys(parts) if part in readers}
    return None if None in found.values() else found
