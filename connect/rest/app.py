"""Kafka Connect's REST API as a Flask app: one module per resource, one place for errors."""

from __future__ import annotations

from flask import Flask

from connect.rest import connectors, errors, forwarding, lifecycle, offsets, plugins, root
from connect.rest.cluster import STARTING_SECONDS, Cluster, Herder
from connect.rest.json_answers import JsonAnswers
from connect.rest.paths import NameConverter, by_segments
from connect.service.settings import WorkerSettings

MAX_BODY_BYTES = 1024 * 1024
"""A configuration has to fit into one record of the config topic, which brokers limit to this."""


def create_app(herder: Herder, settings: WorkerSettings, *, starting_seconds: float = STARTING_SECONDS) -> Flask:
    """The API of one worker. Handlers read the herder's view; writes wait for the herder's answer."""
    app = Flask("connect", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.converters["name"] = NameConverter
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.wsgi_app = by_segments(app.wsgi_app)  # type: ignore[method-assign, assignment] # how Flask has middleware installed
    app.json = JsonAnswers(app)
    errors.install(app, MAX_BODY_BYTES)
    forwarding.install(app)
    cluster = Cluster(herder, settings, starting_seconds)
    for resource in (root, connectors, lifecycle, offsets, plugins):
        app.register_blueprint(resource.resource(cluster))
    return app
