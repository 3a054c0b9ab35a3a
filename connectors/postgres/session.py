"""A PostgreSQL connection that never blocks: every operation is a generator that yields while it waits.

psycopg's cursors know neither START_REPLICATION nor a COPY that may be left waiting, its libpq wrapper (``psycopg.pq``) has
all it takes. :func:`finish` runs such a generator to its end where blocking is fine.
"""

from __future__ import annotations

import select
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TypeVar

from psycopg import OperationalError, pq
from psycopg.conninfo import make_conninfo

from connect.api import ConfigError, ConnectError, RetriableError
from connectors.postgres.config import PostgresConfig

T = TypeVar("T")
Waiting = Generator[None, None, T]
Row = tuple[str | None, ...]

WAIT_SECONDS = 0.25
"""The longest a step waits before it gives the caller a turn."""

# One text form for every value, whatever the server's, database's or role's settings: values.py parses exactly this.
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

# SQLSTATE classes and codes (PostgreSQL manual, appendix A) after which trying again makes sense.
_RETRIABLE_CLASSES = ("08", "40", "53", "57", "58")
_RETRIABLE = ("55006", "55P03")  # the slot is in use; a lock is not available
# What libpq says when a person must change the configuration: a failed connection carries no SQLSTATE.
_REFUSALS = {
    "password authentication failed": "database.password",
    "no password supplied": "database.password",
    "no pg_hba.conf entry": "database.user",
    'role "': "database.user",
    'database "': "database.dbname",
    "certificate": "database.sslrootcert",
    "does not support SSL": "database.sslmode",
}


