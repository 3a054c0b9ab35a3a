import re
from collections.abc import Iterator

import pytest

from tests.connectors.postgres.driver import Database


@pytest.fixture
def db(postgres, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of the test's own."""
    name = "pg_" + re.sub(r"\W+", "_", request.node.name.lower())[:50]
    database = Database(postgres, postgres.database(name))
    yield database
    database.connection.close()
    with postgres.connect(autocommit=True) as admin:
        for slot, pid in admin.execute(
            "select slot_name, active_pid from pg_replication_slots where database = %s", (name,)
        ).fetchall():
            if pid is not None:
                admin.execute("select pg_terminate_backend(%s, 5000)", (pid,))
            admin.execute("select pg_drop_replication_slot(%s)", (slot,))
        admin.execute(f'drop database "{name}" with (force)')
