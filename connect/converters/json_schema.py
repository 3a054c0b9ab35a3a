"""Kafka Connect's JSON form of a schema: the ``schema`` half of JsonConverter's envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connect.api.schema import NO_DEFAULT, Field, Schema, Type, intern

EncodeDefault = Callable[[Schema, Any], Any]
DecodeDefault = Callable[[Schema, Any], Any]


class InvalidSchema(ValueError):
    """A JSON schema that is none."""


def to_json(schema: Schema, encode: EncodeDefault) -> dict[str, Any]:
    """The schema with its members in the JVM's order. ``encode`` gives a default value its JSON form."""
    json: dict[str, Any] = {"type": schema.type.value}
    if schema.type is Type.ARRAY:
        json["items"] = to_json(_part(schema.value_schema), encode)
    elif schema.type is Type.MAP:
        json["keys"] = to_json(_part(schema.key_schema), encode)
        json["values"] = to_json(_part(schema.value_schema), encode)
    elif schema.type is Type.STRUCT:
        json["fields"] = [{**to_json(field.schema, encode), "field": field.name} for field in schema.fields]
    json["optional"] = schema.optional
    details = {"name": schema.name, "version": schema.version, "doc": schema.doc}
    json |= {member: value for member, value in details.items() if value is not None}
    if schema.parameters:
        json["parameters"] = dict(schema.parameters)
    if schema.has_default and schema.default is not None:
        json["default"] = encode(schema, schema.default)
    return json


def _part(schema: Schema | None) -> Schema:
    if schema is None:
        raise InvalidSchema("An array or map says nothing of its elements")
    return schema


def from_json(json: object, decode: DecodeDefault) -> Schema:
    """The schema that ``json`` describes; ``decode`` reads default values. Raises InvalidSchema."""
    if not isinstance(json, Mapping):
        raise InvalidSchema("a schema is a JSON object")
    kind = json.get("type")
    if not isinstance(kind, str):
        raise InvalidSchema("Schema must contain 'type' field")
    try:
        type_ = Type(kind)
    except ValueError:
        raise InvalidSchema(f"Unknown schema type: {kind}") from None
    parameters = _member(json, "parameters", dict) or {}
    schema = Schema(
        type_,
        optional=json.get("optional") is True,
        name=_member(json, "name", str),
        version=_member(json, "version", int),
        doc=_member(json, "doc", str),
        parameters=tuple((str(name), str(value)) for name, value in parameters.items()),
        fields=tuple(_field(field, decode) for field in json.get("fields") or ()) if type_ is Type.STRUCT else (),
        key_schema=from_json(json.get("keys"), decode) if type_ is Type.MAP else None,
        value_schema=_elements(json, type_, decode),
    )
    default = json.get("default")
    if default is None:
        return intern(schema)
    return intern(_with_default(schema, decode(intern(schema), default)))


def _with_default(schema: Schema, default: Any) -> Schema:
    if default is NO_DEFAULT:
        return schema
    return Schema(
        schema.type,
        schema.optional,
        schema.name,
        schema.version,
        schema.doc,
        schema.parameters,
        default,
        schema.fields,
        schema.key_schema,
        schema.value_schema,
    )


def _elements(json: Mapping[str, Any], type_: Type, decode: DecodeDefault) -> Schema | None:
    member = {Type.ARRAY: "items", Type.MAP: "values"}.get(type_)
    return from_json(json.get(member), decode) if member else None


def _field(json: object, decode: DecodeDefault) -> Field:
    name = json.get("field") if isinstance(json, Mapping) else None
    if not isinstance(name, str):
        raise InvalidSchema("Struct schema's field name not specified properly")
    return Field(name, from_json(json, decode))


def _member(json: Mapping[str, Any], member: str, type_: type) -> Any:
    value = json.get(member)
    if value is not None and (not isinstance(value, type_) or isinstance(value, bool)):
        raise InvalidSchema(f"Invalid schema: '{member}' is {value!r}")
    return value
