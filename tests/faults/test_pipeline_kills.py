"""The main job under kill -9: a Postgres table, the log, an S3 bucket; workers and the broker killed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import pipeline


def source_config(postgres: Any, database: str) -> dict[str, str]:
    """A Debezium user's configuration, as it is."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "tasks.max": "1",
        "database.hostname": postgres.host,
        "database.port": str(postgres.port),
        "database.user": postgres.user,
        "database.password": postgres.password or "",
        "database.dbname": database,
        "topic.prefix": "shop",
        "table.include.list": f"public.{pipeline.TABLE}",
        "publication.autocreate.mode": "filtered",
        "slot.name": f"slot_{database}",
        "publication.name": f"pub_{database}",
        "decimal.handling.mode": "string",
    }


def sink_config(s3: Any, bucket: str, flush_size: int) -> dict[str, str]:
    """A Confluent user's configuration, as it is."""
    return {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector",
        "tasks.max": "1",
        "topics": f"shop.public.{pipeline.TABLE}",
        "s3.bucket.name": bucket,
        "s3.region": "us-east-1",
        "store.url": s3.endpoint,
        "s3.path.style.access.enabled": "true",
        "aws.access.key.id": s3.access_key,
        "aws.secret.access.key": s3.secret_key,
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
        "s3.compression.type": "gzip",
        "flush.size": str(flush_size),
        "rotate.schedule.interval.ms": "3000",
        "timezone": "UTC",
        "behavior.on.null.values": "ignore",
    }


def run_pipeline(
    broker: Any,
    start_cluster: Callable[..., Any],
    postgres: Any,
    s3: Any,
    *,
    changes: int,
    kills: int,
    per_second: float,
    seed: int = 7,
) -> None:
    """Changes under kills; then the bucket must equal the table, and hold every change that was committed."""
    database = postgres.database(f"kills{time.monotonic_ns() % 10**9}")
    bucket = s3.bucket()
    rows = 2_000
    with postgres.connect(dbname=database) as connection:
        pipeline.create_table(connection, rows)
    cluster = start_cluster(broker.bootstrap, workers=2)
    cluster.put("source", source_config(postgres, database))
    cluster.put("sink", sink_config(s3, bucket, flush_size=5_000))
    cluster.wait_running("source")

    # Only what changes after the snapshot must arrive change by change.
    pipeline.wait_for_records(broker.bootstrap, f"shop.public.{pipeline.TABLE}", rows)
    workload = pipeline.Workload(lambda: postgres.connect(dbname=database), changes, rows, seed, per_second)
    workload.start()
    for kill in range(kills):
        wait_for_progress(workload, changes * (2 * kill + 1) // (2 * kills + 1))
        worker = cluster.host(("sink", "source")[kill % 2])
        worker.kill()
        time.sleep(1)
        worker.start()
        wait_for_progress(workload, changes * (2 * kill + 2) // (2 * kills + 1))
        broker.kill()
        time.sleep(0.5)
        broker.restart()
    workload.join(600)
    assert workload.failure is None, workload.failure
    assert workload.done >= changes

    with postgres.connect(dbname=database) as connection:

        def read() -> tuple[dict[int, Any], dict[int, Any]]:
            return pipeline.read_table(connection), pipeline.as_table(pipeline.fold(pipeline.read_objects(s3.client, bucket)))

        pipeline.wait_equal(read, timeout_seconds=60)
    records = pipeline.read_objects(s3.client, bucket)
    seen = {(row["id"], row["version"]) for record in records if (row := record["after"])}
    lost = workload.ledger - seen
    assert not lost, f"{len(lost)} committed changes never reached the bucket, such as {sorted(lost)[:5]}"
    print(f"{len(records)} records for {changes} changes and {rows} rows; {kills} worker and {kills} broker kills; 0 lost")


def wait_for_progress(workload: pipeline.Workload, done: int) -> None:
    while workload.done < done and workload.is_alive():
        time.sleep(0.02)


def test_nothing_is_lost_when_workers_and_broker_are_killed(log: Any, start_cluster: Any, postgres: Any, s3: Any) -> None:
    run_pipeline(log, start_cluster, postgres, s3, changes=10_000, kills=2, per_second=600)


@pytest.mark.long
def test_100_000_changes_and_ten_kills_on_the_log(log: Any, start_cluster: Any, postgres: Any, s3: Any) -> None:
    run_pipeline(log, start_cluster, postgres, s3, changes=100_000, kills=5, per_second=2_000)


@pytest.mark.long
def test_100_000_changes_and_ten_kills_on_apache_kafka(kafka: Any, start_cluster: Any, postgres: Any, s3: Any) -> None:
    run_pipeline(kafka, start_cluster, postgres, s3, changes=100_000, kills=5, per_second=2_000)
