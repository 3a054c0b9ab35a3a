"""What validation finds on servers that are not set up for replication, or have no room for one more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.connectors.postgres.driver import Database
from tests.fix_postgres import start_postgres

ONE_OF_EACH = {"max_replication_slots": "1", "max_wal_senders": "1"}


@contextmanager
def database(**settings: str) -> Iterator[Database]:
    """A table on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="penstock-test-postgres-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when tests run as root
        server = start_postgres(Path(folder) / "server", **settings)
        try:
            db = Database(server, server.database("limits"))
            db.run("create table t (id int primary key)")
            yield db
            db.connection.close()
        finally:
            server.stop()


@pytest.fixture(scope="module")
def physical() -> Iterator[Database]:
    with database(wal_level="replica", **ONE_OF_EACH) as db:
        yield db


@pytest.fixture(scope="module")
def logical() -> Iterator[Database]:
    with database(**ONE_OF_EACH) as db:
        yield db


def test_the_wal_level(physical: Database) -> None:
    (problem,) = physical.source().check()
    assert problem.key == "database.hostname"
    assert "wal_level is replica, not logical" in problem.message
    physical.run(problem.remedy.partition(";")[0])
    (written,) = physical.run("select setting from pg_file_settings where name = 'wal_level'")
    assert written == ("logical",)


def test_everything_that_is_missing_at_once(physical: Database) -> None:
    physical.run("select pg_create_physical_replication_slot('standby')")
    with physical.server.connect(replication="database", application_name="standby", autocommit=True):
        level, senders, slots = physical.source().check()
    physical.run("select pg_drop_replication_slot('standby')")
    assert "wal_level" in level.message
    assert (senders.key, senders.message) == ("database.hostname", "All 1 WAL senders are in use.")
    assert "max_wal_senders = 11" in senders.remedy
    assert (slots.key, slots.message) == ("slot.name", "All 1 replication slots are taken.")
    assert "max_replication_slots = 11" in slots.remedy
    for problem in (senders, slots):
        physical.run(problem.remedy.partition(";")[0])


def test_nothing_of_this_matters_to_a_snapshot_alone(physical: Database) -> None:
    assert physical.source(snapshot_mode="initial_only").check() == []


def test_a_connector_does_not_stand_in_its_own_way(logical: Database) -> None:
    with logical.reader() as reader:
        reader.streaming()
        assert logical.source().check() == []
        problems = logical.source(topic_prefix="another", slot_name="another").check()
    assert [problem.message for problem in problems] == [
        "All 1 WAL senders are in use.",
        "All 1 replication slots are taken.",
    ]
