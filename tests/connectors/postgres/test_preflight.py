"""What validation finds on a real server, and that its SQL mends it."""

from __future__ import annotations

import socket

import pytest

from tests.connectors.postgres.driver import Database

TABLE = "create table t (id int primary key)"


def keys_of(db: Database, **keys: object) -> list[str]:
    return [problem.key for problem in db.source(**keys).check()]


def test_nothing_to_complain_about_and_nothing_changed(db: Database) -> None:
    db.run(TABLE)
    assert db.source().check() == []
    assert db.run("select count(*) from pg_publication") == [(0,)]


def test_a_running_connector_validates(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        reader.streaming()
        assert db.source().check() == []
        assert keys_of(db, topic_prefix="another") == ["slot.name"]


def test_an_unreachable_server(db: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        (problem,) = db.source(database_port=taken.getsockname()[1]).check()
    assert problem.key == "database.hostname"
    assert "Connection refused" in problem.message


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"database_password": "wrong"}, "database.password"),
        ({"database_user": "nobody_here"}, "database.password"),
        ({"database_dbname": "no_such_db"}, "database.dbname"),
        ({"database_sslmode": "require"}, "database.sslmode"),
    ],
)
def test_a_refused_connection_names_the_key(db: Database, keys: dict[str, str], key: str) -> None:
    assert keys_of(db, **keys) == [key]


def test_tables(db: Database) -> None:
    db.run('create table "No Key" (a int); create table t (id int primary key)')
    assert keys_of(db, table_include_list="public.nix") == ["table.include.list"]
    (problem,) = db.source().check()
    assert "public.No Key" in problem.message
    db.run(problem.remedy.split("or: ")[1])
    assert db.source().check() == []


def test_a_partitioned_table_by_its_root_alone(db: Database) -> None:
    db.run("create table p (id int primary key) partition by list (id); create table p_1 partition of p for values in (1)")
    (problem,) = db.source(table_include_list="public.p").check()
    assert "publish.via.partition.root" in problem.remedy
    assert db.source(table_include_list="public.p", publish_via_partition_root="true").check() == []


def test_a_user_without_rights(db: Database) -> None:
    db.run(f"create table t (id int primary key); create role plain_{db.name[-20:]} login password 'secret'")
    user = f"plain_{db.name[-20:]}"
    try:
        source = db.source(database_user=user, database_password="secret")
        problems = source.check()
        assert [problem.key for problem in problems] == [
            "database.user", "publication.autocreate.mode", "table.include.list", "publication.autocreate.mode",
        ]  # fmt: skip
        for problem in problems[:3]:
            db.run(problem.remedy)
        assert [problem.key for problem in source.check()] == ["publication.autocreate.mode"]
        db.run("create publication dbz_publication for table t")
        disabled = db.source(database_user=user, database_password="secret", publication_autocreate_mode="disabled")
        assert disabled.check() == []
    finally:
        db.run(f"drop owned by {user}; drop role {user}")


def test_a_slot_of_another_kind(db: Database) -> None:
    db.run(TABLE)
    db.run("select pg_create_logical_replication_slot(%s, 'test_decoding')", f"slot_{db.name}")
    (problem,) = db.source().check()
    assert "test_decoding" in problem.message


def test_a_publication_that_should_be_there(db: Database) -> None:
    db.run(TABLE)
    (problem,) = db.source(publication_autocreate_mode="disabled").check()
    db.run(problem.remedy)
    assert db.source(publication_autocreate_mode="disabled").check() == []


def test_all_tables_is_served_when_asked_for(db: Database) -> None:
    db.run(TABLE)
    with db.reader(publication_autocreate_mode="all_tables") as reader:
        reader.streaming()
    assert db.run("select puballtables from pg_publication") == [(True,)]
