"""Every error as Kafka Connect says it: ``{"error_code": 404, "message": "..."}``."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from connect.api import ConfigError, RetriableError
from connect.runtime.plan.probes import ProbeFailed
from connect.runtime.requests import RequestError

DRAINED_BYTES = 16 * 1024 * 1024

log = logging.getLogger("connect.rest")


def error(status: int, message: str) -> Response:
    """The error shape that all clients know."""
    answer = jsonify(error_code=status, message=message)
    answer.status_code = status
    return answer


def install(app: Flask, max_body_bytes: int) -> None:
    """Has the app answer every exception in that shape."""

    @app.errorhandler(RequestError)
    def _refused(problem: RequestError) -> Response:
        return error(problem.status, str(problem))

    @app.errorhandler(ConfigError)
    def _wrong_config(problem: ConfigError) -> Response:
        return error(400, str(problem))

    @app.errorhandler(RetriableError)
    def _unwell(problem: RetriableError) -> Response:
        return error(503, f"{problem} Try again in a moment.")

    @app.errorhandler(ProbeFailed)
    def _plugin_broken(problem: ProbeFailed) -> Response:
        return error(500, str(problem))

    @app.errorhandler(RequestEntityTooLarge)
    def _too_large(_problem: RequestEntityTooLarge) -> Response:
        _drain(DRAINED_BYTES)
        return error(413, f"HTTP 413 Request Entity Too Large: a body may have {max_body_bytes} bytes.")

    @app.errorhandler(HTTPException)
    def _http(problem: HTTPException) -> Response:
        status = problem.code or 500
        answer = error(status, f"HTTP {status} {problem.name}")
        # An answer of its own replaces werkzeug's, whose headers matter: Allow beside 405.
        answer.headers.extend((name, value) for name, value in problem.get_headers(request.environ) if name.lower() == "allow")
        return answer

    @app.errorhandler(Exception)
    def _bug(problem: Exception) -> Response:
        log.error("%s %s failed", request.method, request.path, exc_info=problem)
        return error(500, f"{type(problem).__name__}: {problem}")


def _drain(most: int) -> None:
    """Reads what the client is still sending, within reason: before that is gone it does not look for an answer."""
    body = request.environ["wsgi.input"]
    while most > 0 and (chunk := body.read(min(most, 65536))):
        most -= len(chunk)
