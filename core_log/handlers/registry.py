"""Which API is served in which versions, and by whom. ApiVersions answers from this table, so it cannot disagree with the code.

A handler is a plain function ``handle(request, call) -> Response | Outcome``: an answer, LATER (it comes through
``call.answer``), or SILENT (the protocol has none: a produce with acks=0).
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from core_log.broker import Broker
from core_log.coordination.waiting import Parked
from core_log.protocol.fields import Request, Response, Versions

R = TypeVar("R", bound=Request)


class Outcome(Enum):
    LATER = "the answer comes through call.answer"
    SILENT = "the protocol has no answer to this"


LATER, SILENT = Outcome.LATER, Outcome.SILENT
Answered = Response | Outcome


class Call:
    """One request under way: who asked, in which version, and where the answer goes."""

    __slots__ = ("_deliver", "broker", "client_host", "client_id", "local_address", "parked", "version")

    def __init__(
        self,
        broker: Broker,
        version: int,
        client_id: str | None,
        client_host: str,
        local_address: tuple[str, int],
        deliver: Callable[[Response], None],
    ) -> None:
        """``local_address`` is where the client reached us; ``deliver`` takes the one answer that comes later."""
        self.broker = broker
        self.version = version
        self.client_id = client_id
        self.client_host = client_host
        self.local_address = local_address
        self.parked: Parked | None = None
        self._deliver = deliver

    def answer(self, response: Response) -> None:
        """Give the answer that LATER promised. Once; after the connection is gone it is dropped."""
        self._deliver(response)

    def cancel(self) -> None:
        """The connection is gone: stop waiting on its behalf."""
        if self.parked is not None:
            self.parked.cancel()


Handle = Callable[[Any, Call], Answered]


class Api(NamedTuple):
    """``advertised`` differs from the versions served for Produce alone."""

    key: int
    request: type[Request]
    advertised: Versions
    handle: Handle


APIS: dict[int, Api] = {}


def api(
    request: type[R], *, advertise_from: int | None = None
) -> Callable[[Callable[[R, Call], Answered]], Callable[[R, Call], Answered]]:
    """Register the decorated function as the handler of ``request``, in the versions that its declaration has."""

    def register(handle: Callable[[R, Call], Answered]) -> Callable[[R, Call], Answered]:
        served = request.VERSIONS
        advertised = served if advertise_from is None else Versions(advertise_from, served.last)
        APIS[request.KEY] = Api(request.KEY, request, advertised, handle)
        return handle

    return register
