"""What would stop a configuration from working, found before anything starts; each finding with the SQL that mends it.

Nothing on the server is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connect.api import ConfigError, ConfigProblem, ConnectError
from connectors.postgres.catalog import CatalogTable, read_tables
from connectors.postgres.config import PostgresConfig
from connectors.postgres.session import Session, application_name, finish
from connectors.postgres.slot import find_slot
from connectors.postgres.tables import captured_tables

CONNECT_SECONDS = 8.0

_SERVER = """
select current_setting('wal_level'), current_setting('max_replication_slots')::int,
       (select count(*) from pg_replication_slots),
       current_setting('max_wal_senders')::int, (select count(*) from pg_stat_replication where application_name <> $1),
       (select rolreplication or rolsuper from pg_roles where rolname = current_user),
       has_database_privilege(current_database(), 'create'), current_user, current_setting('server_version')
"""


def preflight(config: PostgresConfig) -> list[ConfigProblem]:
    """Every problem that can be seen from here; an empty list if there is none."""
    try:
        session = finish(Session.open(config, timeout_seconds=CONNECT_SECONDS))
    except ConfigError as error:
        return [ConfigProblem(error.key, str(error), "Check the connection's keys and the server's pg_hba.conf.")]
    except ConnectError as error:
        return [ConfigProblem("database.hostname", str(error), "Is the server running, and do host, port and TLS mode fit?")]
    try:
        tables = captured_tables(config, finish(read_tables(session)))
        return [
            *_server(session, config),
            *_slot(session, config),
            *_tables(config, tables),
            *_publication(session, config, tables),
        ]
    except ConnectError as error:
        return [ConfigProblem("database.hostname", str(error))]
    finally:
        session.close()


def _server(session: Session, config: PostgresConfig) -> Iterator[ConfigProblem]:
    row = finish(session.query(_SERVER, [application_name(config)]))[0]
    level, slots_max, slots, senders_max, senders, replication, may_create, user, version = (str(value) for value in row)
    if config.snapshot_mode == "initial_only":
        return
    if session.server_version < 120_000:
        yield ConfigProblem("database.hostname", f"The server is PostgreSQL {version}.", "Version 12 or newer is needed.")
    if level != "logical":
        remedy = "ALTER SYSTEM SET wal_level = 'logical'; then restart the server."
        yield ConfigProblem("database.hostname", f"The server's wal_level is {level}, not logical.", remedy)
    if replication != "t":
        yield ConfigProblem("database.user", f"{user} may not replicate.", f"ALTER ROLE {session.quote(user)} REPLICATION;")
    if int(senders) >= int(senders_max):
        remedy = f"ALTER SYSTEM SET max_wal_senders = {int(senders_max) + 10}; then restart the server."
        yield ConfigProblem("database.hostname", f"All {senders_max} WAL senders are in use.", remedy)
    if finish(find_slot(session, config.slot_name)) is None and int(slots) >= int(slots_max):
        remedy = (
            f"ALTER SYSTEM SET max_replication_slots = {int(slots_max) + 10}; then restart, or drop a slot that nobody uses."
        )
        yield ConfigProblem("slot.name", f"All {slots_max} replication slots are taken.", remedy)
    if may_create != "t" and config.publication_autocreate_mode != "disabled" and not _published(session, config):
        remedy = f"GRANT CREATE ON DATABASE {session.quote(config.database_dbname)} TO {session.quote(user)};"
        yield ConfigProblem("publication.autocreate.mode", f"{user} may not create a publication.", remedy)


def _slot(session: Session, config: PostgresConfig) -> Iterator[ConfigProblem]:
    name = config.slot_name
    slot = finish(find_slot(session, name))
    if slot is None or config.snapshot_mode == "initial_only":
        return
    drop = f"Choose another slot.name, or if nobody needs it: SELECT pg_drop_replication_slot('{name}');"
    if slot.plugin != "pgoutput":
        yield ConfigProblem("slot.name", f"Replication slot {name} is of plugin {slot.plugin}, not pgoutput.", drop)
    elif not slot.here:
        yield ConfigProblem("slot.name", f"Replication slot {name} belongs to database {slot.database}.", drop)
    elif slot.lost:
        yield ConfigProblem("slot.name", f"The server has removed WAL that replication slot {name} needs.", drop)
    elif slot.active_pid is not None and not _ours(session, config, slot.active_pid):
        remedy = f"Choose another slot.name, or end the other: SELECT pg_terminate_backend({slot.active_pid});"
        yield ConfigProblem("slot.name", f"Replication slot {name} is in use by process {slot.active_pid}.", remedy)


def _ours(session: Session, config: PostgresConfig, pid: int) -> bool:
    """Whether the slot's user is this connector, running: its configuration may be validated all the same."""
    rows = finish(session.query("select application_name from pg_stat_activity where pid = $1", [str(pid)]))
    return bool(rows) and rows[0][0] == application_name(config)


def _tables(config: PostgresConfig, tables: Sequence[CatalogTable]) -> Iterator[ConfigProblem]:
    key = "table.include.list" if config.table_include_list or not config.schema_include_list else "schema.include.list"
    if not tables:
        hint = "The lists hold anchored regular expressions for schema.table."
        if any("." in pattern for pattern in config.table_include_list) and not config.publish_via_partition_root:
            hint += " A partitioned table needs publish.via.partition.root=true, or its partitions in the list."
        yield ConfigProblem(key, f"No table of database {config.database_dbname} matches.", hint)
    for table in tables:
        if not table.readable and config.snapshot_mode != "no_data":
            remedy = f"GRANT SELECT ON {table.quoted} TO {_quote(config.database_user)};"
            yield ConfigProblem(key, f"{config.database_user} may not read {table}.", remedy)


def _publication(session: Session, config: PostgresConfig, tables: Sequence[CatalogTable]) -> Iterator[ConfigProblem]:
    if config.snapshot_mode == "initial_only":
        return
    name, exists = config.publication_name, _published(session, config)
    if config.publication_autocreate_mode == "disabled":
        if not exists:
            listed = ", ".join(table.quoted for table in tables)
            remedy = f"CREATE PUBLICATION {session.quote(name)} FOR TABLE {listed};"
            yield ConfigProblem("publication.name", f"Publication {name} does not exist.", remedy)
        return
    present = finish(
        session.query("select schemaname || '.' || tablename from pg_publication_tables where pubname = $1", [name])
    )
    published = {row[0] for row in present}
    for table in tables:
        if str(table) in published:
            continue
        if not table.can_update:
            yield ConfigProblem(
                "table.include.list",
                f"{table} has no primary key and no replica identity: its UPDATE and DELETE would fail once published.",
                f"Add a primary key, or: ALTER TABLE {table.quoted} REPLICA IDENTITY FULL;",
            )
        if not table.owned:
            yield ConfigProblem(
                "publication.autocreate.mode",
                f"{config.database_user} does not own {table}, so it cannot publish it.",
                f"As its owner: {'ALTER' if exists else 'CREATE'} PUBLICATION {session.quote(name)}"
                f" {'ADD' if exists else 'FOR'} TABLE {table.quoted}; and set publication.autocreate.mode=disabled.",
            )


def _published(session: Session, config: PostgresConfig) -> bool:
    return bool(finish(session.query("select 1 from pg_publication where pubname = $1", [config.publication_name])))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
