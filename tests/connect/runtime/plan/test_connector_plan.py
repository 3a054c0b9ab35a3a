"""Configurations and every complaint about them, in Kafka Connect's words where it has any."""

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connect.runtime.plan.connector_plan import InvalidConfig, plan
from connect.runtime.plan.plugins import Plugins
from connect.service.settings import WorkerSettings
from tests.connect.runtime.plan.plugin_samples import HERE, WORKER, LinesSource, Note, PlainConverter, named

SETTINGS = WorkerSettings.from_mapping(WORKER)
NOTE = named("Note")


def source(**given):
    return {"name": "x", "connector.class": named("LinesSource"), "topic": "t", **given}


def sink(**given):
    return {"name": "x", "connector.class": named("LinesSink"), "topics": "a, b", **given}


def planned(config, **worker):
    worker_settings = WorkerSettings.from_mapping({**WORKER, **worker}) if worker else SETTINGS
    return plan(config, worker_settings, Plugins())


def problems(config, **worker):
    with pytest.raises(InvalidConfig) as raised:
        planned(config, **worker)
    return {problem.key: str(problem) for problem in raised.value.problems}


REFUSED = {
    "name": [("", "Invalid value  for configuration name: String may not be empty"), ("a\nb", "control characters")],
    "tasks.max": [
        ("0", "Invalid value 0 for configuration tasks.max: Value must be at least 1"),
        ("x", "Invalid value x for configuration tasks.max: Not a number of type INT"),
        ("", "Not a number of type INT"),
        ("99999999999", "Value must be no more than 2147483647"),
    ],
    "errors.tolerance": [("some", "Invalid value some for configuration errors.tolerance: String must be one of: none, all")],
    "errors.log.enable": [("perhaps", "Expected value to be either true or false")],
    "errors.retry.timeout": [("soon", "Not a number of type LONG")],
    "config.action.reload": [("reboot", "String must be one of: none, restart")],
    "predicates": [("p", "not supported yet")],
    "exactly.once.support": [("required", "not supported yet"), ("perhaps", "must be one of: requested, required")],
    "transaction.boundary": [("connector", "not supported yet")],
    "offsets.storage.topic": [("mine", "not supported yet")],
    "key.converter": [("Nope", "Invalid value Nope for configuration key.converter: Class Nope could not be found.")],
    "topic": [("", "String must be non-empty"), ("${file:/a:b}", r"\$\{file:/a:b\} .*config providers are not supported yet")],
    "batch.size": [("x", "Not a number of type INT"), ("0", "must be at least 1")],
    "mode": [("slow", "Invalid value slow for configuration mode: String must be one of: fast, safe")],
    "encoding": [("latin-1", "Invalid value latin-1 for configuration encoding: not supported yet. .*utf-8")],
    "mask.3": [("x", "not supported yet")],
    "topik": [("t", "Unknown configuration \"topik\". Did you mean 'topic'?")],
    "task.max": [("3", "Did you mean 'tasks.max'?")],
    "topics": [("a", 'Unknown configuration "topics"')],
    "producer.override.linger.mz": [("3", "may not be overridden by a connector. Did you mean 'linger.ms'?")],
    "producer.override.interceptor.classes": [("a.B", "may not be overridden")],
    "producer.override.ssl.keystore.location": [("/etc/passwd", "may not be overridden")],
    "producer.override.bootstrap.servers": [("elsewhere:9092", "may not be overridden")],
    "producer.override.linger.ms": [("soon", "linger.ms")],
    "topic.creation.other.partitions": [("3", "is not in topic.creation.groups")],
    "topic.creation.default.partitions": [("0", "must be positive"), ("x", "Not a number of type INT")],
    "predicates.p.type": [("x", "not supported yet")],
}


@pytest.mark.parametrize(
    ("key", "value", "says"), [(key, value, says) for key, cases in REFUSED.items() for value, says in cases]
)
def test_refused_keys_of_a_source(key, value, says):
    found = problems(source(**{key: value}))
    assert re.search(says.replace("?", r"\?") if says.endswith("?") else says, found[key]), found


