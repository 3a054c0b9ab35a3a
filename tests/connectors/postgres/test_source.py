"""The source against a real server: snapshot, stream, and what a kill at any moment may not lose."""

from __future__ import annotations

import threading
import time

import pytest

from connect.api import ConfigError, DataError, RetriableError
from tests.connectors.postgres.driver import Database, Reader, fold, ops

TABLE = "create table t (id int primary key, k int, val text); insert into t select i, i, 'v' || i from generate_series(1, 3) i"


def test_a_snapshot_marks_its_first_and_last_records(db: Database) -> None:
    db.run("create table a (id int primary key); create table b (id int primary key); create table c (id int primary key)")
    db.run("insert into a values (1), (2), (3); insert into b values (1)")
    with db.reader() as reader:
        reader.until(lambda: bool(reader.checkpoints))
        seen = [(record.topic, record.value["source"]["snapshot"]) for record in reader.records]
        assert seen == [
            ("srv.public.a", "first"),
            ("srv.public.a", "true"),
            ("srv.public.a", "last_in_data_collection"),
            ("srv.public.b", "last"),
        ]
        assert {record.value["op"] for record in reader.records} == {"r"}
        assert reader.checkpoints[0]["snapshot_completed"] is True


def test_changes_follow_the_snapshot_without_gap_or_overlap(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        assert ops(reader.take(3)) == [("r", {"id": 1}), ("r", {"id": 2}), ("r", {"id": 3})]
        db.run("insert into t values (4, 4, 'neu: ü€')")
        db.run("update t set k = 0 where id = 1")
        db.run("delete from t where id = 2")
        db.run("update t set id = 30 where id = 3")
        records = reader.take(7)
    assert ops(records) == [
        ("c", {"id": 4}), ("u", {"id": 1}), ("d", {"id": 2}), ("-", {"id": 2}),
        ("d", {"id": 3}), ("-", {"id": 3}), ("c", {"id": 30}),
    ]  # fmt: skip
    create, update, delete, _, moved_from, _, moved_to = records
    assert create.value["after"] == {"id": 4, "k": 4, "val": "neu: ü€"}
    assert create.value["before"] is None
    assert update.value["before"] is None
    assert delete.value["before"] == {"id": 2, "k": None, "val": None}
    assert delete.value["after"] is None
    assert moved_from.headers[0][:2] == ("__debezium.newkey", {"id": 30})
    assert moved_to.headers[0][:2] == ("__debezium.oldkey", {"id": 3})
    assert [header.name.removeprefix("__debezium.context.") for header in create.headers] == [
        "connectorLogicalName", "taskId", "connectorName", "runId",
    ]  # fmt: skip
    source = create.value["source"]
    assert (source["schema"], source["table"], source["snapshot"], source["db"]) == ("public", "t", "false", db.name)
    assert source["sequence"] == f'[null,"{source["lsn"]}"]'
    lsns = [record.value["source"]["lsn"] for record in records if record.value]
    assert lsns == sorted(lsns)


def test_tombstones_headers_and_operations_can_be_switched_off(db: Database) -> None:
    db.run(TABLE)
    keys = {"tombstones_on_delete": "false", "extended_headers_enabled": "false", "skipped_operations": "u"}
    with db.reader(snapshot_mode="no_data", **keys).streaming() as reader:
        db.run("update t set k = 0; delete from t where id = 1; truncate t; insert into t values (9)")
        records = reader.take(3)
    assert ops(records) == [("d", {"id": 1}), ("t", None), ("c", {"id": 9})]
    assert records[0].headers == ()


def test_truncate_is_left_out_by_default(db: Database) -> None:
    db.run(TABLE)
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("truncate t; insert into t values (9)")
        assert ops(reader.take(1)) == [("c", {"id": 9})]


def test_columns_that_come_and_go_show_from_the_next_row_on(db: Database) -> None:
    db.run(TABLE)
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("insert into t values (4)")
        db.run("alter table t add column extra numeric(5,2) default 1.5; insert into t values (5)")
        db.run("alter table t drop column val; alter table t rename column k to renamed; insert into t values (6)")
        rows = [record.value["after"] for record in reader.take(3)]
    assert [list(row) for row in rows] == [["id", "k", "val"], ["id", "k", "val", "extra"], ["id", "renamed", "extra"]]
    assert str(rows[1]["extra"]) == "1.50"


def test_unchanged_values_out_of_line_are_marked_or_taken_from_the_old_row(db: Database) -> None:
    db.run("create table t (id int primary key, k int, val text); alter table t alter val set storage external")
    db.run("insert into t values (1, 1, repeat('x', 10000))")
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("update t set k = 2")
        db.run("alter table t replica identity full; update t set k = 3")
        first, second = reader.take(2)
    assert first.value["after"] == {"id": 1, "k": 2, "val": "__debezium_unavailable_value"}
    assert second.value["after"] == {"id": 1, "k": 3, "val": "x" * 10000}
    assert second.value["before"] == {"id": 1, "k": 2, "val": "x" * 10000}


def test_unchanged_values_out_of_line_that_are_no_text_are_null_unless_the_old_row_has_them(db: Database) -> None:
    db.run("create table t (id int primary key, k int, val int[]); alter table t alter val set storage external")
    db.run("insert into t select 1, 1, array_agg(g) from generate_series(1, 5000) g")
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("update t set k = 2")
        db.run("alter table t replica identity full; update t set k = 3")
        first, second = reader.take(2)
    assert first.value["after"] == {"id": 1, "k": 2, "val": None}
    assert second.value["after"] == {"id": 1, "k": 3, "val": list(range(1, 5001))}


def test_a_deletion_fills_required_columns_with_zeros(db: Database) -> None:
    db.run("create table t (id int primary key, k int not null, val text not null, n numeric(5,2) not null)")
    db.run("insert into t values (1, 7, 'x', 1)")
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("delete from t")
        deletion, _ = reader.take(2)
    assert deletion.value["before"] == {"id": 1, "k": 0, "val": "", "n": 0}


def test_filters_choose_tables_and_columns_but_keep_the_key(db: Database) -> None:
    db.run("create table t (a int, b int, secret text, primary key (b, a)); create table other (id int primary key)")
    db.run("insert into t values (1, 2, 's'); insert into other values (1)")
    with db.reader(table_include_list=r"public\.t", column_exclude_list=r"public\.t\.(secret|a)") as reader:
        (row,) = reader.take(1)
        db.run("insert into other values (2); insert into t values (3, 4, 's')")
        (change,) = reader.take(1)
    assert list(row.key.items()) == [("b", 2), ("a", 1)]
    assert row.value["after"] == {"a": 1, "b": 2}
    assert change.value["after"] == {"a": 3, "b": 4}


@pytest.mark.parametrize(("via_root", "topics"), [("false", {"srv.public.p_a", "srv.public.p_b"}), ("true", {"srv.public.p"})])
def test_a_partitioned_table_gives_each_row_once(db: Database, via_root: str, topics: set[str]) -> None:
    db.run("create table p (id int, r text, primary key (id, r)) partition by list (r)")
    db.run("create table p_a partition of p for values in ('a'); create table p_b partition of p for values in ('b')")
    db.run("insert into p values (1, 'a'), (2, 'b')")
    with db.reader(publish_via_partition_root=via_root) as reader:
        snapshot = reader.take(2)
        reader.streaming()
        db.run("insert into p values (3, 'a'), (4, 'b')")
        stream = reader.take(2)
    assert {record.topic for record in snapshot} == topics
    assert {record.topic for record in stream} == topics


def test_the_slot_moves_only_when_the_offset_is_durable(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        reader.take(3)
        reader.streaming()
        before = db.slot()["confirmed"]
        db.run("insert into t values (4)")
        reader.take(1)
        reader.settle()
        reader.source.keep_alive()
        time.sleep(0.2)
        assert db.slot()["confirmed"] == before
        reader.commit()
        reader.until(lambda: db.slot()["confirmed"] > before)


def test_an_idle_stream_offers_positions_so_that_other_writes_do_not_pin_wal(db: Database) -> None:
    db.run(TABLE + "; create table elsewhere (id int)")
    with db.reader(table_include_list="public.t") as reader:
        reader.take(3)
        reader.streaming()
        db.run("insert into elsewhere select generate_series(1, 1000)")
        target = db.run("select (pg_current_wal_lsn() - '0/0')::bigint")[0][0]
        reader.until(lambda: bool(reader.offset and reader.offset["lsn"] >= target))
        reader.commit()
        reader.until(lambda: db.slot()["confirmed"] >= target)


def test_a_restart_within_a_transaction_repeats_nothing_and_loses_nothing(db: Database) -> None:
    db.run("create table t (id int primary key, k int, val text)")
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        db.run("begin; insert into t select generate_series(1, 5); update t set k = id; delete from t where id = 5; commit")
        db.run("insert into t values (6)")
        everything = reader.take(13)
    for cut, record in enumerate(everything[:-1]):
        if record.offset is None:
            continue  # the first of two records of one change
        with db.reader(record.offset) as again:
            assert ops(again.take(12 - cut)) == ops(everything[cut + 1 :])


def test_rows_that_share_an_lsn_are_told_apart(db: Database) -> None:
    db.run("create table t (id int primary key)")
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        with db.connection.cursor().copy("copy t from stdin") as copy:
            copy.write("".join(f"{i}\n" for i in range(100)))
        everything = reader.take(100)
    lsns = {record.value["source"]["lsn"] for record in everything}
    assert len(lsns) < 100, "COPY was expected to write several rows under one LSN"
    with db.reader(everything[40].offset) as again:
        assert [record.key["id"] for record in again.take(59)] == list(range(41, 100))


def test_a_snapshot_cut_short_begins_anew_on_the_same_slot(db: Database) -> None:
    db.run("create table t (id int primary key, k int); insert into t select i, 0 from generate_series(1, 5000) i")
    log = []
    with db.reader() as reader:
        reader.step()
        reader.until(lambda: bool(reader.records))
        assert not reader.checkpoints, "the snapshot is not over yet"
        log += reader.records
        first_slot = db.slot()
    db.run("update t set k = 1 where id % 2 = 0; delete from t where id % 5 = 0; insert into t values (6000, 6)")
    with db.reader(log[-1].offset) as reader:
        reader.until(
            lambda: bool(reader.records) and reader.records[-1].key == {"id": 6000} and reader.records[-1].value["op"] == "c"
        )
        log += reader.records
    assert db.slot()["restart"] == first_slot["restart"]
    assert fold(log) == {(id_,): {"id": id_, "k": k} for id_, k in db.run("select id, k from t")}


def test_a_kill_after_the_snapshot_loses_no_change_of_a_transaction_that_was_open(db: Database) -> None:
    """The change is written before the second snapshot, commits after it, and must win over the snapshot's row."""
    db.run("create table t (id int primary key, k int); insert into t values (1, 0), (2, 0)")
    log = []
    with db.reader() as reader:
        log += reader.take(2)
    writer = db.server.connect(dbname=db.name)
    writer.execute("update t set k = 7 where id = 1")
    db.run("set synchronous_commit = on")
    db.run("update t set k = 8 where id = 2")  # moves the WAL beyond the open transaction's change
    with db.reader(None) as reader:
        reader.until(lambda: bool(reader.checkpoints))
        writer.commit()
        reader.until(lambda: any(r.value["op"] == "u" and r.key == {"id": 1} for r in reader.records))
        log += reader.records
    writer.close()
    assert fold(log) == {(1,): {"id": 1, "k": 7}, (2,): {"id": 2, "k": 8}}


def test_folding_by_lsn_yields_the_table_under_load_and_kills(db: Database) -> None:
    """A ledger: a writer goes on while runs are cut short at all stages, from whatever offset was stored."""
    db.run("create table t (id int primary key, k int); insert into t select i, 0 from generate_series(1, 3000) i")
    stop = threading.Event()

    def write() -> None:
        with db.server.connect(dbname=db.name, autocommit=True) as writer:
            for n in range(10_000):
                if stop.is_set():
                    return
                writer.execute("update t set k = k + 1 where id = %s", (n % 3000 + 1,))
                writer.execute("delete from t where id = %s", (n * 7 % 3000 + 1,))
                writer.execute("insert into t values (%s, %s) on conflict (id) do update set k = -1", (n * 11 % 3000 + 1, n))
                writer.execute(
                    "insert into t select %s, 0 where not exists (select from t where id = %s)", (n + 10_000, n + 10_000)
                )

    thread = threading.Thread(target=write)
    thread.start()
    log, stored = [], None
    try:
        for run in range(8):
            with db.reader(stored) as reader:
                reader.until(lambda reader=reader, run=run: len(reader.records) > (run % 4) * 1500)
                log += reader.records
                if run % 2:
                    stored = reader.offset
                    reader.commit()
    finally:
        stop.set()
        thread.join()
    marker = 999_999
    db.run("insert into t values (%s, 0)", marker)
    with db.reader(stored) as reader:
        reader.until(lambda: any(r.key == {"id": marker} and r.value and r.value["op"] == "c" for r in reader.records))
        log += reader.records
    assert fold(log) == {(id_,): {"id": id_, "k": k} for id_, k in db.run("select id, k from t")}


def test_a_slot_in_use_is_waited_for(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as first:
        first.take(3)
        first.streaming()
        with Reader(db.source(), first.offset) as second, pytest.raises(RetriableError, match="active for PID"):
            second.streaming()
    with db.reader(first.offset) as third:
        third.streaming()


def test_a_slot_that_is_gone_is_a_gap_not_a_fresh_start(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        reader.take(3)
        reader.streaming()
        db.run("insert into t values (4)")
        reader.take(1)
    with db.server.connect(autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %s", (f"slot_{db.name}",)
        )
        admin.execute("select pg_drop_replication_slot(%s)", (f"slot_{db.name}",))
    with (
        db.reader(reader.offset) as again,
        pytest.raises(ConfigError, match=r"Changes are missing.*snapshot\.mode=when_needed"),
    ):
        again.streaming()
    with db.reader(reader.offset, snapshot_mode="when_needed") as again:
        assert len(again.take(4)) == 4


def test_a_slot_beyond_the_offset_is_a_gap(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        reader.take(3)
        reader.streaming()
        db.run("insert into t values (4)")
        reader.take(1)
        reader.settle()
        old = reader.offset
        db.run("insert into t values (5)")
        reader.take(1)
        reader.settle()
        reader.commit()
        reader.until(lambda: db.slot()["confirmed"] > old["lsn_commit"])
    with db.reader(old) as again, pytest.raises(ConfigError, match="beyond the stored offset"):
        again.streaming()


def test_a_broken_connection_is_retriable(db: Database) -> None:
    db.run(TABLE)
    with db.reader() as reader:
        reader.take(3)
        reader.streaming()
        db.run("select pg_terminate_backend(%s)", db.slot()["pid"])
        with pytest.raises(RetriableError):
            reader.until(lambda: False, seconds=10)


def test_a_value_that_does_not_convert_names_its_row(db: Database) -> None:
    db.run("create table t (id int primary key, ts timestamp); insert into t values (7, '294276-12-31')")
    with db.reader() as reader, pytest.raises(DataError, match=r"public\.t .*294276-12-31.*The row begins: 7"):
        reader.until(lambda: False)


def test_a_snapshot_only_run_ends_and_leaves_no_slot(db: Database) -> None:
    db.run(TABLE)
    with db.reader(snapshot_mode="initial_only") as reader:
        with pytest.raises(StopIteration):
            reader.until(lambda: False)
        assert len(reader.records) == 3
    assert db.run("select 1 from pg_replication_slots where slot_name = %s", f"slot_{db.name}") == []
    with db.reader(reader.offset, snapshot_mode="initial_only") as again, pytest.raises(StopIteration):
        again.until(lambda: False)
    assert again.records == []


def test_a_table_without_identity_is_never_published(db: Database) -> None:
    db.run("create table t (a int); insert into t values (1)")
    with (
        db.reader() as reader,
        pytest.raises(ConfigError, match=r'public\.t: no primary key.*ALTER TABLE "public"\."t" REPLICA IDENTITY FULL'),
    ):
        reader.until(lambda: False)
    db.run("update t set a = 2")  # the application is not disturbed
    db.run("alter table t replica identity full")
    with db.reader() as reader:
        (row,) = reader.take(1)
    assert (row.key, row.key_schema) == (None, None)


def test_a_change_is_handed_over_at_once(db: Database) -> None:
    db.run(TABLE)
    db.run("set synchronous_commit = on")  # the test server's default leaves WAL unsent for up to 0.2 s
    with db.reader(snapshot_mode="no_data").streaming() as reader:
        taken = []
        for i in range(10, 20):
            db.run("insert into t values (%s)", i)
            began = time.monotonic()
            reader.take(1)
            while reader.step():  # up to the None that lets the caller send the record
                pass
            taken.append(time.monotonic() - began)
    assert sorted(taken)[5] < 0.1
