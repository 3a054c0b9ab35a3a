"""What a probe does once it is in its own process: here plugin code may hang, crash or exit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connect.api import ConfigError, ConfigProblem, Connector, Partition, RetriableError, SourceConnector, TaskContext
from connect.runtime.plan.config_def import Section, definitions, validation
from connect.runtime.plan.config_sections import sections
from connect.runtime.plan.connector_plan import ConnectorPlan, InvalidConfig, plan
from connect.runtime.plan.plugins import Kind, Plugins, UnknownPlugin
from connect.runtime.plan.split_keys import COMMON_MODELS, ConnectorKind, kind_of
from connect.service.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class Validation:
    """Whether a configuration would run. ``answer`` has the shape of ``/config/validate``."""

    kind: ConnectorKind
    answer: Mapping[str, Any]
    problems: tuple[ConfigProblem, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """What deals out a connector's work. ``partitions`` are a source's; topics or their pattern a sink's."""

    kind: ConnectorKind
    version: str
    tasks_max: int
    partitions: tuple[Partition, ...]
    topics: tuple[str, ...]
    topics_regex: str | None


def validate(config: Mapping[str, str], settings: WorkerSettings, found: Sequence[ConfigProblem] | None = None) -> Validation:
    """Parses the configuration and, if it is right, has the connector try the outside system.

    ``found`` stands for what that try has found, where it has been made.
    """
    plugins = Plugins()
    connector_class = plugins.connector(config["connector.class"])
    try:
        planned = plan(config, settings, plugins)
        problems, warnings = tuple(_checked(planned) if found is None else found), planned.warnings
    except InvalidConfig as error:
        problems, warnings = error.problems, error.warnings
    answer = validation(config["connector.class"], sections(connector_class, config, plugins), config, problems)
    return Validation(kind_of(connector_class), answer, problems, warnings)


def outline(config: Mapping[str, str], settings: WorkerSettings) -> Outline:
    """The plan's outline, and for a source the partitions that it finds in the outside system now."""
    planned = plan(config, settings, Plugins())
    found: tuple[Partition, ...] = ()
    if planned.kind == "source":
        connector = _made(planned)
        assert isinstance(connector, SourceConnector)
        try:
            found = tuple(json.loads(json.dumps(list(connector.partitions()))))
        except _retriable(planned) as error:
            raise RetriableError(str(error)) from error
        finally:
            connector.close()
    return Outline(
        planned.kind, planned.connector_class.version, planned.tasks_max, found, planned.topics, planned.topics_regex
    )


def describe(name: str) -> list[dict[str, Any]] | None:
    """The config definitions of a plugin of any kind; None where there is none of that name."""
    plugins = Plugins()
    try:
        connector_class = plugins.connector(name)
        return definitions([Section(connector_class.config_class), Section(COMMON_MODELS[kind_of(connector_class)])])
    except UnknownPlugin:
        pass
    try:
        return definitions([Section(plugins.transformation(name)[0].config_class)])
    except UnknownPlugin:
        pass
    try:
        return definitions([Section(plugins.converter(name).config_class)])
    except UnknownPlugin:
        return None


def catalog(entries: list[tuple[Kind, str]]) -> list[dict[str, str]]:
    """``GET /connector-plugins``: these entry points under every class name that a configuration may give."""
    plugins = Plugins()
    listed: list[dict[str, str]] = []
    for kind, entry_name in entries:
        loaded = plugins.load(kind, entry_name)
        if kind == "connector":
            listed += [
                {"class": name, "type": kind_of(loaded), "version": loaded.version}
                for name in loaded.java_classes or (entry_name,)
            ]
        elif kind == "transformation":
            listed += [{"class": name, "type": kind} for name in _transformation_names(loaded, entry_name)]
        else:
            names = loaded.java_classes or (entry_name,)
            listed += [{"class": name, "type": type_} for type_ in ("converter", "header_converter") for name in names]
    return listed


def _transformation_names(loaded: Any, entry_name: str) -> list[str]:
    whole = dict.fromkeys(name.partition("$")[0] for name in loaded.java_classes or (entry_name,))
    return [name + half for name in whole for half in (("$Key", "$Value") if loaded.has_target else ("",))]


def _made(planned: ConnectorPlan) -> Connector[Any]:
    return planned.connector_class(planned.config, TaskContext(planned.name))


def _retriable(planned: ConnectorPlan) -> tuple[type[Exception], ...]:
    return (RetriableError, *planned.connector_class.retriable)


def _sentence(text: str) -> str:
    """What an outside system said, in one line and with an end: a remedy follows."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", ":", ";")) else f"{line}."


def _checked(planned: ConnectorPlan) -> tuple[ConfigProblem, ...]:
    try:
        connector = _made(planned)
        try:
            return tuple(
                ConfigProblem(problem.key, _sentence(problem.message), problem.remedy) for problem in connector.check()
            )
        finally:
            connector.close()
    except ConfigError as error:
        return (ConfigProblem(error.key, str(error)),)
    except _retriable(planned) as error:
        return (ConfigProblem("", f"The outside system cannot be reached: {error}", "Try again when it is well."),)
