from collections.abc import Iterator

import pytest

from tests.connectors.postgres.driver import Database

NAME = "cdc_tests"


@pytest.fixture(scope="session")
def database(postgres) -> Iterator[Database]:
    """A database of these tests' own; making one for each test would cost more than the tests."""
    made = Database(postgres, postgres.database(NAME))
    yield made
    made.connection.close()


@pytest.fixture
def db(database: Database) -> Iterator[Database]:
    """That database, empty: no table, no publication, no slot."""
    yield database
    database.clear()
