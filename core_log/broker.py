"""The broker without its sockets: it owns the topics, their logs and the coordinators, and says what is due when.

Everything here runs on one thread. ``Broker.turn`` is called after each round of requests and whenever something is due.
"""

import logging
import uuid
from collections.abc import Callable, Hashable, Mapping
from functools import partial

from core_log.clock import Clock
from core_log.complaints import Complaints
from core_log.coordination.group_coordinator import GroupCoordinator, GroupSettings
from core_log.coordination.producer_ids import ProducerIds
from core_log.coordination.timers import Timers
from core_log.coordination.waiting import Waiting
from core_log.errors import BrokerError, ErrorCode
from core_log.group_commit import GroupCommit
from core_log.metrics import Metrics
from core_log.outages import Outages
from core_log.pool import Pool, Post
from core_log.protocol.record_batch import Buffer
from core_log.settings import OFFSETS_TOPIC, BrokerSettings
from core_log.storage import topic_config
from core_log.storage.catalog import Catalog, Topic
from core_log.storage.files import Files
from core_log.storage.partition_log import Appended, PartitionLog

logger = logging.getLogger(__name__)

Partition = tuple[str, int]
#: A deadline for what waits as long as it takes.
NEVER_MS = 2**62
_OFFSETS_CONFIG = {"cleanup.policy": "compact", "segment.bytes": "104857600"}
_READ_BYTES = 1 << 20


