"""Random messages of another implementation of the protocol (kio), and their bytes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import random
import types
import typing
import uuid
from typing import Any

from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_writer

RANGES = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}


def random_message(kind: str, key: int, version: int, rng: random.Random) -> Any:
    load = load_request_schema if kind == "request" else load_response_schema
    return _instance(load(key, version), rng)


def encode(message: Any) -> bytes:
    buffer = io.BytesIO()
    entity_writer(type(message))(buffer, message)
    return buffer.getvalue()


def _instance(schema: Any, rng: random.Random) -> Any:
    hints = typing.get_type_hints(schema)
    values = {}
    for field in dataclasses.fields(schema):
        if "tag" in field.metadata and rng.random() < 0.5:
            continue
        values[field.name] = _value(hints[field.name], field.metadata.get("kafka_type"), rng)
    return schema(**values)


def _value(hint: Any, wire: str | None, rng: random.Random) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        return None if rng.random() < 0.3 else _value(options[0], wire, rng)
    if typing.get_origin(hint) is tuple:
        return tuple(_value(typing.get_args(hint)[0], wire, rng) for _ in range(rng.choice((0, 1, 2, 3))))
    if dataclasses.is_dataclass(hint):
        return _instance(hint, rng)
    return _primitive(wire or "", rng)


def _primitive(wire: str, rng: random.Random) -> Any:
    if wire in RANGES:
        bits = rng.randrange(RANGES[wire] + 1)
        return rng.choice((-1, 1)) * rng.getrandbits(bits) if bits else 0
    match wire:
        case "bool":
            return rng.random() < 0.5
        case "string":
            return rng.choice(("", "a", "größe", "x" * 127, "y" * 300))
        case "bytes" | "records":
            return rng.randbytes(rng.choice((0, 1, 126, 127, 128, 400)))
        case "uuid":
            return uuid.UUID(int=rng.getrandbits(128))
        case "error_code":
            return rng.choice(list(ErrorCode))
        case "timedelta_i32":
            return dt.timedelta(milliseconds=rng.getrandbits(20))
        case "timedelta_i64":
            return dt.timedelta(milliseconds=rng.getrandbits(35))
        case "datetime_i64":
            return dt.datetime.fromtimestamp(rng.getrandbits(30), dt.UTC)
    raise NotImplementedError(wire)
