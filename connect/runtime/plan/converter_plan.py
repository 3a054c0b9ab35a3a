"""From a converter's name and options to an instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connect.api import ConfigError, Converter
from connect.runtime.plan.config_parsing import Findings
from connect.runtime.plan.plugins import Plugins
from connect.runtime.plan.split_keys import Half


def planned_converter(
    half: Half, name: str, options: Mapping[str, str], plugins: Plugins, findings: Findings
) -> Converter[Any] | None:
    """The converter for keys, values or headers; None where ``findings`` says why there is none."""
    key = f"{half}.converter"
    try:
        converter_class = plugins.converter(name)
    except ConfigError as error:
        findings.wrong(key, f"Invalid value {name} for configuration {key}: Class {name} could not be found.", str(error))
        return None
    config = findings.parse(converter_class.config_class, _options(options), f"{key}.")
    if config is None:
        return None
    try:
        return converter_class(config, is_key=half == "key")
    except ConfigError as error:
        findings.wrong(f"{key}.{error.key}" if error.key else key, str(error))
    except Exception as error:  # noqa: BLE001 - a plugin's own code: its mistake is a problem of this converter alone
        findings.broken(key, name, error)
    return None


def _options(given: Mapping[str, str]) -> dict[str, str]:
    # Kafka Connect tells a converter whose converter it is; ours are told by is_key.
    return {key: value for key, value in given.items() if key != "converter.type"}
