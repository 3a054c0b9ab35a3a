"""What the server's catalog says about tables and types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.postgres.session import Row, Session, Waiting
from connectors.postgres.values import PgType

# Generated columns are not published (before PostgreSQL 18: never), so they are not captured at all: snapshot == stream.
_TABLES = """
select c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.relispartition,
       a.attname, a.atttypid, a.atttypmod, a.attnotnull,
       array_position((pk.indkey::int2[])[0:pk.indnkeyatts - 1], a.attnum),
       array_position((ri.indkey::int2[])[0:ri.indnkeyatts - 1], a.attnum),
       has_table_privilege(c.oid, 'select'), pg_has_role(c.relowner, 'usage'), pg_get_expr(d.adbin, d.adrelid)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
left join pg_index pk on pk.indrelid = c.oid and pk.indisprimary
left join pg_index ri on ri.indrelid = c.oid and ri.indisreplident
where c.relkind in ('r', 'p') and c.relpersistence = 'p' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
order by n.nspname, c.relname, a.attnum
"""
_TYPES = """
select t.oid, t.typname, t.typtype, t.typelem, t.typbasetype, t.typtypmod,
       (select string_agg(e.enumlabel, chr(1) order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)
from pg_type t left join pg_type i on i.oid = t.typelem
where t.typtype in ('b', 'd', 'e', 'r') and (i.oid is null or i.typtype in ('b', 'd', 'e', 'r'))
"""


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """``default`` is the expression; ``key`` the place in the key, None outside of it."""

    name: str
    type_oid: int
    type_modifier: int
    not_null: bool
    key: int | None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """``identity`` is relreplident: d default, n nothing, f full, i index. ``columns`` are those that are published."""

    oid: int
    schema: str
    name: str
    is_partitioned: bool
    is_partition: bool
    identity: str
    readable: bool
    owned: bool
    columns: tuple[CatalogColumn, ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def has_key(self) -> bool:
        return any(column.key is not None for column in self.columns)

    @property
    def can_update(self) -> bool:
        """Whether UPDATE and DELETE still work once the table is published."""
        return self.identity == "f" or (self.identity in "di" and self.has_key)

    @property
    def quoted(self) -> str:
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))


def read_tables(session: Session) -> Waiting[list[CatalogTable]]:
    """Every table of the database, by name."""
    rows = yield from session.query(_TABLES)
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(str(row[0]), []).append(row)
    return [_table(columns) for columns in grouped.values()]


def read_types(session: Session) -> Waiting[dict[int, PgType]]:
    """Every type that a column may have, but for composites."""
    rows = yield from session.query(_TYPES)
    return dict(_type(row) for row in rows)


def _table(rows: list[Row]) -> CatalogTable:
    oid, schema, name, kind, identity, is_partition = rows[0][:6]
    readable, owned = rows[0][12:14]
    # The key is what deletions bring: the replica identity's index where one is chosen, else the primary key.
    columns = tuple(_column(row, 11 if identity == "i" else 10) for row in rows)
    return CatalogTable(
        oid=int(oid or 0),
        schema=str(schema),
        name=str(name),
        is_partitioned=kind == "p",
        is_partition=is_partition == "t",
        identity=str(identity),
        readable=readable == "t",
        owned=owned == "t",
        columns=columns,
    )


def _column(row: Row, key_at: int) -> CatalogColumn:
    _oid, _schema, _table, _kind, _identity, _partition, name, type_oid, modifier, not_null, *_ = row
    key = row[key_at]
    return CatalogColumn(
        name=str(name),
        type_oid=int(type_oid or 0),
        type_modifier=int(modifier or -1),
        not_null=not_null == "t",
        key=None if key is None else int(key),
        default=row[14],
    )


def _type(row: Row) -> tuple[int, PgType]:
    oid, name, kind, element, base, modifier, labels = row
    number = int(oid or 0)
    names: Iterable[str] = labels.split("\x01") if labels else ()
    return number, PgType(number, str(name), str(kind), int(element or 0), int(base or 0), int(modifier or -1), tuple(names))
