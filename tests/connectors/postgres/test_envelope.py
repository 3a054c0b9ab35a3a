"""Schemas, to the byte: JSON with schemas of records that Debezium 3.7 wrote has the length that ours has."""

import pytest

from connect.converters.json_converter import JsonConverter
from connectors.postgres.envelope import Server, Table
from connectors.postgres.rows import Column
from connectors.postgres.values import Modes, PgType, column_type

TYPES = {23: PgType(23, "int4"), 25: PgType(25, "text")}


def column(name: str, oid: int, key: int | None = None) -> Column:
    chosen = column_type(oid, -1, TYPES, Modes(), name)
    assert chosen
    return Column(name, chosen, optional=key is None, key=key)


NOPK = [column("a", 23), column("b", 25)]
PART = [column("id", 23, 0), column("r", 25, 1)]


@pytest.mark.parametrize(
    ("table", "columns", "after", "lsn", "size"),
    [("nopk", NOPK, {"a": 1, "b": "x"}, 27412320, 2525), ("part", PART, {"id": 2, "r": "b"}, 27412320, 2532)],
)
def test_a_record_with_its_schema_has_debeziums_size(
    table: str, columns: list[Column], after: dict, lsn: int, size: int
) -> None:
    source = {
        "version": "3.7.0.Final", "connector": "postgresql", "name": "srv", "ts_ms": 1795243796040,
        "snapshot": "last_in_data_collection", "db": "cdc", "sequence": f'[null,"{lsn}"]', "ts_us": 1795243796040842,
        "ts_ns": 1795243796040842000, "schema": "public", "table": table, "txId": 744, "lsn": lsn,
        "xmin": None, "origin": None, "origin_lsn": None,
    }  # fmt: skip
    value = {
        "before": None, "after": after, "source": source, "transaction": None, "op": "r",
        "ts_ms": 1795243796655, "ts_us": 1795243796655152, "ts_ns": 1795243796655152257,
    }  # fmt: skip
    converter = JsonConverter(JsonConverter.config_class(), is_key=False)
    schema = Table(Server("srv", "cdc"), "public", table, columns).value_schema
    (encoded,) = converter.encode("t", schema, [value])
    assert encoded
    assert len(encoded) == size
