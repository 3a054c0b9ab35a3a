"""Postgres to topic: rows a second of the snapshot, changes a second of a backlog.

Measures any worker that speaks Kafka Connect's REST API, so that an anchor stands beside ours in one run:

    python -m benchmarks cdc --anchor http://127.0.0.1:8083=127.0.0.1:9092     # a JVM worker with Debezium, and its broker

Progress is read from the topic's end offset: the measurement costs the product nothing and parses no payload. Rates and
processor times count from the first record that is seen to the last. A task's processor time is the figure to trust on a busy
machine; for an anchor it is that of its whole process, which is what runs its tasks.
Budget: faster than Debezium 3.7 with its defaults.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

from benchmarks.processes import cpu_seconds, descendants
from benchmarks.start import started, wait_for_rest
from connect.demo.child_process import free_port

TABLE = "bench_rows"
LONGEST_SILENCE_SECONDS = 90
COLUMNS = """
  g, ((g::bigint * 7919) % 100000)::int, ((g * 31) % 1000000)::numeric / 100, 'note for row ' || g || ' ' || md5(g::text),
  'C-' || (g % 1000), g % 3 = 0, timestamptz '2026-01-01 00:00:00+00' + g * interval '1 millisecond',
  date '2026-01-01' + (g % 365)::int, jsonb_build_object('k', g, 'tags', jsonb_build_array('a', 'b')), md5(g::text)::uuid"""


@dataclass
class Target:
    """``pid``: the process that everything but the broker runs in or below; ``others``: those below that are no task."""

    name: str
    rest: str
    bootstrap: str
    pid: int | None = None
    others: frozenset[int] = frozenset()

    def tasks(self) -> list[int]:
        """The processes that run tasks now."""
        return [] if self.pid is None else [pid for pid in descendants(self.pid) if pid not in self.others]

    def call(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.rest + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
            return json.loads(text) if text else None


@contextmanager
def postgres() -> Iterator[str]:
    """A throw-away server with logical decoding; gives its DSN. As root it runs under the account `postgres`."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    located = shutil.which("pg_ctl")
    pg_ctl = binaries / "pg_ctl" if binaries else Path(located) if located else None
    if pg_ctl is None:
        sys.exit("no PostgreSQL here: install postgresql, or give --pg DSN")
    port = free_port()
    run_as = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        if run_as:
            shutil.chown(folder, "postgres")
            shutil.chown(data, "postgres")
        # What it writes is lost with it anyway; its own waiting for the disk is not what is measured.
        options = (
            f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c wal_level=logical -c shared_buffers=256MB -c fsync=off"
        )

        def control(*arguments: str | Path) -> None:
            subprocess.run([*run_as, pg_ctl, *arguments, "-s", "-D", data], check=True, stdout=subprocess.DEVNULL, cwd="/")

        control("initdb", "-o", "-A trust -U postgres")
        control("start", "-w", "-o", options, "-l", f"{folder}/log")
        try:
            yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        finally:
            control("stop", "-m", "immediate")


@contextmanager
def ours() -> Iterator[Target]:
    log_port, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data:
        options = ("--data", data, "--kafka-port", str(log_port), "--connect-port", str(port))
        with started("connect.cli.main", "up", *options) as process:
            wait_for_rest(port, "/connectors")
            here = f"127.0.0.1:{log_port}"
            yield Target("penstock", f"http://127.0.0.1:{port}", here, process.pid, frozenset(descendants(process.pid)))


def config(dsn: str, prefix: str) -> dict[str, str]:
    info = psycopg.conninfo.conninfo_to_dict(dsn)
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "plugin.name": "pgoutput",
        "database.hostname": str(info["host"]),
        "database.port": str(info.get("port", 5432)),
        "database.user": str(info.get("user", "postgres")),
        "database.password": str(info.get("password", "")),
        "database.dbname": str(info.get("dbname", "postgres")),
        "topic.prefix": prefix,
        "table.include.list": f"public.{TABLE}",
        "slot.name": prefix,
        "publication.name": f"{prefix}_pub",
        "publication.autocreate.mode": "filtered",
        **{f"{half}.converter": "org.apache.kafka.connect.json.JsonConverter" for half in ("key", "value")},
        **{f"{half}.converter.schemas.enable": "false" for half in ("key", "value")},
    }


