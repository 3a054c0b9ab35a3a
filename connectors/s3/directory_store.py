"""A folder as the store (``store.url=file:///path``): the same keys as in S3, as paths."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from connect.api import ConfigError, ConfigProblem, RetriableError

# A writer that died leaves its unfinished file under a name that no key has.
_UNFINISHED = ".unfinished-"


class DirectoryStore:
    """Objects are files, linked to their name when they are whole and on disk. They carry no metadata."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_if_absent(self, key: str, body: IO[bytes], metadata: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123 - it is a descriptor
                    shutil.copyfileobj(body, file)
                    file.flush()
                    os.fchmod(file.fileno(), 0o644)
                    os.fsync(file.fileno())
                Path(path).hardlink_to(unfinished)
            finally:
                Path(unfinished).unlink()
            self._sync(path.parent)
        except FileExistsError:
            return False
        except OSError as error:
            raise RetriableError(f"{path} cannot be written: {error.strerror or error}") from error
        return True

    def head(self, key: str) -> Mapping[str, str] | None:
        return {} if self._path(key).exists() else None

    def read(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except OSError as error:
            raise RetriableError(f"{self._path(key)} cannot be read: {error.strerror or error}") from error

    def check(self) -> Sequence[ConfigProblem]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=_UNFINISHED):
                return ()
        except OSError as error:
            message = f"The folder {self._folder} cannot be written: {error.strerror or error}."
            return (ConfigProblem("store.url", message, "Choose a folder that the worker's user may write."),)

    def close(self) -> None:
        """Nothing is open."""

    def _path(self, key: str) -> Path:
        path = Path(os.path.normpath(self._folder / key.lstrip("/")))
        if not path.is_relative_to(self._folder):
            raise ConfigError(f"the key {key} leads out of the folder {self._folder}; change topics.dir", "topics.dir")
        return path

    def _sync(self, folder: Path) -> None:
        """Makes names durable, up to the store's own folder: a new name lives in its parent."""
        while True:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if folder == self._folder:
                return
            folder = folder.parent
