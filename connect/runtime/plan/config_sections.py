"""Which models a connector's configuration is made of: what ``/config/validate`` lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from connect.api import ConfigError, Connector, PluginConfig
from connect.runtime.plan.config_def import Section
from connect.runtime.plan.plugins import Plugins
from connect.runtime.plan.split_keys import COMMON_MODELS, HALVES, kind_of


class TransformConfig(PluginConfig):
    """What each transformation has, whichever it is."""

    type: Annotated[str, Field(description="Which transformation: its name or Java class.")]


def sections(connector_class: type[Connector[Any]], config: Mapping[str, str], plugins: Plugins) -> list[Section]:
    """The shared keys, the connector's, and those of the converters and transforms that ``config`` names."""
    found = [Section(COMMON_MODELS[kind_of(connector_class)]), Section(connector_class.config_class)]
    for half in HALVES:
        prefix = f"{half}.converter."
        found += _section(plugins.converter, config.get(f"{half}.converter", ""), prefix)
    for name in (name.strip() for name in config.get("transforms", "").split(",") if name.strip()):
        prefix, group = f"transforms.{name}.", f"Transforms: {name}"
        found.append(Section(TransformConfig, prefix, group))
        found += _section(lambda type_: plugins.transformation(type_)[0], config.get(f"{prefix}type", ""), prefix, group)
    return found


def _section(find: Callable[[str], type[Any]], name: str, prefix: str, group: str | None = None) -> list[Section]:
    try:
        return [Section(find(name).config_class, prefix, group)] if name else []
    except ConfigError:  # the plan has said that there is no such class
        return []