class Broker:
    def __init__(self, settings: BrokerSettings, files: Files, root: str, *, cluster_id: str, clock: Clock, post: Post) -> None:
        """Opens every log under ``root``. Raises BrokerError or OSError where a log cannot be read."""
        self.settings = settings
        self.cluster_id = cluster_id
        self.clock = clock
        self.metrics = Metrics()
        self.complaints = Complaints()
        self.waiting = Waiting()
        self.logs: dict[Partition, PartitionLog] = {}
        self._files = files
        self._root = root
        self._pool = Pool(post)
        self._timers = Timers()
        self._outages = Outages(self._timers, self.waiting.wake)
        self._commits = GroupCommit(self._pool, self.waiting.wake, self._sync_failed)
        self._sync_before_visible = settings.flush_policy == "ack"
        self.catalog = Catalog.open(files, root)
        self.producer_ids = ProducerIds.open(files, f"{root}/producer-ids")
        for topic in self.catalog.topics.values():
            self._open_logs(topic)
        self.groups = self._open_groups()

    def _open_groups(self) -> GroupCoordinator:
        settings = self.settings
        if OFFSETS_TOPIC not in self.catalog.topics:
            self._open_logs(self.catalog.create(OFFSETS_TOPIC, settings.offsets_partitions, _OFFSETS_CONFIG))
        partitions = self.catalog.topics[OFFSETS_TOPIC].partitions
        groups = GroupCoordinator(
            GroupSettings(
                initial_rebalance_delay_ms=settings.initial_rebalance_delay_ms,
                min_session_timeout_ms=settings.min_session_timeout_ms,
                max_session_timeout_ms=settings.max_session_timeout_ms,
                max_group_size=settings.max_group_size,
                offsets_partitions=partitions,
                offsets_retention_ms=settings.offsets_retention_minutes * 60_000,
                offset_metadata_max_bytes=settings.offset_metadata_max_bytes,
            ),
            self._append_offsets,
        )
        for number in range(partitions):
            pieces = self.logs[OFFSETS_TOPIC, number].pieces(_READ_BYTES)
            groups.load(number, (piece.read() for piece in pieces), self.clock.now_ms())
        return groups

    # -- topics

    def topic(self, name: str) -> Topic:
        """Raises BrokerError UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self.catalog.topics.get(name)
        if topic is None:
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"no topic {name!r}")
        return topic

    def topic_by_id(self, topic_id: bytes) -> Topic:
        """Raises BrokerError UNKNOWN_TOPIC_ID."""
        topic = self.catalog.by_id(topic_id)
        if topic is None:
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_ID, f"no topic has the id {uuid.UUID(bytes=topic_id)}")
        return topic

    def log(self, topic: str, partition: int) -> PartitionLog:
        """Raises BrokerError UNKNOWN_TOPIC_OR_PARTITION."""
        log = self.logs.get((topic, partition))
        if log is None:
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"no partition {partition} of topic {topic!r}")
        return log

    def create_topic(self, name: str, partitions: int, configs: Mapping[str, str]) -> Topic:
        """On disk when it returns. Raises BrokerError as ``Catalog.create``."""
        topic = self.catalog.create(name, partitions, configs)
        try:
            self._open_logs(topic)
        except OSError as error:
            self.delete_topic(name)  # half a topic is none
            raise BrokerError(ErrorCode.KAFKA_STORAGE_ERROR, f"cannot create topic {name}: {error}") from error
        return topic

    def delete_topic(self, name: str) -> None:
        """Raises BrokerError UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self.topic(name)
        try:
            self.catalog.delete(name)
        finally:
            if name not in self.catalog.topics:  # also where its files could not all be put aside yet
                self._forget(topic)
        self.groups.forget_topic(name, self.clock.now_ms())
        self._pool.submit(partial(_purge, self.catalog), _nothing)

    def _forget(self, topic: Topic) -> None:
        for number in range(topic.partitions):
            key = (topic.name, number)
            self._commits.forget(key)
            self._outages.forget(key)
            self.logs.pop(key, None)
            self.waiting.wake(key)

    def add_partitions(self, name: str, total: int) -> None:
        """Raises BrokerError as ``Catalog.add_partitions``."""
        topic = self.catalog.add_partitions(name, total)
        self._open_logs(topic)

    def _open_logs(self, topic: Topic) -> None:
        config = topic_config.effective(topic.configs, self.settings.given)
        for number in range(topic.partitions):
            if (topic.name, number) not in self.logs:
                self.logs[topic.name, number] = PartitionLog.open(
                    self._files,
                    topic.directory(self._root, number),
                    config=config,
                    sync_before_visible=self._sync_before_visible,
                    now_ms=self.clock.now_ms(),
                )

    # -- appends and durability

    def append(self, key: Partition, log: PartitionLog, batch: Buffer) -> Appended:
        """Append to the log and begin the sync, or wake who waits for data where the policy does not wait for a sync. Raises
        BrokerError as ``PartitionLog.append``.
        """
        now_ms = self.clock.now_ms()
        try:
            written = log.append(batch, now_ms)
        except BrokerError as error:
            if error.code is ErrorCode.KAFKA_STORAGE_ERROR and log.failure is None:
                self.complaints.say(key, f"a record was refused: {error.message}", now_ms)
            raise
        if not written.duplicate:
            if self._sync_before_visible:
                self._commits.request(key, log)
            else:
                self.waiting.wake(key)
        return written

    def when_durable(self, key: Partition, log: PartitionLog, offset: int, done: Callable[[ErrorCode], None]) -> None:
        """``done(NONE)`` once the high watermark has reached ``offset``, ``done(KAFKA_STORAGE_ERROR)`` when it never will."""

        def settled(expired: bool) -> bool:
            if log.high_watermark >= offset:
                done(ErrorCode.NONE)
            elif log.failure is not None or self.logs.get(key) is not log:
                done(ErrorCode.KAFKA_STORAGE_ERROR)
            else:
                return expired
            return True

        if not settled(expired=False):
            self.waiting.park((key,), NEVER_MS, settled)

    def _append_offsets(self, number: int, batch: bytes, done: Callable[[ErrorCode], None]) -> None:
        key = (OFFSETS_TOPIC, number)
        log = self.logs[key]
        try:
            written = self.append(key, log, batch)
        except BrokerError as error:
            done(error.code)
            return
        self.when_durable(key, log, written.required_offset, done)

    def _sync_failed(self, key: Hashable, log: PartitionLog) -> None:
        self._outages.begin(key, log, self.clock.now_ms())

    def flush_all(self) -> None:
        """Begin a sync of everything that has not been synced."""
        for key, log in self.logs.items():
            self._commits.request(key, log)

    def checkpoint_all(self) -> None:
        """Begin to sync and vouch for everything, log by log: what a start after kill -9 then need not verify."""
        for key, log in self.logs.items():
            self._commits.request_checkpoint(key, log)

    @property
    def idle(self) -> bool:
        """Whether no sync is asked for or under way."""
        return self._commits.idle

    # -- time

    def turn(self) -> None:
        """Begin the syncs of this turn, do what is due."""
        self._commits.start()
        now_ms = self.clock.now_ms()
        self.waiting.tick(now_ms)
        self.groups.tick(now_ms)
        self._timers.tick(now_ms)
        self._commits.start()

    def next_deadline_ms(self) -> int | None:
        clocks = (self.waiting, self.groups, self._timers)
        return min((due for one in clocks if (due := one.next_deadline_ms()) is not None), default=None)

    def apply_retention(self) -> None:
        """Remove the segments that nobody wants any more; a log whose disk fails keeps them until the next time."""
        now_ms = self.clock.now_ms()
        for (topic, number), log in self.logs.items():
            try:
                freed = log.apply_retention(now_ms)
            except (OSError, BrokerError) as error:
                self.complaints.say(("retention", topic, number), f"retention of {topic}-{number}: {error}", now_ms)
                continue
            if freed:
                logger.info("retention freed %d bytes of %s-%d", freed, topic, number)

    def expire_offsets(self) -> None:
        self.groups.expire_offsets(self.clock.now_ms())

    def close(self, run_posted: Callable[[], None]) -> None:
        """Every log flushed and checkpointed, so that the next start verifies nothing; who waited for that is answered.

        ``run_posted`` runs what the pool's threads have posted: the ends of the syncs under way.
        """
        self._commits.close()
        self._pool.close()
        run_posted()
        for key, log in self.logs.items():
            log.close()
            self.waiting.wake(key)


def _purge(catalog: Catalog) -> None:
    try:
        catalog.purge()
    except OSError as error:
        logger.warning("files of deleted topics stay until the next start: %s", error)


def _nothing() -> None:
    pass
