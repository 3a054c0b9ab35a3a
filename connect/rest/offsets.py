"""``/connectors/{name}/offsets``: how far a connector is (KIP-875)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from connect.rest.bodies import json_object
from connect.rest.cluster import Cluster
from connect.rest.errors import error
from connect.runtime.requests import ResetOffsets


def resource(cluster: Cluster) -> Blueprint:
    routes = Blueprint("offsets", __name__, url_prefix="/connectors/<name:connector>/offsets")

    @routes.get("")
    def read(connector: str) -> Response:
        cluster.known(connector, f"Connector {connector} not found")
        return jsonify(offsets=cluster.herder.offsets(connector))

    @routes.delete("")
    def reset(connector: str) -> Response:
        cluster.must_lead()
        cluster.ask(ResetOffsets(connector))
        return jsonify(message="The offsets for this connector have been reset successfully")

    @routes.patch("")
    def alter(connector: str) -> Response:
        json_object()
        cluster.known(connector, f"Connector {connector} not found")
        return error(501, "Altering offsets is not supported yet; DELETE forgets them, so that the connector begins anew.")

    return routes
