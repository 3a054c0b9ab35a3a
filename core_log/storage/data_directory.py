"""The broker's data directory: one broker at a time, a cluster id, a format version. Always on the real file system."""

import base64
import fcntl
import json
import os
import uuid
from pathlib import Path

from core_log.errors import EnvironmentProblem
from core_log.storage.files import RealFiles, replace

FORMAT_VERSION = 1
_META = "meta.json"
_LOCK = ".lock"


class DataDirectory:
    """Holds the lock for as long as it is open. ``cluster_id`` is a UUID in URL-safe base64, as Kafka's are."""

    def __init__(self, path: str, lock: int, cluster_id: str) -> None:
        self.path = path
        self.cluster_id = cluster_id
        self._lock = lock

    @classmethod
    def open(cls, path: str) -> "DataDirectory":
        """Create the directory if need be, lock it, read or make the cluster id. Raises EnvironmentProblem."""
        path = str(Path(path).absolute())
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
            lock = os.open(f"{path}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot use the data directory {path}: {error.strerror}; name a directory that this user may write (--data)"
            ) from error
        try:
            _take(path, lock)
            return cls(path, lock, _cluster_id(path))
        except BaseException:
            os.close(lock)
            raise

    def close(self) -> None:
        """Let go of the directory; the lock file stays, empty."""
        if self._lock >= 0:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1


def _take(path: str, lock: int) -> None:
    """The kernel drops the lock with the process, however it ends, so that it is never left behind."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise EnvironmentProblem(
            f"the data directory {path} is in use by another broker (pid {holder}); stop it, or name another directory (--data)"
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % os.getpid(), 0)


def _cluster_id(path: str) -> str:
    file = Path(path, _META)
    try:
        if not file.exists():
            cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            replace(RealFiles(), str(file), json.dumps({"format": FORMAT_VERSION, "cluster.id": cluster_id}).encode())
            return cluster_id
        fields = json.loads(file.read_bytes())
        version, found = int(fields["format"]), str(fields["cluster.id"])
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot use {file}: {error.strerror}; the broker must be able to write its directory"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise EnvironmentProblem(f"{file} is not a broker's ({error}); name another directory (--data)") from error
    if version > FORMAT_VERSION:
        raise EnvironmentProblem(
            f"{path} was written by a newer version (format {version}, this one reads {FORMAT_VERSION}): upgrade, or name "
            "another directory (--data)"
        )
    return found
