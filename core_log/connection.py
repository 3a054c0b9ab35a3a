"""One client's connection: requests in, answers out in the order of the requests.

A connection may have many requests under way; each keeps its place in a queue until its answer is there. Answers leave as
scatter lists: bytes through sendmsg, records straight from their files through sendfile. A connection whose peer does not take
its answers is not read from either, so its memory stays bounded.
"""

import logging
import os
import select
import socket
from collections import deque
from typing import Any, Protocol

from core_log.broker import Broker
from core_log.errors import ErrorCode, ProtocolError
from core_log.handlers.api18_api_versions import served
from core_log.handlers.registry import APIS, LATER, SILENT, Call
from core_log.loop import Loop
from core_log.protocol.fields import Response
from core_log.protocol.frames import API_VERSIONS, RequestHeader, decode_request, encode_response, read_header
from core_log.protocol.framing import FrameReader
from core_log.storage.segment import FileSlice

logger = logging.getLogger(__name__)

_READ_BYTES = 65_536
_LARGE_READ_BYTES = 1 << 20
#: A connection with this many requests under way, or this many parts or bytes of answers in memory, is not read from.
_MAX_CALLS = 256
_MAX_OUT_PARTS = 1_024
_MAX_OUT_BYTES = 4 << 20
_MAX_SENDMSG = 64
_HUNG_UP = select.EPOLLHUP | select.EPOLLERR


class Owner(Protocol):
    """Who keeps the connections. ``unsent`` are those to be told ``answered`` when the turn of the loop ends."""

    loop: Loop
    broker: Broker
    unsent: "dict[Connection, None]"

    def complain(self, host: str, reason: object) -> None: ...
    def closed(self, connection: "Connection") -> None: ...


class _Place:
    """A request's place in the order of answers."""

    __slots__ = ("answered", "call", "parts")

    def __init__(self) -> None:
        self.answered = False
        self.parts: list[Any] = []
        self.call: Call | None = None


