"""Where a service may listen and what it may tell others of its address: pure checks on URLs."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from connect.api import ConfigProblem
from connect.service.worker_keys import SERVED

LOOPBACK = "127.0.0.1"
_UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound


def is_loopback(host: str) -> bool:
    """Does the name stay on this machine?"""
    if host.lower() in ("", "localhost") or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def with_host(url: str) -> str:
    """The URL as it is bound: lower-case scheme, and loopback where no host is named."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.hostname or LOOPBACK
    return f"{parts.scheme.lower()}://{f'[{host}]' if ':' in host else host}:{8083 if port is None else port}"


def advertised(raw: Mapping[str, str], first_listener: str) -> tuple[str, int]:
    """Host and port that other workers are told; port 0: whatever gets bound."""
    parts = urlsplit(first_listener)
    host = raw.get("rest.advertised.host.name") or parts.hostname or LOOPBACK
    if host in _UNSPECIFIED:
        host = socket.gethostname()
    port = raw.get("rest.advertised.port") or ""
    return host, int(port) if port.isdigit() else parts.port or 0


def listener_problems(raw: Mapping[str, str]) -> tuple[list[ConfigProblem], list[str]]:
    """What is wrong with ``listeners`` and the advertised address, beside warnings."""
    given = raw.get("listeners") or SERVED["listeners"] or ""
    problems: list[ConfigProblem] = []
    for url in (item.strip() for item in given.split(",")):
        problems += _url_problems(url, insecure=raw.get("penstock.insecure", "").lower() == "true")
    port = raw.get("rest.advertised.port") or "1"
    if not (port.isdigit() and 0 < int(port) < 65_536):
        problems.append(ConfigProblem("rest.advertised.port", f"rest.advertised.port={port} is no port.", "Use 1 to 65535."))
    if not problems:
        problems += _reachability_problems(raw, given.split(",")[0].strip())
    return problems, []


def _url_problems(url: str, *, insecure: bool) -> list[ConfigProblem]:
    try:
        parts: SplitResult = urlsplit(url)
        named_port = parts.port is not None
    except ValueError:
        named_port = False
    scheme = url.partition("://")[0].lower()
    if scheme == "https":
        remedy = "Set listeners=http://127.0.0.1:8083 and put a proxy that speaks TLS before it."
        return [ConfigProblem("listeners", f"{url}: HTTPS is not supported yet.", remedy)]
    if scheme != "http" or not named_port:
        return [ConfigProblem("listeners", f"'{url}' is no listener.", "Write listeners=http://host:port.")]
    if not is_loopback(parts.hostname or "") and not insecure:
        return [
            ConfigProblem(
                "listeners",
                f"{url} is open to the network and has no authentication: whoever reaches it controls every connector.",
                f"If that is meant, add the line penstock.insecure=true; otherwise set listeners=http://{LOOPBACK}:{parts.port}.",
            )
        ]
    return []


def _reachability_problems(raw: Mapping[str, str], first_listener: str) -> list[ConfigProblem]:
    """Workers of one cluster call each other: a loopback address is right only where all live on one machine."""
    host, port = advertised(raw, with_host(first_listener))
    servers = [server.strip() for server in raw.get("bootstrap.servers", "").split(",") if server.strip()]
    far = [server for server in servers if not is_loopback(server.rpartition("://")[2].rpartition(":")[0] or server)]
    if not far or not is_loopback(host):
        return []
    name = socket.gethostname()
    return [
        ConfigProblem(
            "rest.advertised.host.name",
            f"The brokers are on another machine ({far[0]}), and this worker would tell the other workers to reach it at "
            f"{host}, which is themselves.",
            f"For one worker alone add the line rest.advertised.host.name={name}; for several, also "
            f"listeners=http://0.0.0.0:{port} and penstock.insecure=true.",
        )
    ]
