"""Which tables and columns a configuration captures: Debezium's lists of anchored regular expressions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connect.api.java_regex import compile_pattern

Filter = Callable[[str], bool]

# What `table.ignore.builtin` leaves out.
BUILTIN_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast")


def matcher(patterns: Sequence[str]) -> Filter:
    """Whether one of the patterns, in Java's dialect, matches a whole name, in any case. Raises ValueError."""
    compiled = [compile_pattern(pattern, ignore_case=True) for pattern in patterns]
    return lambda name: any(pattern.fullmatch(name) for pattern in compiled)


def chooser(include: Sequence[str], exclude: Sequence[str]) -> Filter:
    """At most one of the lists is given; neither means everything."""
    if include:
        return matcher(include)
    if exclude:
        excluded = matcher(exclude)
        return lambda name: not excluded(name)
    return lambda _name: True


class Filters:
    """A configuration's lists, compiled once."""

    def __init__(
        self,
        *,
        schemas: tuple[Sequence[str], Sequence[str]] = ((), ()),
        tables: tuple[Sequence[str], Sequence[str]] = ((), ()),
        columns: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> None:
        self._schema = chooser(*schemas)
        self._table = chooser(*tables)
        self._column = chooser(*columns)

    def table(self, schema: str, name: str) -> bool:
        if schema in BUILTIN_SCHEMAS or schema.startswith("pg_temp"):
            return False
        return self._schema(schema) and self._table(f"{schema}.{name}")

    def column(self, schema: str, table: str, name: str) -> bool:
        return self._column(f"{schema}.{table}.{name}")
