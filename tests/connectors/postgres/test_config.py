"""The configuration: an existing Debezium JSON works as it is, and no key of Debezium's is unknown."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.postgres.config import PostgresConfig

REQUIRED = {"topic.prefix": "srv", "database.hostname": "h", "database.user": "u", "database.dbname": "d"}
# `key|default` of every key in the ConfigDef of Debezium's PostgreSQL connector 3.7
KEYS = [line.split("|", 1) for line in (Path(__file__).parent / "debezium_keys.txt").read_text().splitlines()]
# Where our default is another, and why (docs/connectors/postgres.md).
OTHER_DEFAULTS = {"plugin.name", "publication.autocreate.mode"}


def parse(**keys: str) -> PostgresConfig:
    return PostgresConfig.model_validate(REQUIRED | {key.replace("_", "."): value for key, value in keys.items()})


def served() -> dict[str, object]:
    return {field.alias or name.replace("_", "."): field.default for name, field in PostgresConfig.model_fields.items()}


@pytest.mark.parametrize(("key", "default"), KEYS, ids=[key for key, _ in KEYS])
def test_every_key_of_debezium_is_served_or_named_as_not_served(key: str, default: str) -> None:
    if key in served():
        ours = served()[key]
        if key not in OTHER_DEFAULTS and default not in ("null", "") and ours is not None:
            shown = ",".join(ours) if isinstance(ours, tuple) else str(ours).lower() if isinstance(ours, bool) else str(ours)
            assert shown == default.strip("[]"), "a default that differs from Debezium's"
        return
    sample = key.replace("([^.]+)", "SHA-256").replace("(.+)", "x").replace("(d+)", "5")
    assert any(unserved.matches(sample) for unserved in PostgresConfig.unserved)


def test_no_key_is_both_served_and_not_served() -> None:
    assert [key for key in served() for unserved in PostgresConfig.unserved if unserved.matches(key)] == []


def test_the_example_is_valid() -> None:
    example = json.loads(Path("config/connectors/postgres-source.json").read_text())
    runtime_keys = ("name", "connector.class", "tasks.max", "key.converter", "value.converter")
    keys = {key: value for key, value in example.items() if not key.startswith(runtime_keys)}
    config = PostgresConfig.model_validate(keys)
    assert config.filters().table("public", "orders")
    assert not config.filters().table("public", "orders_old")


def test_lists_are_anchored_patterns_in_any_case() -> None:
    filters = parse(table_include_list=r"public\.a.*, PUBLIC\.b", column_exclude_list=r"public\.a1\.secret").filters()
    assert [name for name in ("a1", "b", "b2", "xa") if filters.table("public", name)] == ["a1", "b"]
    assert not filters.table("pg_catalog", "a1")
    assert not filters.column("public", "a1", "secret")
    assert filters.column("public", "a1", "secrets")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"plugin.name": "decoderbufs"}, "pgoutput"),
        ({"table.include.list": "a[", "schema.include.list": "x"}, "no regular expression"),
        ({"table.include.list": "a", "table.exclude.list": "b"}, "exclude each other"),
        ({"provide.transaction.metadata": "true"}, "not supported yet"),
        ({"skipped.operations": "c,x"}, "x: must be none"),
        ({"slot.name": "With-Capitals"}, "slot.name"),
        ({"table.inlcude.list": "a"}, "table.inlcude.list"),
    ],
)
def test_a_wrong_value_says_what_is_right(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PostgresConfig.model_validate(REQUIRED | keys)
    assert message in str(raised.value)


def test_debeziums_words_are_understood() -> None:
    assert parse(snapshot_mode="never").snapshot_mode == "no_data"
    assert parse(skipped_operations="none").skipped_operations == ()
    assert parse(provide_transaction_metadata="false").provide_transaction_metadata is False


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(parse(database_password="hunter2"))
