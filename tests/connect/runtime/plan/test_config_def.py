from typing import Annotated

import pytest
from pydantic import Field, SecretStr

from connect.api import CommaList, ConfigProblem, Key, PluginConfig
from connect.runtime.plan.common_config import SinkConfig, SourceConfig
from connect.runtime.plan.config_def import Section, definitions, validation
from connect.runtime.plan.config_types import keys_of
from tests.connect.runtime.plan.plugin_samples import LinesConfig


class Everything(PluginConfig):
    flag: bool = True
    any_int: int = 5
    an_int: Annotated[int, Field(le=2**31 - 1)] = 5
    a_short: Annotated[int, Field(le=2**15 - 1)] = 3
    a_float: float = 0.5
    text: str
    maybe: str | None = None
    empty: str = ""
    items: CommaList = ("a", "b")
    secret: SecretStr = SecretStr("x")
    format_class: str = "json"
    told: Annotated[str, Key("Form", "low", "long", "Told"), Field(description="What it is.")] = "x"
    second: Annotated[str, Key("Form")] = "y"
    own: Annotated[str, Field(alias="my-own_Key")] = "z"


BY_NAME = {entry["name"]: entry for entry in definitions([Section(Everything)])}


@pytest.mark.parametrize(
    ("key", "type_", "default"),
    [
        ("flag", "BOOLEAN", "true"),
        ("any.int", "LONG", "5"),
        ("an.int", "INT", "5"),
        ("a.short", "SHORT", "3"),
        ("a.float", "DOUBLE", "0.5"),
        ("text", "STRING", None),
        ("maybe", "STRING", None),
        ("empty", "STRING", ""),
        ("items", "LIST", "a,b"),
        ("secret", "PASSWORD", "[hidden]"),
        ("format.class", "CLASS", "json"),
        ("my-own_Key", "STRING", "z"),
    ],
)
def test_types_and_defaults(key, type_, default):
    assert (BY_NAME[key]["type"], BY_NAME[key]["default_value"]) == (type_, default)


def test_what_a_form_shows():
    assert BY_NAME["told"] == {
        "name": "told",
        "type": "STRING",
        "required": False,
        "default_value": "x",
        "importance": "LOW",
        "documentation": "What it is.",
        "group": "Form",
        "order_in_group": 1,
        "width": "LONG",
        "display_name": "Told",
        "dependents": [],
    }
    assert (BY_NAME["second"]["order_in_group"], BY_NAME["second"]["width"]) == (2, "MEDIUM")
    plain = BY_NAME["text"]
    assert (plain["required"], plain["importance"], plain["group"], plain["order_in_group"]) == (True, "HIGH", None, -1)
    assert (plain["width"], plain["display_name"]) == ("NONE", "text")


def test_sections_have_prefixes_and_groups():
    found = definitions([Section(LinesConfig), Section(Everything, "transforms.a.", "Transforms: a")])
    entry = next(entry for entry in found if entry["name"] == "transforms.a.flag")
    assert (entry["group"], entry["order_in_group"]) == ("Transforms: a", 1)


def test_values_and_errors():
    config = {"text": "t", "secret": "hush", "nope": "1"}
    problems = [
        ConfigProblem("flag", "Bad flag.", "Mend it."),
        ConfigProblem("nope", "Unknown."),
        ConfigProblem("", "Something outside."),
    ]
    answer = validation("Everything", [Section(Everything)], config, problems)
    values = {entry["value"]["name"]: entry["value"] for entry in answer["configs"]}
    assert answer["error_count"] == 3
    assert values["flag"] == {
        "name": "flag",
        "value": "true",
        "recommended_values": ["true", "false"],
        "errors": ["Bad flag. Mend it."],
        "visible": True,
    }
    assert (values["text"]["value"], values["secret"]["value"], values["items"]["value"]) == ("t", "[hidden]", "a,b")
    assert answer["configs"][-2:] == [
        {
            "definition": None,
            "value": {"name": "nope", "value": "1", "recommended_values": [], "errors": ["Unknown."], "visible": True},
        },
        {
            "definition": None,
            "value": {
                "name": "connector.class",
                "value": None,
                "recommended_values": [],
                "errors": ["Something outside."],
                "visible": True,
            },
        },
    ]


COMMON = """name STRING REQUIRED|connector.class STRING REQUIRED|tasks.max INT 1|key.converter CLASS null
value.converter CLASS null|header.converter CLASS null
config.action.reload STRING restart|transforms LIST |predicates LIST |errors.retry.timeout LONG 0
errors.retry.delay.max.ms LONG 60000|errors.tolerance STRING none|errors.log.enable BOOLEAN false
errors.log.include.messages BOOLEAN false"""
SOURCE = """topic.creation.groups LIST |exactly.once.support STRING requested|transaction.boundary STRING poll
transaction.boundary.interval.ms LONG null|offsets.storage.topic STRING null"""
SINK = """topics LIST |topics.regex STRING |errors.deadletterqueue.topic.name STRING
errors.deadletterqueue.topic.replication.factor SHORT 3|errors.deadletterqueue.context.headers.enable BOOLEAN false"""


@pytest.mark.parametrize(("model", "own"), [(SourceConfig, SOURCE), (SinkConfig, SINK)])
def test_the_shared_keys_are_kafka_connects(model, own):
    shown = [
        f"{entry['name']} {entry['type']} "
        + ("REQUIRED" if entry["required"] else "null" if entry["default_value"] is None else entry["default_value"])
        for entry in definitions([Section(model)])
    ]
    expected = [line for text in (COMMON, own) for line in text.replace("\n", "|").split("|")]
    assert [line.strip() for line in shown] == [line.strip() for line in expected]


@pytest.mark.parametrize("model", [SourceConfig, SinkConfig])
def test_every_shared_key_is_described(model):
    assert [key for key, described in keys_of(model).items() if not described.description] == []
