"""Finds connectors, converters and transforms by the names that users write.

A name is that of an entry point (``postgres``), a Java class that one of ours stands in for
(``io.debezium.connector.postgresql.PostgresConnector``), its simple name with or without the suffix
(``PostgresConnector``, ``Postgres``), or for authors and tests a Python class as ``package.module:Class``.

Looking at names is cheap; classes are imported on demand, and only in child processes: a worker never runs plugin code.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, TypeVar

from connect.api import ConfigError, Connector, Converter, Transformation
from connect.api.transform import Target
from connect.service.suggestions import did_you_mean, nearest

Kind = Literal["connector", "converter", "transformation"]
T = TypeVar("T")

GROUPS: dict[Kind, str] = {
    "connector": "penstock.connectors",
    "converter": "penstock.converters",
    "transformation": "penstock.transforms",
}
# Where the class of a JVM plugin lives: whoever names one of these has not made a typing mistake.
FOREIGN = ("org.apache.kafka.connect.", "io.debezium.", "io.confluent.", "io.aiven.")
SUPERCLASSES: dict[Kind, type] = {"connector": Connector, "converter": Converter, "transformation": Transformation}
SUFFIXES: dict[Kind, str] = {"connector": "Connector", "converter": "Converter", "transformation": ""}


class UnknownPlugin(ConfigError):
    """No installed plugin answers to this name."""


def simple_names(java_class: str, suffix: str) -> tuple[str, ...]:
    """The names under which Kafka Connect finds a class: in full, without its package, and without the suffix."""
    simple = java_class.rpartition(".")[2]
    pruned = simple.removesuffix(suffix) if suffix else simple
    return tuple(dict.fromkeys(name for name in (java_class, simple, pruned) if name))


@dataclass
class Plugins:
    """The plugins installed beside us. ``failures`` tells, per entry point, why one could not be loaded."""

    failures: dict[str, str] = field(default_factory=dict)
    _entries: dict[Kind, dict[str, EntryPoint]] = field(default_factory=dict)
    _loaded: dict[tuple[Kind, str], type[Any]] = field(default_factory=dict)

    def names(self, kind: Kind = "connector") -> tuple[str, ...]:
        """The entry point names of that kind; imports nothing."""
        return tuple(self._entries_of(kind))

    def connector(self, name: str) -> type[Connector[Any]]:
        """The connector class of that name. Raises :class:`UnknownPlugin`."""
        found: type[Connector[Any]] = self._find("connector", name)
        return found

    def converter(self, name: str) -> type[Converter[Any]]:
        """The converter class of that name. Raises :class:`UnknownPlugin`."""
        found: type[Converter[Any]] = self._find("converter", name)
        return found

    def transformation(self, name: str) -> tuple[type[Transformation[Any]], Target]:
        """The transformation of that name and which half of a record it works on (``InsertField$Key``: the key)."""
        whole, _, half = name.partition("$")
        if half not in ("", "Key", "Value"):
            raise self._unknown("transformation", name)
        found: type[Transformation[Any]] = self._find("transformation", whole, asked=name)
        if half and not found.has_target:
            raise UnknownPlugin(f"{whole} works on whole records and has no ${half} form: write {whole}")
        return found, "key" if half == "Key" else "value"

    def load(self, kind: Kind, entry_name: str) -> type[Any]:
        """The class behind an entry point. Raises :class:`UnknownPlugin` with the reason where it cannot be imported."""
        if (kind, entry_name) in self._loaded:
            return self._loaded[kind, entry_name]
        entry = self._entries_of(kind)[entry_name]
        try:
            loaded = entry.load()
        except Exception as error:
            self.failures[entry_name] = f"{type(error).__name__}: {error}"
            raise UnknownPlugin(
                f"The {kind} {entry_name} ({entry.value}) is installed but cannot be imported: {type(error).__name__}: {error}"
            ) from error
        self._loaded[kind, entry_name] = _checked(kind, loaded, entry.value)
        return self._loaded[kind, entry_name]

    def _entries_of(self, kind: Kind) -> dict[str, EntryPoint]:
        if kind not in self._entries:
            self._entries[kind] = {entry.name: entry for entry in sorted(entry_points(group=GROUPS[kind]))}
        return self._entries[kind]

    def _find(self, kind: Kind, name: str, asked: str = "") -> type[Any]:
        if name in self._entries_of(kind):
            return self.load(kind, name)
        if ":" in name:
            return _imported(kind, name)
        for candidate in self._likely_first(kind, name):
            if name in self._answers_to(kind, candidate):
                return candidate
        raise self._unknown(kind, asked or name)

    def _likely_first(self, kind: Kind, name: str) -> Iterator[type[Any]]:
        """All classes of a kind, those whose entry point occurs in the name first: the others are not even imported then."""
        for entry_name in sorted(self._entries_of(kind), key=lambda entry: (entry.lower() not in name.lower(), entry)):
            try:
                yield self.load(kind, entry_name)
            except UnknownPlugin:
                continue  # noted in failures: a broken plugin must not hide the others

    def _answers_to(self, kind: Kind, plugin: type[Any]) -> set[str]:
        names = {plugin.__name__, f"{plugin.__module__}.{plugin.__qualname__}"}
        for java_class in plugin.java_classes:
            names.update(simple_names(java_class.partition("$")[0], SUFFIXES[kind]))
        return names

    def _unknown(self, kind: Kind, name: str) -> UnknownPlugin:
        known = set(self.names(kind))
        for plugin in self._likely_first(kind, name):
            known |= self._answers_to(kind, plugin)
        if name.startswith(FOREIGN):
            hint = _misspelt(name, known) or f"{name} is not supported yet."
        else:
            hint = did_you_mean(name, known)
        broken = "".join(f" ({entry} cannot be imported: {why})" for entry, why in self.failures.items())
        return UnknownPlugin(
            f"Failed to find any class that implements {SUPERCLASSES[kind].__name__} and which name matches {name}, "
            f"available {kind}s are: {', '.join(self.names(kind))}.{broken}{' ' + hint if hint else ''}"
        )


def _misspelt(name: str, known: Iterable[str]) -> str:
    """A class by its simple name: what comes before it is alike in all of them and says nothing."""
    by_simple_name = {full.rpartition(".")[2]: full for full in sorted(known, key=lambda name: name.startswith(FOREIGN))}
    found = nearest(name.rpartition(".")[2], by_simple_name, likeness=0.85)
    return f"Did you mean '{by_simple_name[found]}'?" if found else ""


def _imported(kind: Kind, path: str) -> type[Any]:
    """The class at ``package.module:Class``."""
    module_name, _, class_name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:
        raise UnknownPlugin(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    return _checked(kind, found, path)


def _checked(kind: Kind, found: object, path: str) -> type[Any]:
    if isinstance(found, type) and issubclass(found, SUPERCLASSES[kind]):
        return found
    raise UnknownPlugin(f"{path} is not a {kind}: it does not extend connect.api.{SUPERCLASSES[kind].__name__}")
