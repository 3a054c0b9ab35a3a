"""From ``transforms`` and ``transforms.<name>.*`` to a chain of instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connect.api import ConfigError, Transformation
from connect.runtime.plan.config_parsing import Findings, unknown_key
from connect.runtime.plan.plugins import Plugins

PREDICATE_KEYS = ("predicate", "negate")


def planned_transforms(
    listed: str, values: Mapping[str, str], plugins: Plugins, findings: Findings
) -> list[Transformation[Any]]:
    """The chain in the order of ``transforms``; ``values`` are keyed ``<name>.<key>``. What is wrong goes to ``findings``."""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    left = dict(values)
    chain = []
    # Longer names first: of two names, one may begin with the other and a dot.
    own = {name: _taken(left, f"{name}.") for name in sorted(names, key=len, reverse=True)}
    for name in names:
        transformation = _transformation(name, own[name], plugins, findings)
        if transformation is not None:
            chain.append(transformation)
    for key in left:
        problem = unknown_key(f"transforms.{key}", [f"transforms.{name}.{key.rpartition('.')[2]}" for name in names])
        remedy = f'List "{key.partition(".")[0]}" in transforms, or remove the key. {problem.remedy if names else ""}'.strip()
        findings.problems.append(problem._replace(remedy=remedy))
    return chain


def _taken(left: dict[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): left.pop(key) for key in list(left) if key.startswith(prefix)}


def _transformation(name: str, values: dict[str, str], plugins: Plugins, findings: Findings) -> Transformation[Any] | None:
    prefix = f"transforms.{name}."
    for key in PREDICATE_KEYS:
        if key in values:
            findings.wrong(prefix + key, f"{prefix}{key}: predicates are not supported yet.", "Remove it.")
            del values[key]
    type_name = values.pop("type", None)
    if type_name is None:
        findings.wrong(f"{prefix}type", f'Missing required configuration "{prefix}type" which has no default value.')
        return None
    try:
        transformation_class, target = plugins.transformation(type_name)
    except ConfigError as error:
        message = f"Invalid value {type_name} for configuration {prefix}type: Class {type_name} could not be found."
        findings.wrong(f"{prefix}type", message, str(error))
        return None
    config = findings.parse(transformation_class.config_class, values, prefix)
    if config is None:
        return None
    try:
        return transformation_class(config, target)
    except ConfigError as error:
        findings.wrong(prefix + (error.key or "type"), str(error))
    except Exception as error:  # noqa: BLE001 - a plugin's own code: its mistake is a problem of this transform alone
        findings.broken(f"{prefix}type", type_name, error)
    return None
