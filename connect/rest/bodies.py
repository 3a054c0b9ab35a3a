"""Request bodies: JSON objects, with errors that say where."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from connect.runtime.requests import BadRequest

INVALID_HEAD = "Connector configuration is invalid and contains the following {count} error(s):\n"
INVALID_TAIL = (
    "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
)


def invalid_config(messages: list[str]) -> BadRequest:
    """The sentence that clients know, with one error a line."""
    return BadRequest(INVALID_HEAD.format(count=len(messages)) + "\n".join(messages) + INVALID_TAIL)


def json_object() -> dict[str, Any]:
    """The body. Numbers stay as they are written (``1.50``): configuration values are strings.

    Raises BadRequest with the position of a mistake, 415 without ``Content-Type: application/json``.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        text = request.get_data().decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be decoded.") from error
    if not text.strip():
        raise BadRequest("The body is empty: a JSON object is expected.")
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadRequest("The body holds half a surrogate pair (\\ud800 to \\udfff), which is no character.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    if not isinstance(found, dict):
        raise BadRequest(f"The body is {_called(found)}: a JSON object is expected.")
    return found


def config_map(found: dict[str, Any]) -> dict[str, str]:
    """A configuration: keys to strings. Booleans and numbers become strings; null and anything nested is refused."""
    if isinstance(found.get("config"), dict):
        whole = '{"name": ..., "config": {...}}'
        raise invalid_config(
            [f"This is {whole}, which POST /connectors takes. Here only what stands in its config is expected."]
        )
    merged = merge_patch(found)
    config = {key: value for key, value in merged.items() if value is not None}
    if len(config) < len(merged):
        raise invalid_config(["Null value can not be supplied as the configuration value."])
    return config


def merge_patch(found: dict[str, Any]) -> dict[str, str | None]:
    """As :func:`config_map`, where null removes a key (RFC 7396)."""
    nested = [
        f"Invalid value for configuration {key}: a string is expected, not {_called(found[key])}."
        for key in found
        if isinstance(found[key], (dict, list))
    ]
    if nested:
        raise invalid_config(nested)
    return {key: _text(value) for key, value in found.items()}


def optional_text(found: dict[str, Any], key: str) -> str:
    """A string member of a body; "" if it is not there."""
    value = found.get(key)
    if isinstance(value, (dict, list)):
        raise BadRequest(f'"{key}" is {_called(value)}: a string is expected.')
    return _text(value) or ""


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _called(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string or a number", bool: "a boolean", type(None): "null"}
    return names[type(value)]
