"""The demo's two connectors, deployed over REST exactly as a user would."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from connect.demo.object_store import DemoStore
from connect.demo.postgres_server import PostgresServer
from connect.demo.workload import TABLE

TOPIC = f"shop.public.{TABLE}"
SOURCE = "orders-source"
SINK = "orders-sink"


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


def source_config(postgres: PostgresServer) -> dict[str, str]:
    """The table into the topic: a configuration as people have it for Debezium."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "tasks.max": "1",
        "database.hostname": postgres.host,
        "database.port": str(postgres.port),
        "database.user": postgres.user,
        "database.password": postgres.password,
        "database.dbname": "postgres",
        "topic.prefix": "shop",
        "table.include.list": f"public.{TABLE}",
        "decimal.handling.mode": "string",
    }


def sink_config(store: DemoStore, flush_size: int, rotate_ms: int) -> dict[str, str]:
    """The topic into objects: a configuration as people have it for Confluent's S3 sink."""
    return {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector",
        "tasks.max": "1",
        "topics": TOPIC,
        "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
        "s3.compression.type": "gzip",
        "flush.size": str(flush_size),
        "rotate.schedule.interval.ms": str(rotate_ms),
        "timezone": "UTC",
        "behavior.on.null.values": "ignore",
        **store.sink_keys(),
    }


class Workers:
    """The workers' REST API: the first of them that answers."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls

    def request(self, method: str, path: str, body: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and answer. Raises OSError where no worker answers."""
        data = None if body is None else json.dumps(body).encode()
        last: OSError | None = None
        for url in self.urls:
            request = urllib.request.Request(  # noqa: S310 - our own http:// URLs
                url + path, data, {"Content-Type": "application/json"}, method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                    text = answer.read()
                    return answer.status, json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.loads(error.read() or b"null")
            except OSError as error:
                last = error
        raise last or OSError("there are no workers")

    def deploy(self, name: str, config: Mapping[str, str], timeout_seconds: float = 30) -> None:
        """PUT /connectors/{name}/config, again while the workers are still choosing a leader."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            status, answer = self.request("PUT", f"/connectors/{name}/config", config)
            if status in (200, 201):
                return
            if status not in (409, 503) or time.monotonic() > deadline:
                told = answer.get("message", answer) if isinstance(answer, dict) else answer
                raise DemoFailed(f"The connector {name} was refused ({status}): {told}")
            time.sleep(0.2)

    def states(self, name: str) -> list[str]:
        """The states of a connector's tasks. Raises DemoFailed with the trace of one that failed."""
        try:
            status, answer = self.request("GET", f"/connectors/{name}/status")
        except OSError:
            return ["no worker answers"]
        if status != 200:
            return ["starting"]
        for task in answer["tasks"]:
            if task["state"] == "FAILED":
                raise DemoFailed(f"{name} failed: {task.get('trace', '')}")
        return [task["state"] for task in answer["tasks"]] or [answer["connector"]["state"]]

    def owner(self, name: str) -> str | None:
        """``host:port`` of the worker that runs the connector's first task."""
        status, answer = self.request("GET", f"/connectors/{name}/status")
        tasks = answer["tasks"] if status == 200 else []
        return str(tasks[0]["worker_id"]) if tasks else None
