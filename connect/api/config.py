"""Configurations: one pydantic model gives parsing, validation, ConfigDef answers, docs and forms.

A field ``slot_name`` is the key ``slot.name``; a key that does not follow the rule names itself with ``Field(alias=...)``.
Values arrive as strings (that is what Kafka Connect's REST API stores) and pydantic's lax mode parses them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict

Importance = Literal["high", "medium", "low"]
Width = Literal["none", "short", "medium", "long"]


@dataclass(frozen=True, slots=True)
class Key:
    """What a form shows of a key beside its type: ``port: Annotated[int, Key(group="Connection")] = 5432``."""

    group: str | None = None
    importance: Importance | None = None  # None: high when required, else medium
    width: Width = "medium"
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Unserved:
    """A key that the connector we stand in for knows and we do not serve yet.

    ``key`` is the key, or with ``pattern=True`` a regular expression for a family of keys. Given with its ``default`` it
    is accepted silently. Otherwise: with ``changes_records`` it is refused ('not supported yet'), since the records would
    differ from what the user asks for; without, it is accepted with a warning that names it.
    """

    key: str
    default: str | None = None
    changes_records: bool = True
    pattern: bool = False

    def matches(self, key: str) -> bool:
        return bool(re.fullmatch(self.key, key)) if self.pattern else key == self.key


class ConfigProblem(NamedTuple):
    """Something wrong with a configuration: which key ("" for none), what, and what to do about it."""

    key: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class PluginConfig(BaseModel):
    """The configuration of a plugin: subclass it, one annotated field per key."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        alias_generator=lambda name: name.replace("_", "."),
        arbitrary_types_allowed=True,
    )

    unserved: ClassVar[tuple[Unserved, ...]] = ()


class ConnectorConfig(PluginConfig):
    """The configuration of a connector. The keys all connectors share (name, tasks.max, transforms, ...) are not here."""


def _split(value: object) -> object:
    """Kafka's LIST: comma separated, blanks around an item ignored."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""A LIST key: ``a, b`` is ``("a", "b")``."""


def config_class_of(plugin: type, default: type[PluginConfig]) -> type[PluginConfig]:
    """The model in ``class Mine(SourceConnector[MyConfig])``: the first config among the generic bases' arguments."""
    for base in getattr(plugin, "__orig_bases__", ()):
        if get_origin(base) is None:
            continue
        for argument in get_args(base):
            if isinstance(argument, type) and issubclass(argument, PluginConfig):
                return argument
    return default


ConfigMap = Mapping[str, Any]
"""A configuration as it is stored: key -> string."""