class ServerError(ConnectError):
    """The server refused a statement for a reason that waiting does not mend. ``sqlstate`` says which."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


def finish(waiting: Waiting[T]) -> T:
    """Runs to the end, blocking."""
    while True:
        try:
            next(waiting)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def application_name(config: PostgresConfig) -> str:
    """What the server's views call this connector's connections."""
    return f"penstock {config.topic_prefix}"


def conninfo(config: PostgresConfig, *, replication: bool = False) -> str:
    """The connection string for this configuration."""
    settings: dict[str, str | int | None] = {
        "host": config.database_hostname,
        "port": config.database_port,
        "user": config.database_user,
        "password": config.database_password.get_secret_value() if config.database_password else None,
        "dbname": config.database_dbname,
        "sslmode": config.database_sslmode,
        "sslcert": config.database_sslcert,
        "sslkey": config.database_sslkey,
        "sslrootcert": config.database_sslrootcert,
        "sslpassword": config.database_sslpassword.get_secret_value() if config.database_sslpassword else None,
        "keepalives": "1" if config.database_tcpKeepAlive else "0",
        "application_name": application_name(config),
        "client_encoding": "UTF8",
        "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        "replication": "database" if replication else None,
    }
    return make_conninfo("", **{name: value for name, value in settings.items() if value is not None})


class Session:
    """One connection."""

    def __init__(self, connection: pq.abc.PGconn, where: str) -> None:
        self.connection = connection
        self.where = where
        self._poll = select.poll()
        self._poll.register(connection.socket, select.POLLIN)

    @classmethod
    def open(cls, config: PostgresConfig, *, replication: bool = False, timeout_seconds: float = 20) -> Waiting[Session]:
        """Connects. Raises ConfigError where a person must act (credentials, TLS), otherwise RetriableError."""
        where = f"{config.database_hostname}:{config.database_port}"
        connection = pq.PGconn.connect_start(conninfo(config, replication=replication).encode())
        deadline = time.monotonic() + timeout_seconds
        while connection.status != pq.ConnStatus.BAD and (state := connection.connect_poll()) != pq.PollingStatus.OK:
            if state == pq.PollingStatus.FAILED:
                break
            if time.monotonic() > deadline:
                raise RetriableError(f"PostgreSQL at {where} did not answer within {timeout_seconds:.0f} s.")
            waiter = select.poll()
            waiter.register(connection.socket, select.POLLIN if state == pq.PollingStatus.READING else select.POLLOUT)
            if not waiter.poll(WAIT_SECONDS * 1000):
                yield
        if connection.status != pq.ConnStatus.OK:
            raise _refusal(where, connection.get_error_message().strip())
        connection.nonblocking = 1
        return cls(connection, where)

    @property
    def server_version(self) -> int:
        return self.connection.server_version

    def wait(self, seconds: float) -> bool:
        """Waits for bytes from the server, and takes them in. False: none came."""
        if not self._poll.poll(seconds * 1000):
            return False
        try:
            self.connection.consume_input()
        except OperationalError as error:
            raise self.broken(error) from error
        return True

    def query(self, sql: str, parameters: Sequence[str | None] = ()) -> Waiting[list[Row]]:
        """The rows of one statement, as text. ``$1`` in the statement takes the first parameter."""
        result = yield from self.execute(sql, parameters)
        return list(rows_of(result))

    def execute(self, sql: str, parameters: Sequence[str | None] = ()) -> Waiting[pq.abc.PGresult]:
        """Runs one statement. Raises RetriableError or ServerError."""
        if parameters:
            values = [None if value is None else value.encode() for value in parameters]
            self.connection.send_query_params(sql.encode(), values)
        else:
            self.connection.send_query(sql.encode())
        result = yield from self._result()
        if result.status in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
            return result
        while (following := (yield from self._next_result())) is not None:
            self._check(following)
        return result

    def copy_rows(self, sql: str) -> Iterator[list[memoryview] | None]:
        """The rows of a COPY TO STDOUT, in the pieces the socket delivers; None while there are none."""
        yield from self.execute(sql)
        get = self.connection.get_copy_data
        while True:
            rows: list[memoryview] = []
            size, data = get(1)
            while size > 0:
                rows.append(data)
                if len(rows) == 1000:
                    break
                size, data = get(1)
            if rows:
                yield rows
            if size == 0 and not self.wait(WAIT_SECONDS):
                yield None
            elif size < 0:
                break
        while (result := (yield from self._next_result())) is not None:
            self._check(result)

    def end_of_stream(self) -> ConnectError:
        """Why the server ended a COPY."""
        try:
            result = self.connection.get_result()
            if result is not None:
                self._check(result)
        except ConnectError as error:
            return error
        return RetriableError(f"PostgreSQL at {self.where} ended the stream.")

    def broken(self, error: OperationalError) -> RetriableError:
        """What to raise when the connection fails under an operation."""
        return RetriableError(f"The connection to PostgreSQL at {self.where} broke: {str(error).strip()}")

    def quote(self, name: str) -> str:
        """An SQL identifier."""
        return '"' + name.replace('"', '""') + '"'

    def close(self) -> None:
        self.connection.finish()

    def _result(self) -> Waiting[pq.abc.PGresult]:
        result = yield from self._next_result()
        if result is None:
            raise RetriableError(f"PostgreSQL at {self.where} gave no answer.")
        self._check(result)
        return result

    def _next_result(self) -> Waiting[pq.abc.PGresult | None]:
        try:
            while self.connection.flush():
                yield
        except OperationalError as error:
            raise self.broken(error) from error
        while self.connection.is_busy():
            if not self.wait(WAIT_SECONDS):
                yield
        return self.connection.get_result()

    def _check(self, result: pq.abc.PGresult) -> None:
        if result.status not in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
            return
        field = result.error_field
        state = (field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        detail = field(pq.DiagnosticField.MESSAGE_DETAIL)
        text = (field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode(errors="replace").strip()
        text = f"PostgreSQL at {self.where} says: {text}{'. ' + detail.decode(errors='replace') if detail else ''} ({state})"
        if not state or state.startswith(_RETRIABLE_CLASSES) or state in _RETRIABLE:
            raise RetriableError(text)
        raise ServerError(text, state)


def rows_of(result: pq.abc.PGresult) -> Iterator[Row]:
    """A result's rows as text."""
    for row in range(result.ntuples):
        values = (result.get_value(row, column) for column in range(result.nfields))
        yield tuple(None if value is None else value.decode() for value in values)


def _refusal(where: str, text: str) -> ConnectError:
    for part, key in _REFUSALS.items():
        if part in text:
            return ConfigError(f"PostgreSQL at {where} refuses the connection: {text}", key)
    return RetriableError(f"Cannot connect to PostgreSQL at {where}: {text}")
