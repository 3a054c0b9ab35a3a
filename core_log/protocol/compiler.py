"""From a declaration to a reader and a writer for one version.

Both are Python functions made from generated source: runs of fixed-size fields become one ``struct`` call, and what a version
does not have costs nothing. Compiling takes about a millisecond and happens when a (message, version) is met first.

A reader is ``read(data, position) -> (value, position)``. It may raise struct.error, IndexError or UnicodeDecodeError on bytes
that end early, and may run past the end: ``frames`` turns all of that into ProtocolError. It never allocates more than in
proportion to the bytes that are there. A writer is ``write(value, append)``; ``append`` takes the parts in order.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

from core_log.errors import ProtocolError
from core_log.protocol.fields import REQUIRED, ZERO_UUID, Field, Struct
from core_log.protocol.primitives import read_uvarint, size_of, uvarint

Reader = Callable[[Any, int], tuple[Any, int]]
Writer = Callable[[Any, Callable[[Any], None]], None]

_FIXED = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "boolean": "?", "uuid": "16s"}
_ZERO = {"boolean": False, "uuid": ZERO_UUID, "string": "", "bytes": b"", "records": None, "struct": None}


@cache
def reader(declared: type[Struct], version: int, flexible: bool) -> Reader:
    """The reader of one structure at one version."""
    source = _Source(version, flexible)
    source.line("def read(b, p):")
    source.env["new"], source.env["C"] = declared.__new__, declared
    source.line(" o = new(C)")
    for name, field in declared.FIELDS.items():
        if not field.versions.includes(version) or field.tag is not None:
            source.line(f" o.{name} = {source.constant(_default(field))}")
    for fixed, run in _runs(declared, version):
        if fixed:
            layout = struct.Struct(">" + "".join(_FIXED[field.wire] for _, field in run))
            targets = ", ".join(f"o.{name}" for name, _ in run)
            source.line(f" {targets}, = {source.constant(layout.unpack_from)}(b, p); p += {layout.size}")
        else:
            for name, field in run:
                _read_field(source, " ", f"o.{name}", field)
    if flexible:
        _read_tags(source, declared)
    source.line(" return o, p")
    return source.function("read")  # type: ignore[no-any-return]


@cache
def writer(declared: type[Struct], version: int, flexible: bool) -> Writer:
    """The writer of one structure at one version."""
    source = _Source(version, flexible)
    source.line("def write(o, a):")
    for fixed, run in _runs(declared, version):
        if fixed:
            layout = struct.Struct(">" + "".join(_FIXED[field.wire] for _, field in run))
            source.line(f" a({source.constant(layout.pack)}({', '.join(f'o.{name}' for name, _ in run)}))")
        else:
            for name, field in run:
                _write_field(source, " ", f"o.{name}", field)
    if flexible:
        _write_tags(source, declared)
    source.line(" return None")
    return source.function("write")  # type: ignore[no-any-return]


@cache
def smallest(declared: type[Struct], version: int, flexible: bool) -> int:
    """The fewest bytes that a structure can have: what an array's claimed count is held against."""
    size = 1 if flexible else 0
    for field in declared.FIELDS.values():
        if not field.versions.includes(version) or field.tag is not None:
            continue
        size += _smallest_element(field, version, flexible) if not field.is_array else (1 if flexible else 4)
    return max(size, 1)


def _smallest_element(field: Field, version: int, flexible: bool) -> int:
    if field.struct is not None:
        return smallest(field.struct, version, flexible)
    if field.wire in _FIXED:
        return struct.calcsize(">" + _FIXED[field.wire])
    return 1 if flexible else _length_size(field)


def _default(field: Field) -> Any:
    if field.default is not REQUIRED:
        return field.default
    return () if field.is_array else _ZERO.get(field.wire, 0)


def _length_size(field: Field) -> int:
    return 2 if field.wire == "string" and not field.is_array else 4


