"""The replication stream's socket: messages in, status updates out."""

from __future__ import annotations

import time
from collections.abc import Iterator

from psycopg import OperationalError

from connect.api import Checkpoint, SourceRecord
from connectors.postgres import pgoutput
from connectors.postgres.decoder import Decoder
from connectors.postgres.envelope import Moment
from connectors.postgres.session import WAIT_SECONDS, Session, Waiting

BATCH_RECORDS = 2000
CHECKPOINT_SECONDS = 1.0
"""How often an idle stream offers its position."""

_WAL_DATA, _KEEPALIVE = ord("w"), ord("k")


class Stream:
    """Reads a slot from ``start_lsn`` on through a replication session; tells the server only what :meth:`confirm` was told."""

    def __init__(self, session: Session, decoder: Decoder, start_lsn: int, status_seconds: float) -> None:
        self._session = session
        self._decoder = decoder
        self._confirmed = start_lsn
        self._received = start_lsn
        self._status_seconds = status_seconds
        self._status_at = 0.0
        self._checkpoint_at = 0.0
        self._end_lsn = 0  # the newest keepalive's position that is not yet offered

    def start(self, slot: str, publication: str) -> Waiting[None]:
        """Raises RetriableError while another connection uses the slot."""
        quote = self._session.quote
        names = quote(publication).replace("'", "''")
        at = pgoutput.lsn_text(self._confirmed)
        yield from self._session.execute(
            f"START_REPLICATION SLOT {quote(slot)} LOGICAL {at} (proto_version '1', publication_names '{names}')"
        )

    def records(self) -> Iterator[list[SourceRecord] | Checkpoint | None]:
        """For ever: a batch as soon as the socket is empty or the batch is full, a position when idle, None for nothing.

        The first None after a batch comes at once, so that the caller may send what it has; later ones are waits.
        """
        decoder, rested = self._decoder, False
        while True:
            decoder.now = Moment.of(time.time_ns())
            more = self._drain()
            if not more and self._session.wait(0):
                more = self._drain()
            if decoder.batch:
                decoder.checkpoint = None  # older than the batch
                batch, decoder.batch = decoder.batch, []
                rested = False
                yield batch
            elif not more:
                if (position := self._position()) is not None:
                    yield position
                elif not rested or not self._session.wait(WAIT_SECONDS):
                    rested = True
                    yield None
            self._status_when_due()

    def confirm(self, lsn: int) -> None:
        """Everything that committed before ``lsn`` is safe: the server may forget it."""
        if lsn > self._confirmed:
            self._confirmed = lsn
            self.send_status()

    def send_status(self) -> None:
        """A sign of life, and what is confirmed."""
        self._status_at = time.monotonic()
        message = pgoutput.standby_status(max(self._received, self._confirmed), self._confirmed, time.time_ns() // 1000)
        try:
            self._session.connection.put_copy_data(message)
            self._session.connection.flush()
        except OperationalError as error:
            raise self._session.broken(error) from error

    def _drain(self) -> bool:
        """Takes what libpq has, up to a full batch. True: there may be more."""
        decoder = self._decoder
        feed, batch = decoder.feed, decoder.batch
        get = self._session.connection.get_copy_data
        while len(batch) < BATCH_RECORDS:
            size, data = get(1)
            if size <= 0:
                if size == 0:
                    return False
                raise self._session.end_of_stream()
            message = bytes(data)
            if message[0] == _WAL_DATA:
                feed(message)
            elif message[0] == _KEEPALIVE:
                self._answer(pgoutput.parse_keepalive(message))
        return True

    def _answer(self, keepalive: pgoutput.Keepalive) -> None:
        self._received = self._end_lsn = max(keepalive.end_lsn, self._received)
        if keepalive.reply_wanted:
            self.send_status()

    def _position(self) -> Checkpoint | None:
        """What an idle stream may confirm, if there is something new and it is time."""
        now = time.monotonic()
        if now - self._checkpoint_at < CHECKPOINT_SECONDS:
            return None
        self._decoder.idle(self._end_lsn)
        offset, self._decoder.checkpoint = self._decoder.checkpoint, None
        if offset is None:
            return None
        self._checkpoint_at = now
        return Checkpoint(offset)

    def _status_when_due(self) -> None:
        if time.monotonic() - self._status_at >= self._status_seconds:
            self.send_status()
