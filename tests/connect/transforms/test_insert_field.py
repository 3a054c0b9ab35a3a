import pytest

from connect.api import Failure, SinkRecord, SourceRecord, Type, primitive, struct
from connect.api.schema import INT64, STRING, TIMESTAMP_NAME
from connect.transforms.insert_field import InsertField, InsertFieldConfig

ROW = struct(("id", INT64), ("note", primitive(Type.STRING, optional=True, default="none")), name="row")


def transform(target="value", **options):
    return InsertField(InsertFieldConfig(**options), target)


def source(value, schema=None, **more):
    return SourceRecord("orders", value, value_schema=schema, **more)


def sink(value, schema=None):
    return SinkRecord("orders", 2, 77, None, value, None, schema, 1_700_000_000_000, (), None, b"")


ALL = {
    "topic_field": "t!",
    "partition_field": "p",
    "offset_field": "o?",
    "timestamp_field": "ts",
    "static_field": "s",
    "static_value": "fixed",
}


def test_every_option_inserts_its_field_with_its_schema():
    record = sink({"id": 1, "note": "x"}, ROW)
    assert transform(**ALL).transform_batch([record]) == [record]
    inserted = {"t": "orders", "p": 2, "o": 77, "ts": 1_700_000_000_000, "s": "fixed"}
    assert record.value == {"id": 1, "note": "x"} | inserted
    assert record.value_schema is struct(
        ("id", INT64),
        ("note", primitive(Type.STRING, optional=True, default="none")),
        ("t", STRING),
        ("p", primitive(Type.INT32, optional=True)),
        ("o", primitive(Type.INT64, optional=True)),
        ("ts", primitive(Type.INT64, optional=True, name=TIMESTAMP_NAME, version=1)),
        ("s", primitive(Type.STRING, optional=True)),
        name="row",
    )


def test_values_without_schema_get_the_fields_and_stay_without():
    record = sink({"id": 1})
    transform(**ALL).transform_batch([record])
    assert (record.value["s"], record.value_schema) == ("fixed", None)


def test_a_record_of_a_source_has_no_partition_yet():
    bare, described = source({"id": 1}), source({"id": 1, "note": None}, ROW)
    transform(partition_field="p").transform_batch([bare, described])
    assert bare.value == {"id": 1}
    assert described.value["p"] is None


def test_the_key_is_changed_by_the_key_transform_alone():
    record = source({"id": 1}, key={"k": 1})
    transform("key", static_field="s", static_value="x").transform_batch([record])
    assert (record.key, record.value) == ({"k": 1, "s": "x"}, {"id": 1})


def test_nulls_stand_for_their_defaults_unless_told_otherwise():
    replaced, kept = source({"id": 1, "note": None}, ROW), source({"id": 1, "note": None}, ROW)
    transform(static_field="s", static_value="x").transform_batch([replaced])
    transform(static_field="s", static_value="x", replace_null_with_default="false").transform_batch([kept])
    assert (replaced.value["note"], kept.value["note"]) == ("none", None)


def test_tombstones_pass_and_others_value_dicts_are_not_touched():
    shared = {"id": 1}
    tombstone, record = source(None), source(shared)
    assert transform(topic_field="t").transform_batch([tombstone, record]) == [tombstone, record]
    assert tombstone.value is None
    assert shared == {"id": 1}


@pytest.mark.parametrize(
    ("record", "options", "reason"),
    [
        (source("text"), {"topic_field": "t"}, "Only Struct objects"),
        (source("text", STRING), {"topic_field": "t"}, "is string"),
        (source({}), {"offset_field": "o"}, "only supported for sink connectors"),
        (source({"id": 1}, ROW), {"timestamp_field": "ts!"}, "'ts' is required"),
    ],
)
def test_a_record_that_cannot_be_changed_fails_alone_and_stays_as_it_was(record, options, reason):
    before = (record.value, record.value_schema)
    good = sink({"id": 1})
    failure, other = transform(**options).transform_batch([record, good])
    assert isinstance(failure, Failure)
    assert reason in str(failure.error)
    assert (record.value, record.value_schema) == before
    assert other is good
