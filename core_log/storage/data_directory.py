"""The broker's data directory: one broker at a time, a cluster id, a format version."""


class DataDirectoryError(Exception):
    """The directory cannot be used: not writable, held by another broker, or of a newer format. The text says what to do."""


class DataDirectory:
    """Holds the lock for as long as it is open. Always on the real file system."""

    path: str
    cluster_id: str

    @classmethod
    def open(cls, path: str) -> "DataDirectory":
        """Create the directory if need be, lock it, read or make the cluster id. Raises DataDirectoryError."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
