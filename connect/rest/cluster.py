"""The worker behind the REST API, as its resources see it: a view to read, and requests to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Protocol

from connect.runtime.herding.cluster_view import ClusterView, ConnectorView
from connect.runtime.requests import NotFound, NotLeader, Request, RequestError
from connect.service.settings import WorkerSettings

REQUEST_SECONDS = 90.0
"""How long a request may take, as in Kafka Connect."""
STARTING_SECONDS = 20.0
"""How long a request waits for a worker that is still reading the internal topics, or that knows no leader yet."""
LOOK_AGAIN_SECONDS = 0.02


class Herder(Protocol):
    """What REST asks of :class:`connect.runtime.herding.herder.Herder`."""

    @property
    def view(self) -> ClusterView: ...
    def submit(self, request: Request) -> Future[Any]: ...
    def offsets(self, name: str) -> list[dict[str, Any]]: ...


class Starting(RequestError):
    """The worker is not ready yet."""

    status = 503


class TimedOut(RequestError):
    """The herder has not answered in time; the request may still be carried out."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the resources are made with."""

    herder: Herder
    settings: WorkerSettings
    starting_seconds: float = STARTING_SECONDS

    @property
    def view(self) -> ClusterView:
        """The snapshot; waits a moment for a worker that is starting, then raises :class:`Starting`."""
        if not self._wait(lambda: self.herder.view.ready):
            raise Starting("This worker is still reading its internal topics. Try again in some seconds; GET /health tells.")
        return self.herder.view

    def known(self, name: str, otherwise: str) -> ConnectorView:
        """The connector; ``otherwise`` is what a 404 says."""
        found = self.view.connectors.get(name)
        if found is None:
            raise NotFound(otherwise)
        return found

    def must_lead(self) -> None:
        """Raises NotLeader, to forward the request, where another worker leads; waits a moment for an election."""
        if not self.view.is_leader and not self._wait(lambda: bool(self.herder.view.leader_url)):
            raise NotLeader(None)
        view = self.herder.view
        if not view.is_leader:
            raise NotLeader(view.leader_url)

    def ask(self, request: Request) -> Any:
        """Has the herder carry it out and waits. Raises what the herder raises, :class:`TimedOut` after 90 s."""
        try:
            return self.herder.submit(request).result(REQUEST_SECONDS)
        except FutureTimeout:
            raise TimedOut(
                f"Request timed out. The worker has not carried it out within {REQUEST_SECONDS:g} s and may still do so: "
                "look at the status before trying again."
            ) from None

    def _wait(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.starting_seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_AGAIN_SECONDS)
        return True
