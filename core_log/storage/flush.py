"""One flush of one log: captured on the owner's thread, run on any, taken over by the owner again."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from core_log.storage.checkpoint import Checkpoint
from core_log.storage.files import File, Files, replace


class PendingCheckpoint(NamedTuple):
    """``base_offset`` names the segment."""

    base_offset: int
    path: str
    checkpoint: Checkpoint


class Flush:
    """Everything before ``end_offset`` is on disk once ``run`` has returned with ``failure`` None."""

    def __init__(
        self, files: Files, directory: str | None, end_offset: int, synced: Sequence[File], pending: Sequence[PendingCheckpoint]
    ) -> None:
        """``directory`` is synced too, unless None: a file was created in it."""
        self._files = files
        self._directory = directory
        self._synced = synced
        self._pending = pending
        self.end_offset = end_offset
        self.failure: OSError | None = None
        self.checkpointed: list[PendingCheckpoint] = []
        self.abandoned = False
        self._paths = threading.Lock()

    def run(self) -> None:
        """Sync the files, then write the checkpoints that vouch for them. Call once, on any thread. Never raises: an OSError
        of the data is kept in ``failure``; a checkpoint that cannot be written only means more to verify at the next start.
        """
        try:
            self._sync_directory()
            for file in self._synced:
                file.sync()
        except OSError as error:
            self.failure = error
            return
        for pending in self._pending:
            try:
                self._write(pending)
            except OSError:
                return

    def abandon(self) -> None:
        """The log was deleted: from here on nothing is done under its paths, which may soon be another log's. Any thread."""
        with self._paths:
            self.abandoned = True

    def _sync_directory(self) -> None:
        with self._paths:
            if self._directory is not None and not self.abandoned:
                self._files.sync_directory(self._directory)

    def _write(self, pending: PendingCheckpoint) -> None:
        with self._paths:
            if not self.abandoned:
                replace(self._files, pending.path, pending.checkpoint.to_bytes())
                self.checkpointed.append(pending)
