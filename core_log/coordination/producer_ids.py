"""Producer ids: unique for ever, handed out from blocks reserved on disk."""

from core_log.storage.files import Files


class ProducerIds:
    @classmethod
    def open(cls, files: Files, path: str) -> "ProducerIds":
        raise NotImplementedError

    def allocate(self) -> int:
        """The next id. Once in 1,000 calls it writes (and syncs) a small file first."""
        raise NotImplementedError
