"""Kafka Connect's RegexRouter: renames topics by a regular expression in Java's dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import Field, field_validator

from connect.api import ConfigError, Failure, PluginConfig, Record, Transformation
from connect.api.java_regex import Replacement, compile_pattern, compile_replacement


class RegexRouterConfig(PluginConfig):
    """The options of RegexRouter."""

    regex: str = Field(description="Java regular expression that the whole topic name has to match.")
    replacement: str = Field(description="The new name; $1 and ${name} stand for groups of the match.")

    @field_validator("regex")
    @classmethod
    def _compiles(cls, text: str) -> str:
        compile_pattern(text)
        return text


class RegexRouter(Transformation[RegexRouterConfig]):
    """A topic that does not match keeps its name. Each name is worked out once."""

    java_classes = ("org.apache.kafka.connect.transforms.RegexRouter",)

    def __init__(self, config: RegexRouterConfig, target: object = "value") -> None:
        super().__init__(config, "key" if target == "key" else "value")
        self._pattern: re.Pattern[str] = compile_pattern(config.regex)
        try:
            self._replacement: Replacement = compile_replacement(config.replacement, self._pattern)
        except ValueError as error:
            raise ConfigError(
                f"Invalid value {config.replacement} for configuration replacement: {error}", "replacement"
            ) from error
        self._names: dict[str, str] = {}

    def transform_batch(self, records: Sequence[Record]) -> list[Record | Failure | None]:
        """Never fails."""
        names = self._names
        for record in records:
            topic = record.topic
            renamed = names.get(topic)
            if renamed is None:
                renamed = names[topic] = self._rename(topic)
            record.topic = renamed
        return list(records)

    def _rename(self, topic: str) -> str:
        match = self._pattern.fullmatch(topic)
        return self._replacement(match) if match else topic
