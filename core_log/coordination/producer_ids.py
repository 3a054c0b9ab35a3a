"""Producer ids: unique for ever, handed out from blocks reserved on disk."""

from core_log.errors import BrokerError, ErrorCode
from core_log.storage.files import Files, replace

BLOCK_SIZE = 1000


class ProducerIds:
    """The file holds the first id of the next block: a crash wastes what is left of one block."""

    def __init__(self, files: Files, path: str, next_block: int) -> None:
        self._files = files
        self._path = path
        self._next_block = next_block
        self._next = self._end = next_block

    @classmethod
    def open(cls, files: Files, path: str) -> "ProducerIds":
        """Raises OSError; BrokerError KAFKA_STORAGE_ERROR where the file does not hold a number."""
        if not files.exists(path):
            return cls(files, path, 0)
        text = files.read(path).decode("ascii", "replace").strip()
        if not text.isdigit():
            raise BrokerError(
                ErrorCode.KAFKA_STORAGE_ERROR,
                f"{path} should hold a number, the next producer id; it holds {text!r}. Write one that was never handed out",
            )
        return cls(files, path, int(text))

    def allocate(self) -> int:
        """The next id. Once in ``BLOCK_SIZE`` calls it writes (and syncs) a small file first. Raises BrokerError
        COORDINATOR_NOT_AVAILABLE (which clients retry) when that fails.
        """
        if self._next == self._end:
            try:
                replace(self._files, self._path, b"%d\n" % (self._next_block + BLOCK_SIZE))
            except OSError as error:
                raise BrokerError(ErrorCode.COORDINATOR_NOT_AVAILABLE, f"cannot reserve producer ids: {error}") from error
            self._next, self._end = self._next_block, self._next_block + BLOCK_SIZE
            self._next_block = self._end
        self._next += 1
        return self._next - 1
