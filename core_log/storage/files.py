# Paths are strings on this side of the seam and the other.
# ruff: noqa: PTH102, PTH104, PTH108, PTH110, PTH116, PTH123, PTH208
"""The seam between the log and the disk: all that storage asks of a file system.

``RealFiles`` is the disk. ``memory_files.MemoryFiles`` models one that loses power.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

Buffer = bytes | bytearray | memoryview


class File(Protocol):
    """An open file that is appended to and read by position. It closes when nobody holds it any more."""

    def fileno(self) -> int: ...

    def append(self, parts: Sequence[Buffer]) -> int:
        """Write all parts at the end; returns the bytes written. After an OSError (disk full) nothing of them stays."""
        ...

    def pread(self, length: int, position: int) -> bytes:
        """Up to ``length`` bytes; fewer only at the end of the file."""
        ...

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None:
        """When this returns, data and size are on disk. An OSError means that nobody knows: do not try again."""
        ...

    def forget_cached(self) -> None:
        """Let the next read come from the disk, where the system allows."""
        ...

    def size(self) -> int: ...


class Files(Protocol):
    """A file system. Paths are strings; ``/`` separates. Errors are OSError as the system gives them."""

    def open(self, path: str, *, create: bool = False) -> File: ...
    def read(self, path: str) -> bytes: ...
    def size(self, path: str) -> int: ...
    def rename(self, source: str, target: str) -> None: ...
    def remove(self, path: str) -> None: ...
    def remove_tree(self, path: str) -> None: ...
    def make_directory(self, path: str) -> None: ...
    def sync_directory(self, path: str) -> None: ...
    def list(self, path: str) -> list[str]: ...
    def exists(self, path: str) -> bool: ...


def replace(files: Files, path: str, data: Buffer) -> None:
    """Write a file so that after a crash either the old or the new content is there, whole. Durable on return."""
    temporary = f"{path}.tmp"
    file = files.open(temporary, create=True)
    file.truncate(0)
    file.append([data])
    file.sync()
    files.rename(temporary, path)
    files.sync_directory(path.rpartition("/")[0])


class RealFile:
    """One descriptor. Reads and writes name their position, so that sendfile and several readers never disturb each other."""

    __slots__ = ("_descriptor", "_size")

    def __init__(self, path: str, *, create: bool) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        self._descriptor = -1
        self._descriptor = os.open(path, flags, 0o644)
        self._size = os.fstat(self._descriptor).st_size

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def append(self, parts: Sequence[Buffer]) -> int:
        try:
            written = os.pwritev(self._descriptor, parts, self._size)
            total = sum(map(len, parts))
            if written < total:
                self._write_rest(b"".join(parts), written)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += total
        return total

    def _write_rest(self, data: bytes, written: int) -> None:
        view = memoryview(data)
        while written < len(data):
            written += os.pwrite(self._descriptor, view[written:], self._size + written)

    def pread(self, length: int, position: int) -> bytes:
        data = os.pread(self._descriptor, length, position)
        while len(data) < length:
            more = os.pread(self._descriptor, length - len(data), position + len(data))
            if not more:
                break
            data += more
        return data

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        self._size = size

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def forget_cached(self) -> None:
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def size(self) -> int:
        return self._size


class RealFiles:
    """The operating system's files."""

    def open(self, path: str, *, create: bool = False) -> RealFile:
        return RealFile(path, create=create)

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def size(self, path: str) -> int:
        return os.stat(path).st_size

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def remove_tree(self, path: str) -> None:
        shutil.rmtree(path)

    def make_directory(self, path: str) -> None:
        with suppress(FileExistsError):
            os.mkdir(path)

    def sync_directory(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def list(self, path: str) -> list[str]:
        return sorted(os.listdir(path))

    def exists(self, path: str) -> bool:
        return os.path.exists(path)
