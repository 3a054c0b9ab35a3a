"""Connector names in paths: any character, ``/`` too if it is written ``%2F``.

WSGI hands over a path that is decoded already, in which such a name falls apart. So the path is taken from the request
line, and ``/`` and ``%`` inside a segment stay encoded until the route has been found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.routing import BaseConverter

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class NameConverter(BaseConverter):
    """A path segment that names something: ``<name:connector>``."""

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


def raw_path(environ: dict[str, Any]) -> str:
    """The path of the request line, undecoded and without the query."""
    return str(environ.get("REQUEST_URI", "")).partition("?")[0]


def by_segments(app: WsgiApp) -> WsgiApp:
    """Wraps a WSGI app: its PATH_INFO is decoded segment by segment."""

    def decoded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raw = raw_path(environ)
        if raw.startswith("/"):
            environ["PATH_INFO"] = "/".join(_decoded(segment) for segment in raw.split("/"))
        return app(environ, start_response)

    return decoded


def _decoded(segment: str) -> str:
    # WSGI strings hold bytes as latin-1 (PEP 3333).
    return unquote_to_bytes(segment).replace(b"%", b"%25").replace(b"/", b"%2F").decode("latin-1")
