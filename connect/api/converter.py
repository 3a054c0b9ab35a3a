"""Converters: Connect's data model to bytes and back, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from connect.api.config import PluginConfig, config_class_of
from connect.api.schema import Schema

C = TypeVar("C", bound=PluginConfig)


class Converter(Generic[C]):
    """Turns values into bytes and bytes into values. One instance serves one connector's keys or values.

    Both methods raise :class:`~connect.api.errors.DataError` with the ``index`` of the first value they cannot handle.
    None stands for no payload (a tombstone) on both sides. What depends only on the schema is prepared once and kept.
    """

    config_class: ClassVar[type[PluginConfig]] = PluginConfig
    java_classes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.config_class = config_class_of(cls, cls.config_class)

    def __init__(self, config: C, *, is_key: bool) -> None:
        self.config = config
        self.is_key = is_key

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        """Values that share one topic and one schema, to payloads, in order."""
        raise NotImplementedError

    def decode(self, topic: str, payloads: Sequence[bytes | None]) -> tuple[list[Schema | None], list[Any]]:
        """Payloads of one topic, to their schemas and their values: two lists in the payloads' order."""
        raise NotImplementedError
