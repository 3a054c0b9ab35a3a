"""Strings to a pydantic model, with every problem at once, each on its key and in Kafka Connect's words.

Tools and people know Kafka's sentences (``Invalid value x for configuration y: ...``), so pydantic's are translated.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from connect.api import ConfigError, ConfigProblem, PluginConfig
from connect.runtime.plan.config_types import is_secret, keys_of, type_name
from connect.service.suggestions import did_you_mean

_logger = logging.getLogger(__name__)

M = TypeVar("M", bound=PluginConfig)
HIDDEN = "[hidden]"

# Kafka Connect's own pattern of a reference to a config provider: ${provider:path:key} or ${provider:key}.
REFERENCE = re.compile(r"\$\{([^}:]*?):(([^}]*?):)?([^}]*?)\}")


class Parsed(NamedTuple, Generic[M]):
    """A model, or None and why not. ``warnings`` name what was accepted and has no effect."""

    model: M | None
    problems: list[ConfigProblem]
    warnings: list[str]


def parse(model: type[M], values: Mapping[str, str], prefix: str = "", known: tuple[str, ...] = ()) -> Parsed[M]:
    """Parses ``values`` (keys without ``prefix``; problems name them with it). ``known`` adds to what may be suggested."""
    served, problems, warnings = _without_unserved(model, values, prefix)
    problems += [reference for key, value in served.items() for reference in _reference(prefix + key, value)]
    refused = {problem.key for problem in problems}
    parsed: M | None = None
    try:
        parsed = model.model_validate(served)
    except ValidationError as error:
        translated = (_translated(detail, model, served, prefix, known) for detail in error.errors(include_url=False))
        problems += [problem for problem in translated if problem.key not in refused]
    except ConfigError as error:  # from a validator across fields, which names the key itself
        problems.append(ConfigProblem(prefix + error.key if error.key else "", str(error)))
    except Exception as error:  # a validator of a plugin's: pydantic passes on all but ValueError
        _logger.warning("%s cannot be read", model.__name__, exc_info=error)
        message = f"{model.__name__} cannot be read from these settings: it raised {type(error).__name__}: {error}"
        problems.append(ConfigProblem(_home(prefix), message))
    return Parsed(None if problems else parsed, problems, warnings)


def _home(prefix: str) -> str:
    """The key that names the plugin whose keys have this prefix."""
    if prefix.startswith("transforms."):
        return f"{prefix}type"
    return prefix.removesuffix(".")


@dataclass
class Findings:
    """What was found wrong, and what is to be said, while the parts of a configuration are parsed one after the other."""

    problems: list[ConfigProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def parse(self, model: type[M], values: Mapping[str, str], prefix: str = "", known: tuple[str, ...] = ()) -> M | None:
        """As :func:`parse`, its findings added to these."""
        parsed = parse(model, values, prefix, known)
        self.problems += parsed.problems
        self.warnings += parsed.warnings
        return parsed.model

    def wrong(self, key: str, message: str, remedy: str = "") -> None:
        self.problems.append(ConfigProblem(key, message, remedy))

    def broken(self, key: str, plugin: str, error: Exception) -> None:
        """The plugin's code raised what it should not: that is its bug, or this configuration is not what it expects."""
        _logger.warning("%s cannot be made", plugin, exc_info=error)
        self.wrong(key, f"{plugin} cannot be made from these settings: it raised {type(error).__name__}: {error}")


def _without_unserved(
    model: type[PluginConfig], values: Mapping[str, str], prefix: str
) -> tuple[dict[str, str], list[ConfigProblem], list[str]]:
    """The keys that the model serves (or does not know at all), and what is to be said of the others."""
    served: dict[str, str] = {}
    problems: list[ConfigProblem] = []
    warnings: list[str] = []
    for key, value in values.items():
        rule = next((rule for rule in model.unserved if rule.matches(key)), None)
        if rule is None:
            served[key] = value
        elif value == rule.default:
            continue
        elif rule.changes_records:
            remedy = f"Leave it out or set it to {rule.default}." if rule.default else "Leave it out."
            problems.append(_invalid(prefix + key, value, "not supported yet.", remedy))
        else:
            warnings.append(f"{prefix + key} is not supported yet and has no effect; the records are the same without it.")
    return served, problems, warnings


def _reference(key: str, value: str) -> list[ConfigProblem]:
    found = REFERENCE.search(value)
    if not found:
        return []
    return [
        ConfigProblem(
            key,
            f"Invalid value {found[0]} for configuration {key}: config providers are not supported yet.",
            "Give the value itself.",
        )
    ]


def _translated(
    error: ErrorDetails, model: type[PluginConfig], values: Mapping[str, str], prefix: str, known: tuple[str, ...]
) -> ConfigProblem:
    """One of pydantic's errors in Kafka's words."""
    context: Mapping[str, Any] = error.get("ctx", {})
    key = str(error["loc"][0]) if error["loc"] else str(context.get("key", ""))
    described = keys_of(model).get(key)
    if error["type"] == "missing":
        return ConfigProblem(prefix + key, f'Missing required configuration "{prefix + key}" which has no default value.')
    if error["type"] == "extra_forbidden":
        return unknown_key(prefix + key, [prefix + name for name in keys_of(model)] + list(known))
    value = HIDDEN if described is not None and is_secret(described) else values.get(key)
    reason = _reason(error, context, described)
    if value is None:  # a validator across fields: its own sentence is all there is to say
        return ConfigProblem(prefix + key if key else "", reason)
    return _invalid(prefix + key, value, reason)


def unknown_key(key: str, known: Iterable[str]) -> ConfigProblem:
    """Nothing reads this key: Kafka Connect ignores it silently, so a typo there stays unseen."""
    hint = did_you_mean(key, known)
    return ConfigProblem(key, f'Unknown configuration "{key}".', hint or "Remove it, or check its spelling.")


def _invalid(key: str, value: str, reason: str, remedy: str = "") -> ConfigProblem:
    return ConfigProblem(key, f"Invalid value {value} for configuration {key}: {reason}", remedy)


def _reason(error: ErrorDetails, context: Mapping[str, Any], field: FieldInfo | None) -> str:
    kind = error["type"]
    if kind.startswith("int_"):
        return f"Not a number of type {type_name(field) if field else 'INT'}"
    if kind.startswith("float_"):
        return "Not a number of type DOUBLE"
    if kind.startswith("bool_"):
        return "Expected value to be either true or false"
    for bound, sentence in _BOUNDS.items():
        if kind == bound:
            return sentence.format(*context.values())
    if kind in ("literal_error", "enum"):
        return f"String must be one of: {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    return str(context["error"]) if kind == "value_error" else error["msg"]


_BOUNDS = {
    "greater_than_equal": "Value must be at least {}",
    "greater_than": "Value must be more than {}",
    "less_than_equal": "Value must be no more than {}",
    "less_than": "Value must be less than {}",
    "string_too_short": "String must be non-empty",
}
