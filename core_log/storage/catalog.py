"""Which topics exist: names, ids, partition counts and configs, kept on disk."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from core_log.storage.files import Files


@dataclass(frozen=True, slots=True)
class Topic:
    """``configs`` holds only what was set on the topic, as given."""

    name: str
    id: uuid.UUID
    partitions: int
    configs: Mapping[str, str]

    def directory(self, root: str, partition: int) -> str:
        return f"{root}/{self.name}-{partition}"


class Catalog:
    """Every change is on disk (file and directory synced) when the call returns."""

    topics: Mapping[str, Topic]

    @classmethod
    def open(cls, files: Files, root: str) -> "Catalog":
        """Read the topics; finishes deletions that a crash cut short."""
        raise NotImplementedError

    def by_id(self, topic_id: uuid.UUID) -> Topic | None:
        raise NotImplementedError

    def create(self, name: str, partitions: int, configs: Mapping[str, str], *, topic_id: uuid.UUID | None = None) -> Topic:
        """Raises BrokerError: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_CONFIG."""
        raise NotImplementedError

    def check_create(self, name: str, partitions: int, configs: Mapping[str, str]) -> None:
        """What ``create`` checks, without creating (validate_only)."""
        raise NotImplementedError

    def delete(self, name: str) -> Topic:
        """The topic is gone at once; its files are renamed and wait for ``purge``. Close its logs first."""
        raise NotImplementedError

    def purge(self) -> int:
        """Remove the files of deleted topics (any thread). Returns the number of partition directories removed."""
        raise NotImplementedError

    def add_partitions(self, name: str, total: int) -> Topic:
        """Raises BrokerError INVALID_PARTITIONS unless ``total`` is more than now, UNKNOWN_TOPIC_OR_PARTITION."""
        raise NotImplementedError

    def set_configs(self, name: str, configs: Mapping[str, str]) -> Topic:
        """Replace the topic's configs. Raises BrokerError INVALID_CONFIG naming the key."""
        raise NotImplementedError