class _Source:
    """Lines of a function and the constants they name."""

    def __init__(self, version: int, flexible: bool) -> None:
        self.version = version
        self.flexible = flexible
        self.lines: list[str] = []
        self.env: dict[str, Any] = {
            "read_uvarint": read_uvarint,
            "uvarint": uvarint,
            "size_of": size_of,
            "ProtocolError": ProtocolError,
            "length2": struct.Struct(">h").unpack_from,
            "length4": struct.Struct(">i").unpack_from,
            "pack2": struct.Struct(">h").pack,
            "pack4": struct.Struct(">i").pack,
            "unpack_from": struct.unpack_from,
            "pack": struct.pack,
        }

    def line(self, text: str) -> None:
        self.lines.append(text)

    def constant(self, value: Any) -> str:
        if value is None or isinstance(value, bool | int):
            return repr(value)
        name = f"k{len(self.env)}"
        self.env[name] = value
        return name

    def function(self, name: str) -> Any:
        exec("\n".join(self.lines), self.env)  # noqa: S102 made from our own declarations, never from what a peer sent
        return self.env[name]


def _runs(declared: type[Struct], version: int) -> Iterator[tuple[bool, list[tuple[str, Field]]]]:
    """The untagged fields of a version, in order, neighbours of fixed size together."""
    present = [
        (name, field) for name, field in declared.FIELDS.items() if field.versions.includes(version) and field.tag is None
    ]
    for fixed, run in groupby(present, lambda item: item[1].wire in _FIXED and not item[1].is_array):
        yield fixed, list(run)


def _tagged(source: _Source, declared: type[Struct]) -> list[tuple[str, Field]]:
    return [
        (name, field)
        for name, field in declared.FIELDS.items()
        if field.tag is not None and field.versions.includes(source.version)
    ]


def _read_tags(source: _Source, declared: type[Struct]) -> None:
    source.line(" n = b[p]; p += 1")
    source.line(" if n:")
    source.line("  if n > 127: n, p = read_uvarint(b, p - 1)")
    source.line("  for _ in range(n):")
    source.line("   tag, p = read_uvarint(b, p); size, p = read_uvarint(b, p); after = p + size")
    source.line("   if after > len(b): raise ProtocolError('a tagged field runs over the end')")
    for name, field in _tagged(source, declared):
        source.line(f"   if tag == {field.tag}:")
        _read_field(source, "    ", f"o.{name}", field)
    source.line("   p = after")


def _read_length(source: _Source, indent: str, field: Field) -> None:
    if source.flexible:
        source.line(f"{indent}n = b[p]; p += 1")
        source.line(f"{indent}if n > 127: n, p = read_uvarint(b, p - 1)")
        source.line(f"{indent}n -= 1")
    else:
        size = _length_size(field)
        source.line(f"{indent}n = length{size}(b, p)[0]; p += {size}")


def _read_field(source: _Source, indent: str, target: str, field: Field) -> None:
    if not field.is_array and field.wire in _FIXED:
        layout = struct.Struct(">" + _FIXED[field.wire])
        source.line(f"{indent}{target}, = {source.constant(layout.unpack_from)}(b, p); p += {layout.size}")
        return
    if not field.is_array and field.struct is not None:
        source.line(f"{indent}{target}, p = {source.constant(reader(field.struct, source.version, source.flexible))}(b, p)")
        return
    _read_length(source, indent, field)
    source.line(f"{indent}if n < 0:")
    if field.nullable.includes(source.version):
        source.line(f"{indent} {target} = None")
    else:
        source.line(f"{indent} raise ProtocolError('null where the protocol has none')")
    source.line(f"{indent}else:")
    if field.is_array:
        _read_array(source, indent + " ", target, field)
    else:
        _read_bytes(source, indent + " ", target, field.wire)


