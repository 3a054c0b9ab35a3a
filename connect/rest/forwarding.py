"""Writes that reach a worker which does not lead are passed on to the one that does, and its answer passed back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Flask, Response, request

from connect.rest.cluster import REQUEST_SECONDS
from connect.rest.errors import error
from connect.rest.paths import raw_path
from connect.runtime.requests import NotLeader

if TYPE_CHECKING:
    import urllib3

# Kafka Connect's own: none, then true, then false. Two hops bridge a change of leader; more would only go round.
NEXT_HOP = {None: "true", "true": "false"}
TAKEN_ALONG = ("Content-Type", "Accept", "Authorization")
TAKEN_BACK = ("Content-Type", "Location")


def install(app: Flask) -> None:
    """Has the app answer NotLeader with the leader's answer."""

    @app.errorhandler(NotLeader)
    def _forward(problem: NotLeader) -> Response:
        if problem.leader_url is None:
            return error(problem.status, str(problem))
        hop = request.args.get("forward")
        if hop not in NEXT_HOP:
            return error(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)")
        return forwarded(problem.leader_url, NEXT_HOP[hop])


def forwarded(leader_url: str, hop: str) -> Response:
    """The current request, made to the leader."""
    import urllib3  # lazy: most workers never forward

    query = [(name, value) for name, value in request.args.items(multi=True) if name != "forward"]
    url = f"{leader_url.rstrip('/')}{raw_path(request.environ)}?{urlencode([*query, ('forward', hop)])}"
    headers = {name: request.headers[name] for name in TAKEN_ALONG if name in request.headers}
    try:
        answer = _pool().request(request.method, url, body=request.get_data(), headers=headers, redirect=False)
    except urllib3.exceptions.ReadTimeoutError as problem:
        return error(500, f"IO Error trying to forward REST request to the leader at {leader_url}: {problem}")
    except urllib3.exceptions.HTTPError as problem:
        # Most likely it has died, and the group finds out in some seconds: what clients take for a rebalance and try again.
        return error(
            409,
            f"{NotLeader(None)} (The leader at {leader_url} does not answer: {_reason(problem)}. If that lasts: "
            "can this worker reach that address? It is the leader's rest.advertised.host.name and port.)",
        )
    back = {name: answer.headers[name] for name in TAKEN_BACK if name in answer.headers}
    return Response(answer.data, answer.status, back)


def _reason(problem: Exception) -> str:
    """The last of the sentences that urllib3 puts one into another, without the object that it begins with."""
    return str(problem).rpartition(">: ")[2].rpartition("): ")[2] or type(problem).__name__


@cache
def _pool() -> urllib3.PoolManager:
    import urllib3

    # The leader answers a timeout of its own, so it gets a little longer. Never twice: a write may have happened.
    timeout = urllib3.Timeout(connect=5, read=REQUEST_SECONDS + 10)
    return urllib3.PoolManager(timeout=timeout, retries=False)
