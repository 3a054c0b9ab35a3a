"""The replication slot and the publication on the server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from connect.api import ConfigError
from connectors.postgres.catalog import CatalogTable
from connectors.postgres.config import PostgresConfig
from connectors.postgres.pgoutput import lsn_number
from connectors.postgres.session import Session, Waiting

log = logging.getLogger(__name__)

_SLOT = """
select plugin, database, active_pid, restart_lsn, confirmed_flush_lsn, wal_status, current_database()
from pg_replication_slots where slot_name = $1
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of pg_replication_slots. ``restart_lsn`` lies before every change that the slot will ever send."""

    plugin: str
    database: str
    active_pid: int | None
    restart_lsn: int
    confirmed_lsn: int
    lost: bool
    here: bool


def find_slot(session: Session, name: str) -> Waiting[Slot | None]:
    rows = yield from session.query(_SLOT, [name])
    if not rows:
        return None
    plugin, database, pid, restart, confirmed, status, current = rows[0]
    return Slot(
        plugin or "",
        database or "",
        int(pid) if pid else None,
        lsn_number(restart) if restart else 0,
        lsn_number(confirmed) if confirmed else 0,
        lost=status == "lost" or restart is None,
        here=database == current,
    )


def create_slot(replication: Session, name: str) -> Waiting[str]:
    """Makes the slot; gives the exported snapshot, which lives until the next command on this connection."""
    rows = yield from replication.query(f"CREATE_REPLICATION_SLOT {replication.quote(name)} LOGICAL pgoutput EXPORT_SNAPSHOT")
    return str(rows[0][2])


def ensure_publication(session: Session, config: PostgresConfig, tables: Sequence[CatalogTable]) -> Waiting[None]:
    """Makes the publication, or adds captured tables that it lacks; never takes one out (it may be shared).

    Raises ConfigError rather than publish a table whose UPDATE and DELETE would then fail in the application.
    """
    name = session.quote(config.publication_name)
    found = yield from session.query("select puballtables from pg_publication where pubname = $1", [config.publication_name])
    if config.publication_autocreate_mode == "disabled":
        if not found:
            remedy = f"create it: CREATE PUBLICATION {name} FOR TABLE {_list(tables)};"
            raise ConfigError(f"Publication {config.publication_name} does not exist; {remedy}", "publication.name")
        return
    if found and found[0][0] == "t":
        return
    root = f"publish_via_partition_root = {'true' if config.publish_via_partition_root else 'false'}"
    if config.publication_autocreate_mode == "all_tables" and not found:
        yield from session.query(f"CREATE PUBLICATION {name} FOR ALL TABLES WITH ({root})")
        return
    published = yield from session.query(
        "select c.oid from pg_publication p join pg_publication_rel r on r.prpubid = p.oid join pg_class c on c.oid = r.prrelid"
        " where p.pubname = $1",
        [config.publication_name],
    )
    present = {int(row[0] or 0) for row in published}
    missing = [table for table in tables if table.oid not in present]
    if found and not missing:
        return
    _refuse_without_identity(missing)
    if found:
        yield from session.query(f"ALTER PUBLICATION {name} ADD TABLE {_list(missing)}")
    elif missing:
        yield from session.query(f"CREATE PUBLICATION {name} FOR TABLE {_list(missing)} WITH ({root})")
    else:
        raise ConfigError("No table of the database matches the configuration's lists.", "table.include.list")
    log.info("publication %s: added %s", config.publication_name, ", ".join(map(str, missing)))


def _refuse_without_identity(tables: Sequence[CatalogTable]) -> None:
    without = [table for table in tables if not table.can_update]
    if without:
        names = ", ".join(map(str, without))
        mend = " ".join(f"ALTER TABLE {table.quoted} REPLICA IDENTITY FULL;" for table in without)
        raise ConfigError(
            f"{names}: no primary key and no replica identity, so UPDATE and DELETE would fail in the application."
            f" Add a primary key, or: {mend}",
            "table.include.list",
        )


def _list(tables: Sequence[CatalogTable]) -> str:
    return ", ".join(table.quoted for table in tables)