def _read_bytes(source: _Source, indent: str, target: str, wire: str) -> None:
    value = {"string": "str(b[p:q], 'utf-8')", "bytes": "bytes(b[p:q])", "records": "memoryview(b)[p:q]"}[wire]
    source.line(f"{indent}q = p + n; {target} = {value}; p = q")


def _read_array(source: _Source, indent: str, target: str, field: Field) -> None:
    least = _smallest_element(field, source.version, source.flexible)
    if field.wire == "string":
        least = 1 if source.flexible else 2
    source.line(f"{indent}if n * {least} > len(b) - p: raise ProtocolError(f'an array claims {{n}} elements')")
    if field.struct is None and field.wire in _FIXED and field.wire != "uuid":
        code = _FIXED[field.wire]
        source.line(f"{indent}{target} = unpack_from(f'>{{n}}{code}', b, p); p += n * {least}")
        return
    source.line(f"{indent}{target} = items = []")
    source.line(f"{indent}for _ in range(n):")
    if field.struct is not None:
        source.line(f"{indent} item, p = {source.constant(reader(field.struct, source.version, source.flexible))}(b, p)")
    else:
        element = Field(field.wire, "0+", "", None)
        _read_field(source, indent + " ", "item", element)
    source.line(f"{indent} items.append(item)")


def _write_tags(source: _Source, declared: type[Struct]) -> None:
    tagged = _tagged(source, declared)
    if not tagged:
        source.line(" a(b'\\0')")
        return
    source.line(" tags = []")
    for name, field in tagged:
        source.line(f" if o.{name} != {source.constant(_default(field))}:")
        source.line("  parts = []; outer = a; a = parts.append")
        _write_field(source, "  ", f"o.{name}", field)
        source.line(f"  a = outer; tags.append(({field.tag}, b''.join(parts)))")
    source.line(" a(uvarint(len(tags)))")
    source.line(" for tag, data in sorted(tags): a(uvarint(tag)); a(uvarint(len(data))); a(data)")


def _write_length(source: _Source, indent: str, field: Field, size: str) -> None:
    if source.flexible:
        source.line(f"{indent}a(uvarint({size} + 1))")
    else:
        source.line(f"{indent}a(pack{_length_size(field)}({size}))")


def _write_field(source: _Source, indent: str, value: str, field: Field) -> None:
    if not field.is_array and field.wire in _FIXED:
        source.line(f"{indent}a({source.constant(struct.Struct('>' + _FIXED[field.wire]).pack)}({value}))")
        return
    if not field.is_array and field.struct is not None:
        source.line(f"{indent}{source.constant(writer(field.struct, source.version, source.flexible))}({value}, a)")
        return
    if field.nullable.includes(source.version):
        source.line(f"{indent}if {value} is None:")
        null = "b'\\0'" if source.flexible else f"pack{_length_size(field)}(-1)"
        source.line(f"{indent} a({null})")
        source.line(f"{indent}else:")
        indent += " "
    if field.is_array:
        _write_array(source, indent, value, field)
    elif field.wire == "string":
        source.line(f"{indent}e = {value}.encode()")
        _write_length(source, indent, field, "len(e)")
        source.line(f"{indent}a(e)")
    else:
        source.line(f"{indent}e = {value}")
        _write_length(source, indent, field, "size_of(e)")
        source.line(f"{indent}a(e)")


def _write_array(source: _Source, indent: str, value: str, field: Field) -> None:
    source.line(f"{indent}items = {value}")
    _write_length(source, indent, field, "len(items)")
    if field.struct is None and field.wire in _FIXED and field.wire != "uuid":
        source.line(f"{indent}a(pack(f'>{{len(items)}}{_FIXED[field.wire]}', *items))")
        return
    source.line(f"{indent}for item in items:")
    if field.struct is not None:
        source.line(f"{indent} {source.constant(writer(field.struct, source.version, source.flexible))}(item, a)")
    else:
        _write_field(source, indent + " ", "item", Field(field.wire, "0+", "", None))