@dataclass
class Flow:
    """What came between the first record seen and the last one."""

    records: int
    seconds: float
    cpu_seconds: float
    memory_bytes: int

    def figures(self, name: str, unit: str) -> dict[str, float]:
        figures = {f"{name}_{unit}_per_second": self.records / self.seconds}
        if self.memory_bytes:
            figures[f"{name}_task_cpu_seconds_per_million"] = self.cpu_seconds / self.records * 1e6
            figures[f"{name}_task_peak_memory_mb"] = self.memory_bytes / 1e6
        return figures


def wait_for_end(target: Target, topic: str, expected: int) -> Flow:
    """Until the topic's only partition holds ``expected`` records, or no more have come for a while."""
    consumer = Consumer({"bootstrap.servers": target.bootstrap, "group.id": "bench-watch", "log_level": 0})
    last_change = time.monotonic()
    seen = end_of(consumer, topic)
    while (begin := end_of(consumer, topic)) == seen:
        if time.monotonic() - last_change > LONGEST_SILENCE_SECONDS:
            sys.exit(f"nothing comes to {topic} at {target.bootstrap}: see {target.rest}/connectors?expand=status")
        time.sleep(0.01)
    started_at = last_change = time.monotonic()
    tasks, seen = target.tasks(), begin
    cpu = sum(map(cpu_seconds, tasks))
    while seen < expected and time.monotonic() - last_change < LONGEST_SILENCE_SECONDS:
        time.sleep(0.02)
        if (end := end_of(consumer, topic)) > seen:
            seen, last_change = end, time.monotonic()
    consumer.close()
    return Flow(seen - begin, last_change - started_at, sum(map(cpu_seconds, tasks)) - cpu, sum(map(peak_memory, tasks)))


def end_of(consumer: Consumer, topic: str) -> int:
    """The topic's end offset; 0 while there is no topic."""
    with suppress(KafkaException):
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=5)[1])
    return 0


def peak_memory(pid: int) -> int:
    """Bytes of the most memory that the process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def measure(target: Target, dsn: str, rows: int, changes: int) -> dict[str, float]:
    prefix = f"bench_{target.name}_{int(time.time())}"  # a worker that outlives this run keeps the offsets of the one before
    topic = f"{prefix}.public.{TABLE}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"drop table if exists {TABLE}")
        connection.execute(
            f"create table {TABLE} (id bigint primary key, qty int, price numeric(12,2), note text, code varchar(32), "
            "active boolean, created timestamptz, day date, doc jsonb, uid uuid)"
        )
        connection.execute(f"insert into {TABLE} select {COLUMNS} from generate_series(1, {rows}) g")
        target.call("PUT", f"/connectors/{prefix}/config", config(dsn, prefix))
        figures = wait_for_end(target, topic, rows).figures("snapshot", "rows")
        time.sleep(3)
        target.call("PUT", f"/connectors/{prefix}/stop")
        connection.execute(f"update {TABLE} set qty = qty + 1 where id <= {changes}")
        target.call("PUT", f"/connectors/{prefix}/resume")
        figures |= wait_for_end(target, topic, rows + changes).figures("stream", "changes")
        with suppress(urllib.error.URLError):
            target.call("DELETE", f"/connectors/{prefix}")
        time.sleep(2)
        connection.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active")
    return figures


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cdc", description=__doc__)
    parser.add_argument("--anchor", metavar="REST=BOOTSTRAP", help="a JVM worker with Debezium to measure beside ours")
    parser.add_argument("--anchor-pid", type=int, metavar="PID", help="the JVM worker's process, for its processor time")
    parser.add_argument("--pg", metavar="DSN", help="a PostgreSQL with wal_level=logical (default: one is started)")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--changes", type=int, default=200_000)
    options = parser.parse_args(arguments)
    with ours() as own, postgres() as started_dsn:
        targets = [own]
        if options.anchor:
            rest, _, bootstrap = options.anchor.partition("=")
            targets.insert(0, Target("anchor", rest, bootstrap, options.anchor_pid))
        results = {target.name: measure(target, options.pg or started_dsn, options.rows, options.changes) for target in targets}
    budgets = {"snapshot_rows_per_second": 30_000, "stream_changes_per_second": 25_000}
    for figure, value in results["penstock"].items():
        anchor = results.get("anchor", {}).get(figure)
        beside = f"; anchor {anchor:,.0f}, ratio {value / anchor:.2f}" if anchor else ""
        budget = (
            f"; budget > {budgets[figure]:,}: {'within' if value > budgets[figure] else 'UNDER'}" if figure in budgets else ""
        )
        print(f"{figure:44} {value:12,.1f}{budget}{beside}", flush=True)
