"""Listens, accepts, and turns the loop: everything happens on its one thread."""

import errno
import logging
import select
import socket

from core_log import handlers  # noqa: F401 registers every API
from core_log.broker import Broker
from core_log.connection import Connection
from core_log.errors import EnvironmentProblem
from core_log.loop import Loop

logger = logging.getLogger(__name__)

#: The loop turns at least this often; epoll cannot wait for what never comes.
_MAX_WAIT_MS = 60_000


class Server:
    def __init__(self, loop: Loop, broker: Broker, listener: socket.socket) -> None:
        self.loop = loop
        self.broker = broker
        self._listener = listener
        self._connections: set[Connection] = set()
        #: With answers that came from a timer, a sync or another connection: sent together when the turn ends.
        self.unsent: dict[Connection, None] = {}
        self._accepting = False
        self._stopping = False
        self._accept_again()

    def run(self) -> None:
        """Until ``stop``."""
        while not self._stopping:
            due = self.broker.next_deadline_ms()
            wait_ms = _MAX_WAIT_MS if due is None else min(max(due - self.broker.clock.now_ms(), 0), _MAX_WAIT_MS)
            self.loop.turn(wait_ms / 1000)
            self.broker.turn()
            self._send_answers()

    def _send_answers(self) -> None:
        while self.unsent:
            connection, _ = self.unsent.popitem()
            connection.answered()

    def stop(self) -> None:
        """Any thread, or a signal handler."""
        self._stopping = True
        self.loop.post(lambda: None)

    def close(self) -> None:
        """Sync and checkpoint the logs, answer who was waiting for that, close everything."""
        self._listener.close()
        self.broker.close(self.loop.run_posted)
        self._send_answers()
        for connection in list(self._connections):
            connection.close()

    def _accept_again(self) -> None:
        if not self._accepting and self._listener.fileno() >= 0:
            self._accepting = True
            self.loop.watch(self._listener.fileno(), select.EPOLLIN, self._accept)

    def _accept(self, _events: int) -> None:
        for _ in range(64):
            try:
                accepted, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    logger.warning("no file descriptors left: new connections wait until one closes (raise ulimit -n)")
                    self._accepting = False
                    self.loop.unwatch(self._listener.fileno())
                return
            if len(self._connections) >= self.broker.settings.max_connections:
                self.complain(address[0], "max.connections are open")
                accepted.close()
                continue
            self._connections.add(Connection(self, accepted, address[0]))
            self.broker.metrics.connections = len(self._connections)

    def complain(self, host: str, reason: object) -> None:
        self.broker.complaints.say(host, f"closed a connection from {host}: {reason}", self.broker.clock.now_ms())

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.broker.metrics.connections = len(self._connections)
        self._accept_again()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises EnvironmentProblem."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        reason = "the port is in use by another program" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise EnvironmentProblem(f"cannot listen on {host}:{port}: {reason}") from error
    listener.setblocking(False)
    return listener
