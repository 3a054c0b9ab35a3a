"""The tables that a configuration captures, as the catalog and the replication stream describe them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from connectors.postgres.catalog import CatalogColumn, CatalogTable, read_tables, read_types
from connectors.postgres.config import PostgresConfig
from connectors.postgres.envelope import Server, Table
from connectors.postgres.pgoutput import Relation
from connectors.postgres.rows import Column
from connectors.postgres.session import Session, Waiting, finish
from connectors.postgres.values import Modes, PgType, column_type, with_default

log = logging.getLogger(__name__)


def captured_tables(config: PostgresConfig, tables: Sequence[CatalogTable]) -> list[CatalogTable]:
    """Those that the lists choose. Partitions are captured under their own names, or under their root's with
    ``publish.via.partition.root``: the same in snapshot and stream, and each row once.
    """
    filters = config.filters()
    via_root = config.publish_via_partition_root
    return [
        table
        for table in tables
        if filters.table(table.schema, table.name) and not (table.is_partition if via_root else table.is_partitioned)
    ]


def modes_of(config: PostgresConfig) -> Modes:
    return Modes(
        config.decimal_handling_mode,
        config.time_precision_mode,
        config.binary_handling_mode,
        config.interval_handling_mode,
        config.unavailable_value_placeholder,
    )


class Tables:
    """Captured tables, each in its newest known shape. ``load`` reads the catalog; ``describe`` serves the stream."""

    def __init__(self, config: PostgresConfig, server: Server) -> None:
        self._config = config
        self._server = server
        self._filters = config.filters()
        self._modes = modes_of(config)
        self._types: Mapping[int, PgType] = {}
        self._known: dict[tuple[str, str], CatalogTable] = {}
        self._shapes: dict[tuple[str, str], tuple[tuple[object, ...], Table]] = {}
        self._warned: set[str] = set()

    def load(self, session: Session) -> Waiting[list[CatalogTable]]:
        """Reads the catalog; gives the captured tables."""
        self._types = yield from read_types(session)
        tables = captured_tables(self._config, (yield from read_tables(session)))
        self._known = {(table.schema, table.name): table for table in tables}
        return tables

    def table(self, catalog: CatalogTable) -> Table:
        """As the catalog has it now."""
        return self._shape(catalog.schema, catalog.name, catalog.columns)

    def describe(self, relation: Relation) -> Table | None:
        """As the stream has it; None if it is not captured. Blocks for some milliseconds to look up a shape that is new."""
        if not self._filters.table(relation.schema, relation.name):
            return None
        known = self._known.get((relation.schema, relation.name))
        seen = [(column.name, column.type_oid, column.type_modifier) for column in relation.columns]
        if known is None or seen != [(column.name, column.type_oid, column.type_modifier) for column in known.columns]:
            self._refresh()
            known = self._known.get((relation.schema, relation.name))
        by_name = {column.name: column for column in known.columns} if known else {}
        columns = [self._merge(name, oid, modifier, by_name.get(name)) for name, oid, modifier in seen]
        return self._shape(relation.schema, relation.name, columns)

    @staticmethod
    def _merge(name: str, oid: int, modifier: int, now: CatalogColumn | None) -> CatalogColumn:
        """The stream's column, and what only the catalog knows. The catalog may be ahead of the stream: then it is nullable."""
        if now is None or now.type_oid != oid:
            return CatalogColumn(name, oid, modifier, not_null=False, key=now.key if now else None)
        return CatalogColumn(name, oid, modifier, now.not_null, now.key, now.default)

    def _refresh(self) -> None:
        session = finish(Session.open(self._config))
        try:
            finish(self.load(session))
        finally:
            session.close()

    def _shape(self, schema: str, name: str, columns: Sequence[CatalogColumn]) -> Table:
        identity = tuple(columns)
        found = self._shapes.get((schema, name))
        if found is not None and found[0] == identity:
            return found[1]
        table = Table(self._server, schema, name, [self._column(schema, name, column) for column in columns])
        self._shapes[schema, name] = (identity, table)
        return table

    def _column(self, schema: str, table: str, column: CatalogColumn) -> Column | None:
        where = f"{schema}.{table}.{column.name}"
        if column.key is None and not self._filters.column(schema, table, column.name):
            return None
        chosen = column_type(column.type_oid, column.type_modifier, self._types, self._modes, where)
        if chosen is None:
            if where not in self._warned:
                self._warned.add(where)
                log.warning("%s is left out of the records: its type (OID %d) is not served", where, column.type_oid)
            return None
        if column.not_null and column.default is not None:
            chosen = with_default(chosen, column.default)
        return Column(column.name, chosen, optional=not column.not_null, key=column.key)