def test_everything_at_once():
    config = {
        "connector.class": named("LinesSource"),
        "tasks.max": "0",
        "bach.size": "1",
        "transforms": "a,b",
        "transforms.a.type": "Nope",
        "transforms.b.type": NOTE,
        "value.converter": named("PlainConverter"),
        "value.converter.schema.enable": "true",
        "topic.creation.default.partitions": "1",
    }
    assert problems(config) == {
        "name": 'Missing required configuration "name" which has no default value.',
        "tasks.max": "Invalid value 0 for configuration tasks.max: Value must be at least 1",
        "topic": 'Missing required configuration "topic" which has no default value.',
        "bach.size": "Unknown configuration \"bach.size\". Did you mean 'batch.size'?",
        "value.converter.schema.enable": (
            "Unknown configuration \"value.converter.schema.enable\". Did you mean 'value.converter.schemas.enable'?"
        ),
        "transforms.a.type": problems(config)["transforms.a.type"],
        "transforms.b.note": 'Missing required configuration "transforms.b.note" which has no default value.',
        "topic.creation.default.replication.factor": (
            'Missing required configuration "topic.creation.default.replication.factor" which has no default value.'
        ),
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"topics": ""}, "Must configure one of topics or topics.regex"),
        ({"topics.regex": "a.*"}, "topics and topics.regex are mutually exclusive options, but both are set."),
    ],
)
def test_a_sink_has_topics_or_a_pattern(given, message):
    assert problems(sink(**given)) == {"topics": message, "topics.regex": message}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("errors.deadletterqueue.topic.name", "dlq", "not supported yet"),
        ("topic.creation.default.partitions", "1", "Unknown configuration"),
        ("exactly.once.support", "requested", "Unknown configuration"),
    ],
)
def test_refused_keys_of_a_sink(key, value, says):
    assert says in problems(sink(**{key: value}))[key]


def test_a_pattern_that_is_none():
    config = sink(**{"topics.regex": "("})
    del config["topics"]
    assert "'(' is no regular expression" in problems(config)["topics.regex"]


JAVA_NAMES = "\\Qa.b\\E\\.(?<table>\\p{Alpha}+)"  # nothing in it that Python's re would take


def test_patterns_are_javas():
    given = {
        "topic.creation.groups": "some",
        "topic.creation.some.include": JAVA_NAMES,
        "topic.creation.some.partitions": "6",
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "1",
    }
    rules = planned(source(**given)).topic_rules
    assert [rules.rule_for(topic).name for topic in ("a.b.orders", "a.b.1", "axb.orders")] == ["some", "default", "default"]
    assert planned({**sink(), "topics": "", "topics.regex": JAVA_NAMES}).topics_regex == JAVA_NAMES


ACCEPTED = {
    "connector.plugin.version": "1.0",
    "value.converter.plugin.version": "1.0",
    "tasks.max.enforce": "false",
    "poll.interval.ms": "5",
    "errors.retry.timeout": "-1",
    "transaction.boundary": "INTERVAL",
    "transaction.boundary.interval.ms": "100",
}


@pytest.mark.parametrize("key", ACCEPTED)
def test_what_changes_no_record_is_accepted_with_a_warning_that_names_it(key):
    warnings = planned(source(**{key: ACCEPTED[key]})).warnings
    assert len(warnings) == 1
    assert key in warnings[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tasks.max.enforce", "true"),
        ("encoding", "utf-8"),
        ("predicates", ""),
        ("exactly.once.support", "REQUESTED"),
        ("transaction.boundary", "poll"),
        ("errors.tolerance", "ALL"),
    ],
)
def test_defaults_of_what_is_not_served_are_accepted_silently(key, value):
    assert planned(source(**{key: value})).warnings == ()


def test_a_whole_source():
    found = planned(
        source(
            **{
                "tasks.max": "3",
                "columns": " a , b,c ",
                "password": "secret",
                "value.converter": named("PlainConverter"),
                "value.converter.schemas.enable": "true",
                "value.converter.converter.type": "value",
                "transforms": "first, second",
                "transforms.second.type": f"{NOTE}$Key",
                "transforms.second.note": "2",
                "transforms.first.type": NOTE,
                "transforms.first.note": "${1}",
                "errors.tolerance": "all",
                "producer.override.linger.ms": "7",
                "topic.creation.groups": "big",
                "topic.creation.big.include": "big-.*",
                "topic.creation.big.exclude": "big-no",
                "topic.creation.big.partitions": "6",
                "topic.creation.default.partitions": "1",
                "topic.creation.default.replication.factor": "-1",
                "topic.creation.default.cleanup.policy": "compact",
            }
        )
    )
    assert (found.name, found.kind, found.tasks_max, found.connector_class) == ("x", "source", 3, LinesSource)
    assert found.config.columns == ("a", "b", "c")
    assert found.config.password.get_secret_value() == "secret"
    assert [(type(step), step.config.note, step.target) for step in found.transforms] == [
        (Note, "${1}", "value"),
        (Note, "2", "key"),
    ]
    assert isinstance(found.value_converter, PlainConverter)
    assert (found.value_converter.config.schemas_enable, found.value_converter.is_key) == (True, False)
    assert (found.key_converter.config.schemas_enable, found.key_converter.is_key) == (True, True)
    assert found.errors.tolerance == "all"
    assert found.client_overrides["producer"] == {"linger.ms": "7"}
    big, other = found.topic_rules.rule_for("big-1"), found.topic_rules.rule_for("big-no")
    assert (big.partitions, big.replication_factor) == (6, -1)
    assert (other.name, other.partitions, other.configs) == ("default", 1, {"cleanup.policy": "compact"})


