"""Kafka Connect's answers about configurations (``ConfigKeyInfo``, ``ConfigInfos``), from pydantic models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from connect.api import ConfigProblem, Key, PluginConfig
from connect.runtime.plan.config_types import choices, is_secret, keys_of, type_name

HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one model, under a prefix. ``group`` is theirs where they name none."""

    model: type[PluginConfig]
    prefix: str = ""
    group: str | None = None


def definitions(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """``GET /connector-plugins/{plugin}/config``: one object per key, in order."""
    counts: dict[str, int] = {}
    return [
        _definition(section, key, described, counts)
        for section in sections
        for key, described in keys_of(section.model).items()
    ]


def validation(
    name: str, sections: Sequence[Section], config: Mapping[str, str], problems: Iterable[ConfigProblem]
) -> dict[str, Any]:
    """``PUT /connector-plugins/{plugin}/config/validate``: every key with its value and what is wrong with it.

    A problem on a key without definition (an unknown one) gets an entry with definition null, as in Kafka Connect; one
    without a key stands at ``connector.class``.
    """
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(problem.key or "connector.class", []).append(str(problem))
    described = definitions(sections)
    fields = {section.prefix + key: field for section in sections for key, field in keys_of(section.model).items()}
    configs: list[dict[str, Any]] = []
    for definition in described:
        key = definition["name"]
        shown = config.get(key, definition["default_value"])
        if key in config and is_secret(fields[key]):
            shown = HIDDEN
        configs.append({"definition": definition, "value": _value(key, shown, choices(fields[key]), errors.pop(key, []))})
    for key, messages in errors.items():
        configs.append({"definition": None, "value": _value(key, config.get(key), [], messages)})
    return {
        "name": name,
        "error_count": sum(len(entry["value"]["errors"]) for entry in configs),
        "groups": list(dict.fromkeys(definition["group"] for definition in described if definition["group"])),
        "configs": configs,
    }


def _value(key: str, value: str | None, recommended: list[str], errors: list[str]) -> dict[str, Any]:
    return {"name": key, "value": value, "recommended_values": recommended, "errors": errors, "visible": True}


def _definition(section: Section, key: str, described: FieldInfo, counts: dict[str, int]) -> dict[str, Any]:
    form = next((item for item in described.metadata if isinstance(item, Key)), None)
    group = (form.group if form else None) or section.group
    if group:
        counts[group] = counts.get(group, 0) + 1
    required = described.is_required()
    importance = (form.importance if form else None) or ("high" if required else "medium")
    return {
        "name": section.prefix + key,
        "type": type_name(described),
        "required": required,
        "default_value": None if required else _printed(described.get_default(call_default_factory=True)),
        "importance": importance.upper(),
        "documentation": described.description or "",
        "group": group,
        "order_in_group": counts[group] if group else -1,
        "width": form.width.upper() if form else "NONE",
        "display_name": (form.display_name if form else None) or described.title or section.prefix + key,
        "dependents": [],
    }


def _printed(value: object) -> str | None:
    """A default as Kafka prints it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, (tuple, list, set, frozenset)):
        return ",".join(str(item) for item in value)
    return str(getattr(value, "value", value))
