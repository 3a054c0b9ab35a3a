"""What can go wrong with a connector, and therefore what the runtime does about it.

The class of the error decides, never its text. Anything that is none of these is a bug: the task fails with its trace.
"""

from __future__ import annotations


class ConnectError(Exception):
    """Root of every error that a connector, converter or transform raises on purpose."""


class ConfigError(ConnectError):
    """The configuration is wrong; a person must change it. Never retried; REST answers 400.

    ``key`` is the configuration key at fault, as the user wrote it (``slot.name``), or "" where no single key is.
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class RetriableError(ConnectError):
    """The outside system is unwell and may recover: the runtime tries again, with back-off, for ever."""


class DataError(ConnectError):
    """One record cannot be handled. ``index`` is its place in the batch at hand, or None if there is no batch."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class FencedError(ConnectError):
    """Another worker owns this work now: stop quietly."""
