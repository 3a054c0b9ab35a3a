"""Files in memory that lose power: what was not synced may be gone, torn, or full of zeros.

The model is that of a journalling file system (ext4): changes of a directory survive in order, up to some point after its last
sync; the unsynced end of a file keeps any prefix, may read as zeros, and its last 512-byte sector may hold only half of what
was written. A file's sync covers its bytes, not its name.
"""

import errno
import os
from collections.abc import Callable, Sequence
from random import Random

from core_log.storage.files import Buffer

SECTOR = 512


class _Content:
    """One inode: what programs see, and what the disk is known to have."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.durable = bytes(data)
        self.doubtful = False

    def after_power_loss(self, random: Random) -> "_Content":
        kept = self.durable
        if bytes(self.data) != kept:
            common = min(len(self.data), len(kept))
            if self.data[:common] == kept[:common] and len(self.data) < len(kept):  # truncated
                kept = random.choice([kept, bytes(self.data)])
            else:
                kept += self._torn(bytes(self.data[len(kept) :]), random)
        return _Content(kept)

    @staticmethod
    def _torn(tail: bytes, random: Random) -> bytes:
        cut = tail[: random.randint(0, len(tail))]
        fate = random.choice(["prefix", "zeros", "sector"])
        if fate == "zeros":
            return cut + bytes(random.randint(0, len(tail) - len(cut)))
        if fate == "sector" and len(cut) > SECTOR:
            return cut[:-SECTOR] + bytes(SECTOR // 2) + cut[-SECTOR // 2 :]
        return cut


class _Directory:
    """Names as programs see them, the names on disk, and the changes between the two in order."""

    def __init__(self) -> None:
        self.names: dict[str, _Content | _Directory] = {}
        self.durable: dict[str, _Content | _Directory] = {}
        self.changes: list[Callable[[dict[str, _Content | _Directory]], object]] = []

    def change(self, apply: Callable[[dict[str, "_Content | _Directory"]], object]) -> None:
        apply(self.names)
        self.changes.append(apply)

    def sync(self) -> None:
        self.durable = dict(self.names)
        self.changes.clear()

    def after_power_loss(self, random: Random) -> "_Directory":
        survivor = _Directory()
        for apply in self.changes[: random.randint(0, len(self.changes))]:
            apply(self.durable)
        survivor.names = {name: node.after_power_loss(random) for name, node in self.durable.items()}
        survivor.durable = dict(survivor.names)
        return survivor


class MemoryFile:
    def __init__(self, files: "MemoryFiles", path: str, content: _Content) -> None:
        self._files = files
        self._path = path
        self._content = content

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "a file in memory has no descriptor", self._path)

    def append(self, parts: Sequence[Buffer]) -> int:
        self._files.touch("append", self._path)
        before = len(self._content.data)
        for part in parts:
            self._content.data += part
        return len(self._content.data) - before

    def pread(self, length: int, position: int) -> bytes:
        self._files.touch("pread", self._path)
        return bytes(self._content.data[position : position + length])

    def truncate(self, size: int) -> None:
        self._files.touch("truncate", self._path)
        del self._content.data[size:]

    def sync(self) -> None:
        try:
            self._files.touch("sync", self._path)
        except OSError:
            self._content.doubtful = True
            raise
        self._content.durable = bytes(self._content.data)

    def forget_cached(self) -> None:
        """After a failed sync the system takes the pages for clean, and gives back what the disk has."""
        content = self._content
        if content.doubtful:
            kept = min(len(content.durable), len(content.data))
            content.data[kept:] = bytes(len(content.data) - kept)
            content.doubtful = False

    def size(self) -> int:
        return len(self._content.data)


class MemoryFiles:
    """``before(operation, path)`` is called ahead of every change and may raise: OSError for a failing disk, anything else to
    stop the program there.
    """

    def __init__(self, before: Callable[[str, str], None] | None = None) -> None:
        self.before = before
        self._root = _Directory()

    def touch(self, operation: str, path: str) -> None:
        if self.before is not None:
            self.before(operation, path)

    def after_power_loss(self, random: Random) -> "MemoryFiles":
        """The file system as it is found when power comes back. This one must not be used any more."""
        survivor = MemoryFiles()
        survivor._root = self._root.after_power_loss(random)
        return survivor

    def copy(self) -> "MemoryFiles":
        """As it is seen by programs now: what kill -9 leaves."""
        twin = MemoryFiles()
        root = _copied(self._root)
        assert isinstance(root, _Directory)
        twin._root = root
        return twin

    def open(self, path: str, *, create: bool = False) -> MemoryFile:
        parent, name = self._parent(path)
        found = parent.names.get(name)
        if found is None and create:
            self.touch("create", path)
            found = _Content()
            parent.change(_link(name, found))
        if not isinstance(found, _Content):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return MemoryFile(self, path, found)

    def read(self, path: str) -> bytes:
        self.touch("read", path)
        file = self.open(path)
        return file.pread(file.size(), 0)

    def size(self, path: str) -> int:
        return self.open(path).size()

    def rename(self, source: str, target: str) -> None:
        self.touch("rename", source)
        parent, name = self._parent(source)
        other, new_name = self._parent(target)
        if other is not parent:
            raise OSError(errno.EXDEV, "the model renames within one directory", target)
        if name not in parent.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
        parent.change(lambda names: names.update({new_name: names.pop(name)}))

    def remove(self, path: str) -> None:
        self.touch("remove", path)
        parent, name = self._parent(path)
        if name not in parent.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        parent.change(lambda names: names.pop(name))

    def remove_tree(self, path: str) -> None:
        self.remove(path)

    def make_directory(self, path: str) -> None:
        parent, name = self._parent(path)
        if name not in parent.names:
            self.touch("make_directory", path)
            parent.change(_link(name, _Directory()))

    def sync_directory(self, path: str) -> None:
        self.touch("sync_directory", path)
        self._directory(path).sync()

    def list(self, path: str) -> list[str]:
        return sorted(self._directory(path).names)

    def exists(self, path: str) -> bool:
        try:
            parent, name = self._parent(path)
        except FileNotFoundError:
            return False
        return name in parent.names

    def _parent(self, path: str) -> tuple[_Directory, str]:
        head, name = os.path.split(path)
        return self._directory(head), name

    def _directory(self, path: str) -> _Directory:
        node: _Content | _Directory = self._root
        for name in filter(None, path.split("/")):
            found = node.names.get(name) if isinstance(node, _Directory) else None
            if found is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            node = found
        if not isinstance(node, _Directory):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node


def _link(name: str, node: _Content | _Directory) -> Callable[[dict[str, _Content | _Directory]], None]:
    return lambda names: names.update({name: node})


def _copied(node: _Content | _Directory) -> _Content | _Directory:
    if isinstance(node, _Content):
        return _Content(bytes(node.data))
    twin = _Directory()
    twin.names = {name: _copied(child) for name, child in node.names.items()}
    twin.durable = dict(twin.names)
    return twin
