"""What a person gets to read who makes a mistake, from a real `penstock up` and a real PostgreSQL."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.fix_log import LogProcess
from tests.fix_postgres import TestPostgres, start_postgres
from tests.fix_up import PROGRAMS, Up

SAMPLES = Path(__file__).parents[2] / "config" / "connectors"
SOURCE: dict[str, str] = json.loads((SAMPLES / "postgres-source.json").read_text())
SINK: dict[str, str] = json.loads((SAMPLES / "files-sink.json").read_text())
AVRO = "io.confluent.connect.s3.format.avro.AvroFormat"


def errors_of(up: Up, config: dict[str, str]) -> list[str]:
    """The errors, one a line, that stand in the answer to a PUT; the status is 400 and nothing is stored."""
    status, body = up.request("PUT", "/connectors/wrong/config", config)
    assert (status, body["error_code"]) == (400, 400), body
    assert up.request("GET", "/connectors/wrong")[0] == 404
    head, *errors, tail = body["message"].splitlines()
    assert head == f"Connector configuration is invalid and contains the following {len(errors)} error(s):"
    assert "config/validate" in tail
    return errors


def test_every_error_at_once_with_the_key_that_was_meant(up: Up) -> None:
    wrong = {
        **SOURCE,
        "tasks.maxx": "1",
        "database.port": "abc",
        "snapshot.mode": "sometimes",
        "key.converter": "org.apache.kafka.connect.json.JsonConvertr",
        "transforms": "a",
        "transforms.a.type": "InsertFeild",
    }
    errors = errors_of(up, wrong)
    assert len(errors) == 5
    told = "\n".join(errors)
    assert "Unknown configuration \"tasks.maxx\". Did you mean 'tasks.max'?" in errors
    assert "Invalid value abc for configuration database.port: Not a number of type INT" in errors
    assert "Invalid value sometimes for configuration snapshot.mode: String must be one of: initial," in told
    assert "Did you mean 'org.apache.kafka.connect.json.JsonConverter'?" in told
    assert "Did you mean 'InsertField'?" in told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "io.debezium.connector.postgresql.PostgresConector",
            "Did you mean 'io.debezium.connector.postgresql.PostgresConnector'?",
        ),
        ("io.debezium.connector.mysql.MySqlConnector", "io.debezium.connector.mysql.MySqlConnector is not supported yet."),
    ],
)
def test_a_class_that_is_not_there(up: Up, name: str, says: str) -> None:
    status, body = up.request("PUT", "/connectors/wrong/config", {**SOURCE, "connector.class": name})
    assert status == 400
    assert body["message"].endswith(says)


def test_a_key_that_the_anchor_knows_is_refused_or_accepted_with_a_warning_that_names_it(up: Up) -> None:
    assert errors_of(up, {**SINK, "format.class": AVRO, "s3.acl.canned": "private"}) == [
        "Invalid value private for configuration s3.acl.canned: not supported yet. Leave it out.",
        f"Invalid value {AVRO} for configuration format.class: AvroFormat is not supported yet. Choose one of: json",
    ]
    config = {**SINK, "store.url": f"file://{up.directory}/warned", "topics": "none", "errors.retry.timeout": "1000"}
    status, body = up.request("PUT", "/connectors/warned/config", config)
    assert status == 201
    (warning,) = body["penstock"]["warnings"]
    assert warning.startswith("errors.retry.timeout has no effect")
    assert up.request("DELETE", "/connectors/warned")[0] == 204


def test_the_body_of_a_post_in_a_put(up: Up) -> None:
    (error,) = errors_of(up, {"name": "wrong", "config": SOURCE})  # type: ignore[dict-item]
    assert "which POST /connectors takes" in error


@pytest.fixture(scope="module")
def server() -> Iterator[TestPostgres]:
    """A server with room for one slot."""
    with tempfile.TemporaryDirectory(prefix="penstock-test-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = start_postgres(Path(folder) / "server", wal_level="replica", max_replication_slots="1")
        with server.connect(autocommit=True) as connection:
            connection.execute("create role reader login password 'reader'")
            connection.execute("create table orders (id int primary key, item text)")
            connection.execute("create table notes (note text)")
        yield server
        server.stop()


@pytest.fixture
def config(server: TestPostgres) -> dict[str, str]:
    """The sample, for this server."""
    return {**SOURCE, "database.port": str(server.port), "database.user": server.user, "database.password": server.password}


def with_wal_level(server: TestPostgres, level: str) -> TestPostgres:
    if server.settings["wal_level"] != level:
        server.stop()
        server.settings = {**server.settings, "wal_level": level}
        server.start()
    return server


@pytest.fixture
def logical(server: TestPostgres) -> TestPostgres:
    return with_wal_level(server, "logical")


def test_a_server_that_cannot_be_reached(up: Up) -> None:
    (error,) = errors_of(up, {**SOURCE, "database.port": "1"})
    assert error.startswith("Cannot connect to PostgreSQL at 127.0.0.1:1: ")
    assert "Connection refused" in error
    (error,) = errors_of(up, {**SOURCE, "database.hostname": "nowhere.invalid"})
    assert 'could not translate host name "nowhere.invalid"' in error


def test_a_wrong_password(up: Up, logical: TestPostgres, config: dict[str, str]) -> None:
    (error,) = errors_of(up, {**config, "database.password": "s3cret"})
    assert 'password authentication failed for user "postgres".' in error
    assert "s3cret" not in error


def test_a_wal_level_that_is_not_logical(up: Up, server: TestPostgres, config: dict[str, str]) -> None:
    with_wal_level(server, "replica")
    assert errors_of(up, config) == [
        "The server's wal_level is replica, not logical. ALTER SYSTEM SET wal_level = 'logical'; then restart the server."
    ]


def test_no_slot_is_free(up: Up, logical: TestPostgres, config: dict[str, str]) -> None:
    with logical.connect(autocommit=True) as connection:
        connection.execute("select pg_create_physical_replication_slot('taken')")
        try:
            (error,) = errors_of(up, config)
        finally:
            connection.execute("select pg_drop_replication_slot('taken')")
    assert error.startswith("All 1 replication slots are taken. ALTER SYSTEM SET max_replication_slots = ")


def test_no_permission(up: Up, logical: TestPostgres, config: dict[str, str]) -> None:
    errors = errors_of(up, {**config, "database.user": "reader", "database.password": "reader"})
    assert errors[:3] == [
        'reader may not replicate. ALTER ROLE "reader" REPLICATION;',
        'reader may not create a publication. GRANT CREATE ON DATABASE "postgres" TO "reader";',
        'reader may not read public.orders. GRANT SELECT ON "public"."orders" TO "reader";',
    ]
    assert 'CREATE PUBLICATION "penstock_orders" FOR TABLE "public"."orders";' in errors[3]


def test_a_table_without_a_primary_key(up: Up, logical: TestPostgres, config: dict[str, str]) -> None:
    config = {**config, "table.include.list": "public\\.notes"}
    (error,) = errors_of(up, config)
    assert error.startswith("public.notes has no primary key and no replica identity")
    assert 'ALTER TABLE "public"."notes" REPLICA IDENTITY FULL;' in error
    status, body = up.request("PUT", "/connector-plugins/PostgresConnector/config/validate", {**config, "name": "x"})
    wrong = [(found["value"]["name"], found["value"]["errors"]) for found in body["configs"] if found["value"]["errors"]]
    assert (status, body["error_count"], wrong) == (200, 1, [("table.include.list", [error])])


def test_a_record_that_does_not_convert_is_named(up: Up) -> None:
    producer = Producer({"bootstrap.servers": up.bootstrap})
    for value in (b'{"a": 1}', b"not JSON", b'{"a": 2}'):
        producer.produce("things", value)
    producer.flush(10)
    config = {**SINK, "store.url": f"file://{up.directory}/things", "topics": "things"}
    assert up.request("PUT", "/connectors/things/config", config)[0] == 201
    task = wait_for_failure(up, "things")
    assert task["trace"].startswith("VALUE_CONVERTER at things-0@1: DataError: Converting byte[] to Kafka Connect data failed")
    assert up.request("DELETE", "/connectors/things")[0] == 204


def wait_for_failure(up: Up, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        tasks = up.request("GET", f"/connectors/{name}/status")[1]["tasks"]
        for task in tasks:
            if task["state"] == "FAILED":
                return dict(task)
        time.sleep(0.1)
    raise AssertionError(f"no task of {name} has failed: {tasks}")


def refused(*command: str, cwd: Path) -> str:
    """The one line that a command leaves behind that ends with exit code 3."""
    done = subprocess.run(
        [str(PROGRAMS / "penstock"), *command], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


FREE = ("--kafka-port", "0", "--connect-port", "0")


def test_up_twice(up: Up, tmp_path: Path) -> None:
    assert up.process
    assert f"is in use by another `penstock up` (pid {up.process.pid})" in refused("up", *FREE, cwd=up.directory)
    kafka, connect = up.bootstrap.rpartition(":")[2], up.url.rpartition(":")[2]
    assert refused("up", "--kafka-port", kafka, "--connect-port", "0", cwd=tmp_path) == (
        f"Port {kafka} cannot be had: another program uses it, perhaps another `penstock up`. Choose another with --kafka-port."
    )
    assert refused("up", "--kafka-port", "0", "--connect-port", connect, cwd=tmp_path).endswith(
        "Choose another with --connect-port."
    )
    assert up.request("GET", "/connectors") == (200, [])


def test_a_second_broker_on_the_same_directory_or_port(log: LogProcess, tmp_path: Path) -> None:
    line = refused("broker", "--data", str(log.data), "--port", "0", cwd=tmp_path)
    assert f"in use by another broker (pid {log.pid})" in line
    line = refused("broker", "--data", "other", "--port", str(log.port), cwd=tmp_path)
    assert f"127.0.0.1:{log.port}: the port is in use" in line
    producer = Producer({"bootstrap.servers": log.bootstrap})
    producer.produce("still", b"works")
    assert producer.flush(10) == 0


@pytest.mark.parametrize("command", [("up", *FREE), ("broker", "--port", "0")])
def test_a_data_directory_that_cannot_be_written(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    line = refused(*command, "--data", "file/data", cwd=tmp_path)
    assert f"{tmp_path}/file/data" in line
    assert "--data" in line
    assert (tmp_path / "file").read_text() == "precious"
    if os.geteuid() != 0:  # nothing is forbidden to root
        (tmp_path / "mine").mkdir(mode=0o500)
        assert "Permission denied" in refused(*command, "--data", "mine", cwd=tmp_path)


def test_a_workers_port_in_use(log: LogProcess, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        properties = tmp_path / "worker.properties"
        properties.write_text(
            f"bootstrap.servers={log.bootstrap}\nlisteners=http://127.0.0.1:{port}\ngroup.id=g\nconfig.storage.topic=c\n"
            "offset.storage.topic=o\nstatus.storage.topic=s\nkey.converter=json\nvalue.converter=json\n"
        )
        line = refused("worker", "--config", str(properties), cwd=tmp_path)
    assert line.startswith(f"Cannot listen on http://127.0.0.1:{port}: the port is in use by another program.")


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    first = Up(tmp_path).start()
    config = {**SINK, "store.url": f"file://{tmp_path}/objects", "topics": "kept"}
    assert first.request("PUT", "/connectors/kept/config", config)[0] == 201
    code, said = first.stop()
    assert (code, said.splitlines()[-1]) == (
        0,
        f"Stopped. Everything is kept in {tmp_path}/penstock-data; `penstock up` goes on from there.",
    )
    second = Up(tmp_path).start()
    try:
        assert second.request("GET", "/connectors/kept/config") == (200, {**config, "name": "kept"})
    finally:
        second.end()
