"""``/``, ``/health`` and ``/metrics``: the worker itself."""

from __future__ import annotations

from importlib.metadata import version

from flask import Blueprint, Response, jsonify

from connect.rest.cluster import Cluster

KAFKA_CONNECT_VERSION = "4.3.1"
"""Whose REST API this is; clients choose by it what they dare to call."""


def resource(cluster: Cluster) -> Blueprint:
    routes = Blueprint("root", __name__)

    @routes.get("/")
    def about() -> Response:
        ours = version("penstock")
        return jsonify(
            version=KAFKA_CONNECT_VERSION,
            commit=f"penstock-{ours}",
            kafka_cluster_id=cluster.herder.view.cluster_id,
            penstock={"version": ours},
        )

    @routes.get("/health")
    def health() -> tuple[Response, int]:
        if cluster.herder.view.ready:
            return jsonify(status="healthy", message="Worker has completed startup and is ready to handle requests."), 200
        return jsonify(status="starting", message="Worker is still starting up: it reads its internal topics."), 503

    @routes.get("/metrics")
    def prometheus() -> Response:
        from connect.rest import metrics  # lazy: a worker answers sooner without it

        return Response(metrics.text(cluster.herder.view), content_type=metrics.CONTENT_TYPE)

    return routes
