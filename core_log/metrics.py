"""What the broker counts, in Prometheus' text format when metrics.port is set.

The loop only adds to integers; a thread of its own reads them when asked.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field

from core_log.errors import EnvironmentProblem


@dataclass(slots=True)
class Metrics:
    """``requests`` by API key; bytes of records, not of frames."""

    requests: Counter[int] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    bad_requests: int = 0
    connections: int = 0

    def text(self) -> str:
        """https://prometheus.io/docs/instrumenting/exposition_formats/"""
        lines = ["# TYPE core_log_requests_total counter"]
        lines += [f'core_log_requests_total{{api_key="{key}"}} {count}' for key, count in sorted(self.requests.items())]
        for name, kind, value in (
            ("record_bytes_in_total", "counter", self.bytes_in),
            ("record_bytes_out_total", "counter", self.bytes_out),
            ("bad_requests_total", "counter", self.bad_requests),
            ("connections", "gauge", self.connections),
        ):
            lines += [f"# TYPE core_log_{name} {kind}", f"core_log_{name} {value}"]
        return "\n".join(lines) + "\n"


def serve(metrics: Metrics, host: str, port: int) -> None:
    """Answer GET /metrics on a daemon thread. Raises EnvironmentProblem where the port cannot be had."""
    from http.server import BaseHTTPRequestHandler, HTTPServer  # only where metrics are asked for

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics.text().encode()
            self.send_response(200 if self.path == "/metrics" else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """A scrape every few seconds is no news."""

    try:
        server = HTTPServer((host, port), Handler)
    except OSError as error:
        raise EnvironmentProblem(f"cannot serve metrics on {host}:{port}: {error.strerror} (metrics.port)") from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
