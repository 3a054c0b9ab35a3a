"""What a pydantic field is in Kafka's ConfigDef: its key, type and bounds."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from connect.api import PluginConfig

SHORT_MAX = 2**15 - 1
INT_MAX = 2**31 - 1


def keys_of(model: type[PluginConfig]) -> dict[str, FieldInfo]:
    """The keys of a model, in the order of its declaration."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def value_type(field: FieldInfo) -> Any:
    """The type of a field's values: annotations and None taken away."""
    annotation: Any = field.annotation
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                return str
            annotation = members[0]
        else:
            return annotation


def is_secret(field: FieldInfo) -> bool:
    """Whether values of this field must never be shown."""
    return value_type(field) is SecretStr


def type_name(field: FieldInfo) -> str:
    """ConfigDef's type. An integer is a LONG unless its bounds say that it fits an INT or a SHORT."""
    kind = value_type(field)
    if kind is bool:
        return "BOOLEAN"
    if kind is int:
        return _integer_type(field)
    if kind is float:
        return "DOUBLE"
    if kind is SecretStr:
        return "PASSWORD"
    if (get_origin(kind) or kind) in (tuple, list, set, frozenset):
        return "LIST"
    return "CLASS" if (field.alias or "").endswith(("converter", ".class")) and field.alias != "connector.class" else "STRING"


def choices(field: FieldInfo) -> list[str]:
    """The values a field may have, where they can be listed."""
    kind = value_type(field)
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return ["true", "false"] if kind is bool else []


def _integer_type(field: FieldInfo) -> str:
    tops = [item.le for item in field.metadata if isinstance(item, Le)] + [
        item.lt for item in field.metadata if isinstance(item, Lt)
    ]
    top = min((int(str(bound)) for bound in tops), default=2**63)
    if top <= SHORT_MAX:
        return "SHORT" if top == SHORT_MAX else "INT"
    return "INT" if top <= INT_MAX + 1 else "LONG"