def test_the_workers_converters_have_the_workers_options():
    assert planned(source()).value_converter.config.schemas_enable is False
    found = planned(source(**{"value.converter.schemas.enable": "true"}))
    assert found.value_converter.config.schemas_enable is False
    assert "value.converter.schemas.enable: no effect" in found.warnings[0]


def test_a_whole_sink():
    found = planned(sink())
    assert (found.kind, found.topics, found.topics_regex, found.topic_rules.rule_for("a")) == ("sink", ("a", "b"), None, None)


def test_a_transform_that_refuses_its_configuration_names_the_key():
    given = {"transforms": "a", "transforms.a.type": NOTE, "transforms.a.note": "n", "transforms.a.pattern": "("}
    assert problems(source(**given)) == {"transforms.a.pattern": "Invalid regex: missing )"}


@pytest.mark.parametrize(
    ("given", "key", "says"),
    [
        ({"transforms": "a"}, "transforms.a.type", "Missing required"),
        ({"transforms": "a,a", "transforms.a.type": NOTE, "transforms.a.note": "n"}, "transforms", "Duplicate alias"),
        ({"transforms.b.note": "n"}, "transforms.b.note", 'List "b" in transforms'),
        (
            {"transforms": "a", "transforms.a.type": f"{HERE}:Whole$Key"},
            "transforms.a.type",
            "works on whole records and has no \\$Key form",
        ),
        (
            {"transforms": "a", "transforms.a.type": f"{HERE}:Whole", "transforms.a.predicate": "p"},
            "transforms.a.predicate",
            "not supported yet",
        ),
    ],
)
def test_transforms_that_cannot_be(given, key, says):
    assert re.search(says, problems(source(**given))[key])


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"transforms": "a", "transforms.a.type": f"{HERE}:Brittle"}, "transforms.a.type"),
        ({"transforms": "a", "transforms.a.type": f"{HERE}:ReadsBrittly", "transforms.a.note": "x"}, "transforms.a.type"),
        ({"value.converter": f"{HERE}:BrittleConverter"}, "value.converter"),
    ],
)
def test_a_plugin_that_breaks_on_its_configuration_is_a_problem_on_its_key(given, key):
    found = problems(source(**given, **{"tasks.max": "0"}))
    assert "raised" in found[key]
    assert "Error: " in found[key]
    assert "tasks.max" in found


def test_the_workers_override_policy():
    config = source(**{"producer.override.linger.ms": "7"})
    key = "connector.client.config.override.policy"
    assert "may not be overridden" in problems(config, **{key: "None"})["producer.override.linger.ms"]
    assert planned(config, **{key: "All"}).client_overrides["producer"] == {"linger.ms": "7"}


def test_secrets_are_not_repeated():
    found = problems(source(password="${x:y}s3cret"))
    assert "s3cret" not in found["password"]


def test_problems_survive_a_process_boundary():
    with pytest.raises(InvalidConfig) as raised:
        planned(source(**{"tasks.max": "0"}))
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (copy.problems, copy.key, str(copy)) == (raised.value.problems, "tasks.max", str(raised.value))


KEYS = st.sampled_from(
    [
        *("topic", "file", "batch.size", "mode", "columns", "password", "encoding", "", ".", "name", "tasks.max", "topics"),
        *("key.converter", "key.converter.", "value.converter.schemas.enable", "header.converter", "transforms", "transforms."),
        *("transforms.a", "transforms.a.type", "transforms.a.note", "transforms.a.b.type", "predicates", "predicates.a.type"),
        *("producer.override.", "producer.override.linger.ms", "consumer.override.group.id", "admin.override.retries"),
        *("topic.creation.groups", "topic.creation.", "topic.creation.default.partitions", "topic.creation.a.include"),
        *(
            "errors.tolerance",
            "errors.deadletterqueue.topic.name",
            "exactly.once.support",
            "producer.override.sasl.jaas.config",
        ),
    ]
)
VALUES = st.sampled_from(
    [NOTE, named("PlainConverter"), "a", "a,b", "a,,a", "", " ", "5", "-1", "true", "(", "${x:y}", "[", "é\n"]
)


@settings(max_examples=400, deadline=None)
@given(config=st.dictionaries(KEYS | st.text(max_size=6), VALUES | st.text(max_size=6), max_size=8), kind=st.booleans())
def test_any_configuration_is_planned_or_explained(config, kind):
    found = ()
    try:
        planned({"name": "x", "topic": "t", **config, "connector.class": named("LinesSink" if kind else "LinesSource")})
    except InvalidConfig as error:
        found = error.problems
    assert all(problem.message for problem in found)
