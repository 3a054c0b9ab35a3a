"""Where objects are kept: what the sink needs of a store, which S3 and a folder both give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Protocol

from connect.api import ConfigProblem


class ObjectStore(Protocol):
    """Objects by key; each appears whole or not at all. Trouble that may pass raises RetriableError, other ConfigError."""

    def put_if_absent(self, key: str, body: IO[bytes], metadata: Mapping[str, str]) -> bool:
        """Stores ``body`` (read from its beginning) durably. False: there is an object of that name, left as it was."""
        ...

    def head(self, key: str) -> Mapping[str, str] | None:
        """The object's metadata ({} if it has none); None: no such object."""
        ...

    def read(self, key: str) -> bytes:
        """The object's content."""
        ...

    def check(self) -> Sequence[ConfigProblem]:
        """What would keep objects from being stored."""
        ...

    def close(self) -> None:
        """Gives back connections."""
        ...
