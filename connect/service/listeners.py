"""Serving a WSGI app on a URL: cheroot, its port bound before there is an app."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from cheroot import wsgi

from connect.service.errors import EnvironmentProblem

_logger = logging.getLogger(__name__)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_SHUTDOWN_SECONDS = 2
# Requests may wait for a check or for tasks to stop, and cheroot does not grow its pool. Idle threads take next to nothing.
_THREADS = 32
_BACKLOG = 128


class _Cheroot(wsgi.Server):
    """Cheroot, its complaints in our log."""

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        _logger.log(level, "%s", msg, exc_info=traceback)

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        """Closes the socket that cannot be bound: cheroot would leave it to the garbage collector."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_


class Server:
    """A bound listener. ``port`` is the real one, also where port 0 was asked for."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 0
        self._server = _Cheroot(
            (host, port), _nothing_yet, numthreads=_THREADS, request_queue_size=_BACKLOG, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        self._server.nodelay = True
        try:
            self._server.prepare()
        except OSError as error:
            raise EnvironmentProblem(f"Cannot listen on {url}: {_reason(str(error))}") from error
        self.port = int(self._server.bind_addr[1])
        self._thread = threading.Thread(target=self._server.serve, name=f"listener-{self.port}", daemon=True)

    def serve(self, app: WsgiApp) -> None:
        """Answers requests with ``app``, in threads; returns at once. Requests that came earlier have waited."""
        self._server.wsgi_app = app
        self._thread.start()

    def stop(self) -> None:
        """Ends the listener; requests under way get two seconds."""
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()


def serve(app: WsgiApp, url: str) -> Server:
    """Serves ``app`` on ``http://host:port``. Raises EnvironmentProblem where that cannot be listened on."""
    server = Server(url)
    server.serve(app)
    return server


def _nothing_yet(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise AssertionError("serve() has not been called")


def _reason(text: str) -> str:
    """Cheroot packs the system's words into its own."""
    if "already in use" in text:
        return "the port is in use by another program. Stop that, or choose another port."
    if "Permission denied" in text:
        return "permission denied. Ports below 1024 need privileges: choose a higher one."
    if "Cannot assign requested address" in text:
        return "this machine has no such address. Name one that it has, or leave the host out."
    return text
