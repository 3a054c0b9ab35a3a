"""Deals a connector's configuration out to those who read it: the platform, the converters, the transforms, the connector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from connect.api import Connector, SinkConnector
from connect.runtime.plan.common_config import CommonConfig, SinkConfig, SourceConfig
from connect.runtime.plan.config_types import keys_of

ConnectorKind = Literal["source", "sink"]
Half = Literal["key", "value", "header"]
HALVES: tuple[Half, ...] = get_args(Half)
COMMON_MODELS: Mapping[ConnectorKind, type[CommonConfig]] = {"source": SourceConfig, "sink": SinkConfig}

OVERRIDES = ("producer.override.", "consumer.override.", "admin.override.")


@dataclass(slots=True)
class SplitKeys:
    """One configuration in parts. Converter options and transforms are without their prefix, the others keep it."""

    common: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    converter_options: dict[Half, dict[str, str]] = field(default_factory=lambda: {half: {} for half in HALVES})
    transforms: dict[str, str] = field(default_factory=dict)
    predicates: dict[str, str] = field(default_factory=dict)
    client_overrides: dict[str, str] = field(default_factory=dict)
    topic_creation: dict[str, str] = field(default_factory=dict)


def kind_of(connector_class: type[Connector[Any]]) -> ConnectorKind:
    """Source or sink."""
    return "sink" if issubclass(connector_class, SinkConnector) else "source"


def split_keys(config: Mapping[str, str], common_model: type[CommonConfig], connector_class: type[Connector[Any]]) -> SplitKeys:
    """Every key of ``config`` in its part. A shared key that the connector declares too (``topics``) goes to both."""
    parts = SplitKeys()
    shared = keys_of(common_model).keys()
    declared = keys_of(connector_class.config_class).keys()
    for key, value in config.items():
        if key in shared or any(rule.matches(key) for rule in common_model.unserved):
            parts.common[key] = value
            if key in declared:
                parts.own[key] = value
        else:
            part, name = _part_of(parts, key, common_model)
            part[name] = value
    return parts


def _part_of(parts: SplitKeys, key: str, common_model: type[CommonConfig]) -> tuple[dict[str, str], str]:
    for half in HALVES:
        if key.startswith(f"{half}.converter."):
            return parts.converter_options[half], key.removeprefix(f"{half}.converter.")
    if key.startswith("transforms."):
        return parts.transforms, key.removeprefix("transforms.")
    if key.startswith("predicates."):
        return parts.predicates, key
    if key.startswith(OVERRIDES):
        return parts.client_overrides, key
    if key.startswith("topic.creation.") and common_model is SourceConfig:
        return parts.topic_creation, key
    return parts.own, key
