"""A connector's configuration, checked as a whole and turned into what a task runs with.

Everything is parsed before anything is said, so that a user sees every mistake at once, each on its key. Plugin classes are
imported and instantiated here: this runs in task processes and in probes, never in the worker's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from connect.api import (
    ConfigError,
    ConfigProblem,
    Connector,
    ConnectorConfig,
    Converter,
    Transformation,
)
from connect.runtime.plan import client_overrides
from connect.runtime.plan.common_config import CommonConfig
from connect.runtime.plan.config_parsing import Findings
from connect.runtime.plan.config_types import keys_of
from connect.runtime.plan.converter_plan import planned_converter
from connect.runtime.plan.plugins import Plugins
from connect.runtime.plan.split_keys import COMMON_MODELS, HALVES, ConnectorKind, Half, SplitKeys, kind_of, split_keys
from connect.runtime.plan.topic_creation import TopicRules, topic_rules
from connect.runtime.plan.transform_plan import planned_transforms
from connect.service.client_keys import Role
from connect.service.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class ErrorSettings:
    """``errors.*``: what to do with records that cannot be handled. Times in ms."""

    tolerance: Literal["none", "all"] = "none"
    retry_delay_max_ms: int = 60_000
    log_enable: bool = False
    log_include_messages: bool = False


@dataclass(frozen=True, slots=True)
class ConnectorPlan:
    """All that is to be known about a connector before it runs. ``topics`` and ``topics_regex`` are a sink's."""

    name: str
    kind: ConnectorKind
    tasks_max: int
    topics: tuple[str, ...]
    topics_regex: str | None
    connector_class: type[Connector[Any]]
    config: ConnectorConfig
    key_converter: Converter[Any]
    value_converter: Converter[Any]
    header_converter: Converter[Any]
    transforms: list[Transformation[Any]]
    errors: ErrorSettings
    client_overrides: Mapping[Role, Mapping[str, str]]
    topic_rules: TopicRules
    warnings: tuple[str, ...]


class InvalidConfig(ConfigError):
    """The configuration cannot run. ``problems`` holds everything that is wrong with it."""

    def __init__(self, problems: Sequence[ConfigProblem], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join(str(problem) for problem in problems), problems[0].key if problems else "")
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.warnings)


def plan(config: Mapping[str, str], settings: WorkerSettings, plugins: Plugins) -> ConnectorPlan:
    """Parses a whole configuration.

    Raises UnknownPlugin where there is no such connector, else :class:`InvalidConfig` with every problem.
    """
    connector_class = plugins.connector(config.get("connector.class", ""))
    return _Planning(dict(config), settings, plugins, connector_class).plan()


@dataclass
class _Planning:
    """One configuration on its way to a plan."""

    given: Mapping[str, str]
    settings: WorkerSettings
    plugins: Plugins
    connector_class: type[Connector[Any]]
    findings: Findings = field(default_factory=Findings)

    def plan(self) -> ConnectorPlan:
        kind = kind_of(self.connector_class)
        common_model = COMMON_MODELS[kind]
        keys = split_keys(self.given, common_model, self.connector_class)
        common = self.findings.parse(common_model, keys.common)
        own = self.findings.parse(self.connector_class.config_class, keys.own, known=tuple(keys_of(common_model)))
        topics, topics_regex = sink_topics(keys.common, self.findings) if kind == "sink" else ((), None)
        halves = [self._converter(half, keys) for half in HALVES]
        transforms = planned_transforms(keys.common.get("transforms", ""), keys.transforms, self.plugins, self.findings)
        overrides, wrong_overrides = client_overrides.split(keys.client_overrides, self.settings)
        rules, wrong_rules = topic_rules(keys.common.get("topic.creation.groups", ""), keys.topic_creation)
        self.findings.problems += wrong_overrides + wrong_rules
        for key in keys.predicates:
            self.findings.wrong(key, f"{key}: predicates are not supported yet.", "Remove it.")
        key_converter, value_converter, header_converter = halves
        if self.findings.problems or not (common and own and key_converter and value_converter and header_converter):
            raise InvalidConfig(self.findings.problems, self.findings.warnings)
        return ConnectorPlan(
            name=common.name,
            kind=kind,
            tasks_max=common.tasks_max,
            topics=topics,
            topics_regex=topics_regex,
            connector_class=self.connector_class,
            config=cast("ConnectorConfig", own),
            key_converter=key_converter,
            value_converter=value_converter,
            header_converter=header_converter,
            transforms=transforms,
            errors=_error_settings(common),
            client_overrides=overrides,
            topic_rules=rules,
            warnings=(*self.findings.warnings, *without_effect(keys.common)),
        )

    def _converter(self, half: Half, keys: SplitKeys) -> Converter[Any] | None:
        name = keys.common.get(f"{half}.converter")
        options = keys.converter_options[half]
        if name:
            return planned_converter(half, name, options, self.plugins, self.findings)
        if options:
            listed = ", ".join(f"{half}.converter.{key}" for key in options)
            self.findings.warnings.append(
                f"{listed}: no effect, since {half}.converter is not set beside it (as in Kafka Connect)."
            )
        default: str = getattr(self.settings, f"{half}_converter")
        return planned_converter(half, default, self.settings.converter_options.get(half, {}), self.plugins, self.findings)


def sink_topics(values: Mapping[str, str], findings: Findings) -> tuple[tuple[str, ...], str | None]:
    """A sink's topics, or the pattern of their names: exactly one of the two."""
    topics = tuple(topic.strip() for topic in values.get("topics", "").split(",") if topic.strip())
    pattern = values.get("topics.regex") or None
    if topics and pattern:
        message = "topics and topics.regex are mutually exclusive options, but both are set."
    elif not topics and not pattern:
        message = "Must configure one of topics or topics.regex"
    else:
        return topics, pattern
    findings.wrong("topics", message)
    findings.wrong("topics.regex", message)
    return (), None


# Key, its default, and what happens instead.
WITHOUT_EFFECT = (
    ("errors.retry.timeout", "0", "what may pass by itself is tried again for ever, and the status says so."),
    ("transaction.boundary", "poll", "sources write without transactions."),
    ("transaction.boundary.interval.ms", "", "sources write without transactions."),
)


def without_effect(values: Mapping[str, str]) -> list[str]:
    """A warning for each key that is right, changes no record, and does nothing here."""
    return [
        f"{key} has no effect: {instead}"
        for key, default, instead in WITHOUT_EFFECT
        if values.get(key, default).strip().lower() != default
    ]


def _error_settings(common: CommonConfig) -> ErrorSettings:
    return ErrorSettings(
        common.errors_tolerance,
        common.errors_retry_delay_max_ms,
        common.errors_log_enable,
        common.errors_log_include_messages,
    )
