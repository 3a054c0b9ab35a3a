"""Connectors, a converter and a transform that behave as their names say. Probes find them by ``module:Class``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from connect.api import (
    CommaList,
    ConfigError,
    ConfigProblem,
    ConnectorConfig,
    Converter,
    Key,
    Partition,
    PluginConfig,
    RetriableError,
    SinkConnector,
    SourceConnector,
    Transformation,
    Unserved,
)

HERE = __name__


class LinesConfig(ConnectorConfig):
    topic: Annotated[str, Field(min_length=1, description="Where to.")]
    file: str | None = None
    batch_size: Annotated[int, Field(ge=1, le=2**31 - 1)] = 2000
    mode: Annotated[Literal["fast", "safe"], Key("Reading", "low", "short", "Mode")] = "fast"
    columns: CommaList = ("a", "b")
    password: SecretStr | None = None

    unserved = (
        Unserved("encoding", default="utf-8"),
        Unserved("poll.interval.ms", changes_records=False),
        Unserved(r"mask\..*", pattern=True),
    )


class LinesSource(SourceConnector[LinesConfig]):
    java_classes = ("org.example.file.LinesSourceConnector",)
    version = "1.2.3"

    def check(self) -> Sequence[ConfigProblem]:
        return [ConfigProblem("file", "There is no such file.", "Create it.")] if self.config.file == "/missing" else []

    def partitions(self) -> Sequence[Partition]:
        return [{"file": "a"}, {"file": "b"}]


class LinesSink(SinkConnector[ConnectorConfig]):
    java_classes = ("org.example.file.LinesSinkConnector",)


class Hangs(LinesSource):
    def check(self) -> Sequence[ConfigProblem]:
        time.sleep(3600)
        return []

    def partitions(self) -> Sequence[Partition]:
        time.sleep(3600)
        return []


class Exits(LinesSource):
    def check(self) -> Sequence[ConfigProblem]:
        sys.exit(7)


class Crashes(LinesSource):
    def check(self) -> Sequence[ConfigProblem]:
        os.abort()


class Raises(LinesSource):
    def check(self) -> Sequence[ConfigProblem]:
        raise LookupError("a bug")

    def partitions(self) -> Sequence[Partition]:
        raise RetriableError("the disk is asleep")


class OwnError(ConfigError):
    """A plugin's own class: must not be needed to read the answer."""


class Refuses(LinesSource):
    def check(self) -> Sequence[ConfigProblem]:
        raise OwnError("no", "file")

    def partitions(self) -> Sequence[Partition]:
        raise OwnError("no", "file")


class PlainConfig(PluginConfig):
    schemas_enable: bool = True


class PlainConverter(Converter[PlainConfig]):
    java_classes = ("org.example.PlainConverter",)


class NoteConfig(PluginConfig):
    note: str
    pattern: str = ""


class Note(Transformation[NoteConfig]):
    java_classes = ("org.example.transforms.Note",)
    has_target = True

    def __init__(self, config: NoteConfig, target: Literal["key", "value"] = "value") -> None:
        super().__init__(config, target)
        if config.pattern == "(":
            raise ConfigError("Invalid regex: missing )", "pattern")


class Brittle(Transformation[PluginConfig]):
    """Whose constructor has a bug."""

    def __init__(self, config: PluginConfig, target: Literal["key", "value"] = "value") -> None:
        super().__init__(config, target)
        raise LookupError("no such table")


class BrittleConverter(Converter[PluginConfig]):
    def __init__(self, config: PluginConfig, *, is_key: bool) -> None:
        super().__init__(config, is_key=is_key)
        raise LookupError("no such table")


class BrittleConfig(PluginConfig):
    """Whose validator has a bug."""

    note: str = ""

    @field_validator("note")
    @classmethod
    def _checked(cls, note: str) -> str:
        return {"known": note}[note]


class ReadsBrittly(Transformation[BrittleConfig]):
    pass


class Whole(Transformation[PluginConfig]):
    pass


WORKER = {
    "bootstrap.servers": "127.0.0.1:1",
    "group.id": "g",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
    "key.converter": f"{HERE}:PlainConverter",
    "value.converter": f"{HERE}:PlainConverter",
    "value.converter.schemas.enable": "false",
    "header.converter": f"{HERE}:PlainConverter",
}
"""A worker's properties."""


def named(sample: str) -> str:
    """How a configuration names a class of this module."""
    return f"{HERE}:{sample}"
