"""Points, boxes and circles: PostgreSQL's text to Debezium's structs, which carry the shape as well-known binary (WKB) too."""

from __future__ import annotations

import re
import struct as binary
from typing import Any, Final

from connect.api import map_of, struct
from connect.api.schema import BYTES, FLOAT64, OPTIONAL_BYTES, OPTIONAL_INT32, STRING

POINT: Final = struct(
    ("x", FLOAT64),
    ("y", FLOAT64),
    ("wkb", OPTIONAL_BYTES),
    ("srid", OPTIONAL_INT32),
    name="io.debezium.data.geometry.Point",
    version=1,
    doc="Geometry (POINT)",
)
GEOMETRY: Final = struct(
    ("wkb", BYTES),
    ("srid", OPTIONAL_INT32),
    ("extensions", map_of(STRING, STRING)),
    name="io.debezium.data.geometry.Geometry",
    version=1,
    doc="Geometry",
)
CIRCLE: Final = struct(
    ("center", POINT), ("radius", FLOAT64), name="io.debezium.data.geometry.Circle", version=1, doc="Geometry (CIRCLE)"
)

_NUMBER = re.compile(r"[^(),<>]+")
_LITTLE_ENDIAN, _WKB_POINT, _WKB_POLYGON = 1, 1, 3


def point(text: str) -> dict[str, Any]:
    """``(1,2)``."""
    return _point(*_numbers(text, 2))


def box(text: str) -> dict[str, Any]:
    """``(3,4),(1,2)``: a polygon of one closed ring."""
    x1, y1, x2, y2 = _numbers(text, 4)
    ring = (x1, y1, x1, y2, x2, y2, x2, y1, x1, y1)
    wkb = binary.pack("<BIII10d", _LITTLE_ENDIAN, _WKB_POLYGON, 1, 5, *ring)
    return {"wkb": wkb, "srid": None, "extensions": {"type": "box"}}


def circle(text: str) -> dict[str, Any]:
    """``<(1,2),3>``."""
    x, y, radius = _numbers(text, 3)
    return {"center": _point(x, y), "radius": radius}


def _point(x: float, y: float) -> dict[str, Any]:
    return {"x": x, "y": y, "wkb": binary.pack("<BIdd", _LITTLE_ENDIAN, _WKB_POINT, x, y), "srid": None}


def _numbers(text: str, count: int) -> tuple[float, ...]:
    numbers = tuple(float(part) for part in _NUMBER.findall(text))
    if len(numbers) != count:
        raise ValueError(f"{text!r} does not hold {count} numbers")
    return numbers