class Connection:
    """One client."""

    def __init__(self, owner: Owner, sock: socket.socket, host: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner = owner
        self._socket = sock
        self._fd = sock.fileno()
        self._host = host
        self._local_address: tuple[str, int] = sock.getsockname()[:2]
        self._reader = FrameReader(owner.broker.settings.request_max_bytes)
        self._places: deque[_Place] = deque()
        self._outbox: deque[Any] = deque()
        self._out_bytes = 0
        self._interest = select.EPOLLIN
        self._busy = False
        self._open = True
        owner.loop.watch(self._fd, self._interest, self._ready)

    # -- reading

    def _ready(self, events: int) -> None:
        try:
            if events & select.EPOLLIN:
                self._receive()
            elif events & _HUNG_UP:
                self.close()
            if self._open:
                self._pump()
        except ProtocolError as error:
            self._owner.broker.metrics.bad_requests += 1
            self._owner.complain(self._host, error)
            self.close()
        except (ConnectionError, TimeoutError):
            self.close()

    def _receive(self) -> None:
        missing = self._reader.missing
        chunk = self._socket.recv(_READ_BYTES if missing <= _READ_BYTES else min(missing, _LARGE_READ_BYTES))
        if chunk:
            self._reader.feed(chunk)
        else:
            self.close()

    def _pump(self) -> None:
        """Handle what has been received, send what has been answered, for as long as there is room for answers."""
        while self._open:
            choked = self._choked
            self._busy = True
            try:
                handled = self._handle_frames()
            finally:
                self._busy = False
            self._send()
            if self._choked or not (handled or choked):
                break
        if self._open:
            self._set_interest()

    def _handle_frames(self) -> bool:
        """Whether any was handled."""
        handled = False
        while not self._choked and (frame := self._reader.take()) is not None:
            self._handle(frame)
            handled = True
        return handled

    @property
    def _choked(self) -> bool:
        waiting = len(self._outbox)
        return len(self._places) >= _MAX_CALLS or waiting >= _MAX_OUT_PARTS or self._out_bytes >= _MAX_OUT_BYTES

    def _handle(self, frame: Any) -> None:
        header = read_header(frame)
        api = APIS.get(header.key)
        if api is None:
            raise ProtocolError(f"API key {header.key} is not served")
        place = _Place()
        self._places.append(place)
        if not api.request.VERSIONS.includes(header.version):
            self._refuse_version(place, header)
            return
        broker = self._owner.broker
        broker.metrics.requests[header.key] += 1
        request = decode_request(api.request, frame, header)

        def deliver(response: Response) -> None:
            self._answer(place, response, header)

        place.call = call = Call(broker, header.version, header.client_id, self._host, self._local_address, deliver)
        try:
            outcome = api.handle(request, call)
        except ProtocolError:
            raise
        except Exception as error:  # the boundary of a request: a bug in one must not end the broker
            logger.exception("a bug: %s version %d of client %r", api.request.__name__, header.version, header.client_id)
            raise ProtocolError(f"{api.request.__name__} met a bug in the broker") from error
        if outcome is SILENT:
            place.answered = True
        elif outcome is not LATER:
            assert isinstance(outcome, Response)
            self._answer(place, outcome, header)

    def _refuse_version(self, place: _Place, header: RequestHeader) -> None:
        if header.key != API_VERSIONS:
            raise ProtocolError(f"API key {header.key} is not served in version {header.version}")
        self._answer(place, served(ErrorCode.UNSUPPORTED_VERSION), header._replace(version=0))

    # -- answering

    def _answer(self, place: _Place, response: Response, header: RequestHeader) -> None:
        if not self._open:
            return
        try:
            place.parts = encode_response(response, header.version, header.correlation_id)
        except Exception:  # the other boundary of a request: an answer that does not fit its own declaration is a bug
            logger.exception("a bug: %s of version %d does not encode", type(response).__name__, header.version)
            self.close()
            return
        place.answered = True
        place.call = None
        if not self._busy and self._places[0] is place:
            self._owner.unsent[self] = None

    def answered(self) -> None:
        """Answers came while nobody was reading from this connection: send them, take up what had to wait for room."""
        if self._open:
            self._ready(0)

    def _send(self) -> None:
        while self._places and self._places[0].answered:
            parts = self._places.popleft().parts
            self._outbox.extend(parts)
            self._out_bytes += sum(len(part) for part in parts if not isinstance(part, FileSlice))
        try:
            while self._outbox:
                if isinstance(self._outbox[0], FileSlice):
                    self._send_slice(self._outbox[0])
                else:
                    self._send_bytes()
        except BlockingIOError:
            pass

    def _send_slice(self, part: FileSlice) -> None:
        sent = os.sendfile(self._fd, part.file.fileno(), part.position, part.length)
        if sent == part.length:
            self._outbox.popleft()
        elif sent:
            self._outbox[0] = part._replace(position=part.position + sent, length=part.length - sent)
        else:
            raise ConnectionError("a file is shorter than its index says")

    def _send_bytes(self) -> None:
        run = []
        more = 0
        for part in self._outbox:
            if isinstance(part, FileSlice):
                more = socket.MSG_MORE  # the records follow: one packet, not two
                break
            run.append(part)
            if len(run) == _MAX_SENDMSG:
                break
        sent = self._socket.send(run[0], more) if len(run) == 1 else self._socket.sendmsg(run, (), more)
        self._out_bytes -= sent
        while sent:
            part = self._outbox.popleft()
            if sent < len(part):
                self._outbox.appendleft(memoryview(part)[sent:])
                return
            sent -= len(part)

    def _set_interest(self) -> None:
        interest = (0 if self._choked else select.EPOLLIN) | (select.EPOLLOUT if self._outbox else 0)
        if interest != self._interest:
            self._interest = interest
            self._owner.loop.epoll.modify(self._fd, interest)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._owner.loop.unwatch(self._fd)
        for place in self._places:
            if place.call is not None:
                place.call.cancel()
        self._places.clear()
        self._outbox.clear()
        self._socket.close()
        self._owner.closed(self)
