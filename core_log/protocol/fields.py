"""How a message is declared: one class per structure, each field with the versions in which it is on the wire.

    class Heartbeat(Request, key=12, versions="0-4", flexible=4):
        group_id: str = string()
        generation: int = int32()
        group_instance_id: str | None = string("3+", nullable="3+", default=None)

The declaration serves every version; ``compiler`` turns it into a reader and a writer for one version at first use. A field
that a version does not have is left out when writing and takes its default when reading.

Values: UUIDs are 16 bytes, ``records`` are read as a memoryview into the frame and written from bytes or from a file slice.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, dataclass_transform

#: A field without a default has to be given to the constructor.
REQUIRED: Any = object()
ZERO_UUID = bytes(16)


class Versions(NamedTuple):
    """An inclusive range."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> "Versions":
        """``3``, ``3-5`` or ``3+``; "" is no version at all."""
        if not text:
            return cls(1, 0)
        first, _, last = text.partition("-")
        if text.endswith("+"):
            return cls(int(text[:-1]), 32767)
        return cls(int(first), int(last or first))

    def includes(self, version: int) -> bool:
        return self.first <= version <= self.last


class Field:
    """One field of a structure. ``wire`` is its type on the wire; ``struct`` the element of an array or a nested structure."""

    __slots__ = ("default", "is_array", "nullable", "struct", "tag", "versions", "wire")

    def __init__(self, wire: str, versions: str, nullable: str, default: Any, tag: int | None = None) -> None:
        self.wire = wire
        self.versions = Versions.parse(versions)
        self.nullable = Versions.parse(nullable)
        self.default = default
        self.tag = tag
        self.is_array = False
        self.struct: type[Struct] | None = None


def int8(versions: str = "0+", *, default: Any = REQUIRED) -> Any:
    return Field("int8", versions, "", default)


def int16(versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("int16", versions, "", default, tag)


def int32(versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("int32", versions, "", default, tag)


def int64(versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("int64", versions, "", default, tag)


def boolean(versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("boolean", versions, "", default, tag)


def uuid(versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("uuid", versions, "", default, tag)


def string(versions: str = "0+", *, nullable: str = "", default: Any = REQUIRED, tag: int | None = None) -> Any:
    return Field("string", versions, nullable, default, tag)


def binary(versions: str = "0+", *, nullable: str = "", default: Any = REQUIRED) -> Any:
    return Field("bytes", versions, nullable, default)


def records(versions: str = "0+", *, nullable: str = "", default: Any = REQUIRED) -> Any:
    return Field("records", versions, nullable, default)


def nested(struct: "type[Struct]", versions: str = "0+", *, default: Any = REQUIRED, tag: int | None = None) -> Any:
    """A structure in place. As a tagged field it may be None: it is then left out."""
    field = Field("struct", versions, "", default, tag)
    field.struct = struct
    return field


def array(
    element: "type[Struct] | str",
    versions: str = "0+",
    *,
    nullable: str = "",
    default: Any = REQUIRED,
    tag: int | None = None,
) -> Any:
    """A sequence of structures, or of a primitive given by its name."""
    field = Field(element if isinstance(element, str) else "struct", versions, nullable, default, tag)
    field.is_array = True
    field.struct = None if isinstance(element, str) else element
    return field


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(int8, int16, int32, int64, boolean, uuid, string, binary, records, nested, array),
)
class StructType(type):
    """Collects the fields of a declaration and gives the class slots for them."""

    FIELDS: Mapping[str, Field]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> "StructType":
        fields = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        body = {key: value for key, value in namespace.items() if key not in fields}
        struct = super().__new__(cls, name, bases, {**body, "__slots__": tuple(fields)}, **options)
        struct.FIELDS = fields
        return struct


class Struct(metaclass=StructType):
    """A structure inside a message."""

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        # Compiled at the first instance: most messages are never met, and start-up should not pay for them.
        cls.__init__ = _compiled_init(cls)  # type: ignore[method-assign]
        cls.__init__(self, **values)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in type(self).FIELDS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in type(self).FIELDS)})"


def _compiled_init(struct: type[Struct]) -> Any:
    defaults = {f"d_{name}": field.default for name, field in struct.FIELDS.items() if field.default is not REQUIRED}
    parameters = [name + (f"=d_{name}" if f"d_{name}" in defaults else "") for name in struct.FIELDS]
    lines = [f"def __init__(self, *, {', '.join(parameters)}):" if parameters else "def __init__(self):"]
    lines += [f"    self.{name} = {name}" for name in struct.FIELDS] or ["    pass"]
    exec("\n".join(lines), defaults)  # noqa: S102 names come from our own declarations
    return defaults["__init__"]


class Message(Struct):
    """A request or an answer: the API key, the versions served, and the first version in the flexible encoding."""

    KEY: ClassVar[int]
    VERSIONS: ClassVar[Versions]
    FLEXIBLE_FROM: ClassVar[int]

    def __init_subclass__(cls, key: int = -1, versions: str = "", flexible: int = 32767) -> None:
        cls.KEY = key
        cls.VERSIONS = Versions.parse(versions)
        cls.FLEXIBLE_FROM = flexible


class Request(Message):
    pass


class Response(Message):
    pass
