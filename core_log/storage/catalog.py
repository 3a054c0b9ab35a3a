"""Which topics exist: names, ids, partition counts and configs, kept on disk.

One small JSON file per topic, ``topics/<name>.json``, replaced whole at every change; the partitions' directories stand beside
``topics``. A topic exists when its file does, so its file is written last and removed after its directories were put aside.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from core_log.errors import BrokerError, ErrorCode
from core_log.storage import topic_config
from core_log.storage.files import Files
from core_log.storage.files import replace as replace_file

MAX_NAME_LENGTH = 249
_NAME = re.compile(r"[a-zA-Z0-9._-]+")
_DELETED = "-delete"


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
    """Every change is on disk (file and directory synced) when the call returns. Disk errors come as BrokerError
    KAFKA_STORAGE_ERROR, except from ``open`` and ``purge``, which raise OSError.
    """

    def __init__(self, files: Files, root: str, topics: dict[str, Topic]) -> None:
        self._files = files
        self._root = root
        self._folder = f"{root}/topics"
        self._topics = topics
        self._ids = {topic.id.bytes: topic for topic in topics.values()}
        self.topics: Mapping[str, Topic] = MappingProxyType(topics)

    @classmethod
    def open(cls, files: Files, root: str) -> "Catalog":
        """Read the topics; finishes deletions that a crash cut short."""
        folder = f"{root}/topics"
        if not files.exists(folder):
            files.make_directory(folder)
            files.sync_directory(root)
        topics: dict[str, Topic] = {}
        deleted: list[Topic] = []
        for name in files.list(folder):
            if not name.endswith(".json"):
                files.remove(f"{folder}/{name}")
                continue
            topic, deleting = _parse(f"{folder}/{name}", files.read(f"{folder}/{name}"))
            if deleting:
                deleted.append(topic)
            else:
                topics[topic.name] = topic
        catalog = cls(files, root, topics)
        for topic in deleted:
            catalog._put_aside(topic)
        return catalog

    def by_id(self, topic_id: bytes) -> Topic | None:
        """``topic_id``: 16 bytes, as on the wire."""
        return self._ids.get(topic_id)

    def create(self, name: str, partitions: int, configs: Mapping[str, str]) -> Topic:
        """Raises BrokerError: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_CONFIG."""
        self.check_create(name, partitions, configs)
        topic = Topic(name, uuid.uuid4(), partitions, dict(configs))
        with _disk(f"create topic {name}"):
            self._make_directories(topic, range(partitions))
            self._write(topic)
        self._put(topic)
        return topic

    def check_create(self, name: str, partitions: int, configs: Mapping[str, str]) -> None:
        """What ``create`` checks, without creating (validate_only)."""
        if not _NAME.fullmatch(name) or name in {".", ".."} or len(name) > MAX_NAME_LENGTH:
            raise BrokerError(
                ErrorCode.INVALID_TOPIC_EXCEPTION,
                f"topic name {name!r}: 1 to {MAX_NAME_LENGTH} letters, digits, '.', '_' and '-', but not '.' or '..'",
            )
        if name in self._topics:
            raise BrokerError(ErrorCode.TOPIC_ALREADY_EXISTS, f"topic {name} exists already")
        metric = name.replace(".", "_")
        twin = next((other for other in self._topics if other.replace(".", "_") == metric), None)
        if twin is not None:
            raise BrokerError(
                ErrorCode.INVALID_TOPIC_EXCEPTION,
                f"topic {name} collides with {twin}: '.' and '_' are the same in metric names",
            )
        if partitions < 1:
            raise BrokerError(ErrorCode.INVALID_PARTITIONS, f"topic {name}: {partitions} partitions, at least 1 is needed")
        topic_config.check(configs)

    def delete(self, name: str) -> Topic:
        """The topic is gone at once; its files are renamed and wait for ``purge``. Raises BrokerError
        UNKNOWN_TOPIC_OR_PARTITION.
        """
        topic = self._known(name)
        with _disk(f"delete topic {name}"):
            self._write(topic, deleting=True)
            del self._topics[name]
            del self._ids[topic.id.bytes]
            self._put_aside(topic)
        return topic

    def purge(self) -> int:
        """Remove the files of deleted topics (any thread). Returns the number of partition directories removed."""
        names = [name for name in self._files.list(self._root) if name.endswith(_DELETED)]
        for name in names:
            self._files.remove_tree(f"{self._root}/{name}")
        return len(names)

    def add_partitions(self, name: str, total: int) -> Topic:
        """Raises BrokerError: INVALID_PARTITIONS unless ``total`` is more than now, UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self._known(name)
        if total <= topic.partitions:
            raise BrokerError(
                ErrorCode.INVALID_PARTITIONS,
                f"topic {name} has {topic.partitions} partitions; {total} would not be an increase",
            )
        grown = replace(topic, partitions=total)
        with _disk(f"add partitions to topic {name}"):
            self._make_directories(grown, range(topic.partitions, total))
            self._write(grown)
        self._put(grown)
        return grown

    def set_configs(self, name: str, configs: Mapping[str, str]) -> Topic:
        """Replace the topic's configs. Raises BrokerError: INVALID_CONFIG naming the key, UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self._known(name)
        topic_config.check(configs)
        changed = replace(topic, configs=dict(configs))
        with _disk(f"change the configs of topic {name}"):
            self._write(changed)
        self._put(changed)
        return changed

    def _known(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {name}")
        return topic

    def _put(self, topic: Topic) -> None:
        self._topics[topic.name] = self._ids[topic.id.bytes] = topic

    def _make_directories(self, topic: Topic, partitions: range) -> None:
        """Make them empty: what a crash in the middle of an earlier creation left is put aside."""
        for partition in partitions:
            path = topic.directory(self._root, partition)
            if self._files.exists(path):
                self._files.rename(path, f"{path}.{uuid.uuid4().hex}{_DELETED}")
            self._files.make_directory(path)
        self._files.sync_directory(self._root)

    def _write(self, topic: Topic, *, deleting: bool = False) -> None:
        fields = {"name": topic.name, "id": str(topic.id), "partitions": topic.partitions, "configs": dict(topic.configs)}
        if deleting:
            fields["deleting"] = True
        replace_file(self._files, f"{self._folder}/{topic.name}.json", json.dumps(fields, indent=1).encode())

    def _put_aside(self, topic: Topic) -> None:
        """Rename the directories so that a new topic of the same name never meets them, then forget the topic."""
        for partition in range(topic.partitions):
            path = topic.directory(self._root, partition)
            if self._files.exists(path):
                self._files.rename(path, f"{path}.{topic.id.hex}{_DELETED}")
        self._files.sync_directory(self._root)
        self._files.remove(f"{self._folder}/{topic.name}.json")
        self._files.sync_directory(self._folder)


@contextmanager
def _disk(action: str) -> Iterator[None]:
    """Turns an OSError into the error that a client gets."""
    try:
        yield
    except OSError as error:
        raise BrokerError(ErrorCode.KAFKA_STORAGE_ERROR, f"cannot {action}: {error}") from error


def _parse(path: str, data: bytes) -> tuple[Topic, bool]:
    try:
        fields = json.loads(data)
        configs = {str(key): str(value) for key, value in fields["configs"].items()}
        topic = Topic(str(fields["name"]), uuid.UUID(fields["id"]), int(fields["partitions"]), configs)
        return topic, bool(fields.get("deleting", False))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokerError(
            ErrorCode.KAFKA_STORAGE_ERROR,
            f"{path} does not describe a topic ({error}); restore it from a copy, or remove it to give the topic up",
        ) from error
