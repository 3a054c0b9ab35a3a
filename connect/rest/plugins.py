"""``/connector-plugins``: what is installed, how it is configured, and whether a configuration would run."""

from __future__ import annotations

import threading

from flask import Blueprint, Response, jsonify, request

from connect.rest.bodies import config_map, json_object
from connect.rest.cluster import Cluster
from connect.rest.validation import connector_class
from connect.runtime.plan import probes
from connect.runtime.plan.plugins import simple_names
from connect.runtime.requests import BadRequest, NotFound

CONNECTOR_TYPES = ("sink", "source")


class Catalog:
    """The installed plugins, asked for once: they change only with the installation, and a worker sees that at its start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plugins: list[dict[str, str]] | None = None

    def plugins(self) -> list[dict[str, str]]:
        with self._lock:
            if self._plugins is None:
                self._plugins = probes.catalog()
            return self._plugins


def resource(cluster: Cluster) -> Blueprint:
    routes = Blueprint("plugins", __name__, url_prefix="/connector-plugins")
    catalog = Catalog()

    @routes.get("")
    def list_all() -> Response:
        only = request.args.get("connectorsOnly", "true").lower() != "false"
        return jsonify([plugin for plugin in catalog.plugins() if not only or plugin["type"] in CONNECTOR_TYPES])

    @routes.get("/<name:plugin>/config")
    def definitions(plugin: str) -> Response:
        found = probes.describe(plugin)
        if found is None:
            raise NotFound(f"Unknown plugin {plugin}.")
        return jsonify(found)

    @routes.put("/<name:plugin>/config/validate")
    def validate(plugin: str) -> Response:
        config = config_map(json_object())
        included = connector_class(config)
        if not _names(included) & _names(plugin):
            raise BadRequest(f"Included connector type {included} does not match request type {plugin}")
        return jsonify(probes.validate(config, cluster.settings).answer)

    return routes


def _names(name: str) -> set[str]:
    return {alias.lower() for alias in simple_names(name, "Connector")}
