"""Who works together and who leads: an ordinary consumer group on the config topic.

That topic has one partition, and its owner is the leader.

Classic protocol with the cooperative-sticky assignor: every member hears of every change, and the leader stays the leader
when others come and go. Members know each other by their client ids, which carry their URLs.
"""

from __future__ import annotations

import logging
import struct
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connect.service import kafka_clients
from connect.service.errors import EnvironmentProblem
from connect.service.internal_topics import wait_for_brokers
from connect.service.kafka_clients import INTERNAL
from connect.service.settings import WorkerSettings

_logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_RETRY_SECONDS = 2.0
_CLIENT_ID = "penstock-worker "


@dataclass(frozen=True, slots=True)
class Members:
    """The group as this worker sees it. URLs are the advertised ones; ``leader`` None: nobody leads at the moment."""

    is_leader: bool
    leader: str | None
    workers: tuple[str, ...]
    generation: int


@dataclass(frozen=True, slots=True)
class Member:
    """What a description of the group says of one member: its client id, and whether it owns the partition that leads."""

    client_id: str
    owns: bool


def view(members: Iterable[Member], own_url: str, generation: int) -> Members:
    """The group's members as the workers they are; those that are no workers (a tool that joined) do not count."""
    workers = {member.client_id.removeprefix(_CLIENT_ID): member.owns for member in members if _is_worker(member)}
    leader = next((url for url, owns in workers.items() if owns), None)
    return Members(leader == own_url, leader, tuple(sorted(workers)), generation)


def _is_worker(member: Member) -> bool:
    return member.client_id.startswith(_CLIENT_ID)


def generation_of(metadata: bytes) -> int:
    """The group's generation out of librdkafka's consumer group metadata: ``CGMDv2:`` and an int32 in native order."""
    (generation,) = struct.unpack_from("=i", metadata, len("CGMDv2:"))
    return int(generation)


class Membership:
    """Keeps this worker in the group. ``on_change`` is called on the membership's own thread: it must only take note."""

    def __init__(self, settings: WorkerSettings, *, on_change: Callable[[Members], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)
        self._owns = False
        self._look = False  # the group has changed and has not been looked at since
        self._told: Members | None = None
        self._complained = False

    def start(self) -> None:
        """Begins to join; ``on_change`` is told once the worker is in.

        Raises EnvironmentProblem when JVM workers hold the group; with ``penstock.takeover=wait`` waits until they have left.
        The config topic must exist.
        """
        while reason := wait_for_brokers(self._held_by_others, self._settings.bootstrap_servers, self._stopping):
            if self._settings.takeover != "wait":
                raise EnvironmentProblem(
                    f"Group '{self._settings.group_id}' is held by Kafka Connect workers of the JVM ({reason}). Stop them "
                    "first, or add the line penstock.takeover=wait to take over as soon as the last one has left."
                )
            if not self._complained:
                _logger.warning("Waiting until Kafka Connect's workers leave group '%s'.", self._settings.group_id)
            self._complained = True
            if self._stopping.wait(_RETRY_SECONDS):
                raise InterruptedError("Stopped while waiting for the group")
        self._complained = False
        self._thread.start()

    def stop(self) -> None:
        """Leaves the group, so that the others know at once."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _held_by_others(self) -> str | None:
        """Which protocol the group's members speak if it is not ours, or None. An empty group keeps its old one: no matter."""
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            # Its successors know consumer groups only: they cannot tell a foreign group with members from one without.
            found = self._admin().list_groups(self._settings.group_id, timeout=3.0)
        for group in found:
            if group.members and group.protocol_type not in ("", "consumer"):
                return f"protocol '{group.protocol_type}', {len(group.members)} member(s)"
        return None

    def _admin(self) -> AdminClient:
        """A fresh client for each look, which is rare: after the broker was away, an AdminClient that had spoken to the
        coordinator before waits for its old connection for ever (librdkafka 2.16, with Apache Kafka too).
        """
        return kafka_clients.admin(self._settings, INTERNAL)

    def _describe(self) -> Any:
        group = self._settings.group_id
        admin = self._admin()  # held until the answer is there: a client that is gone answers nothing
        return admin.describe_consumer_groups([group], request_timeout=2)[group].result()

    def _run(self) -> None:
        consumer = kafka_clients.consumer(
            self._settings,
            self._settings.group_id,
            INTERNAL,
            client_id=_CLIENT_ID + self._settings.advertised_url,
            group_protocol="classic",
            partition_assignment_strategy="cooperative-sticky",
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.heartbeat_interval_ms,
            max_poll_interval_ms=max(300_000, self._settings.session_timeout_ms),
            auto_offset_reset="latest",
        )
        consumer.subscribe([self._settings.config_topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        try:
            while not self._stopping.is_set():
                self._step(consumer)
        except Exception:
            _logger.exception("This worker is no member of its group any more")
            self._tell(Members(False, None, (), -1))
        finally:
            consumer.unsubscribe()  # close() alone does not leave the group where no partition is assigned
            consumer.close()

    def _step(self, consumer: Consumer) -> None:
        message = consumer.poll(_POLL_SECONDS)
        error = message.error() if message is not None else None
        if error is not None:
            self._complain(error)
        elif self._look:
            self._look_around(generation_of(consumer.consumer_group_metadata()))

    def _complain(self, error: KafkaError) -> None:
        """The library goes on trying by itself; a person should know why nothing happens."""
        if self._complained:
            return
        self._complained = True
        if error.code() == KafkaError.INCONSISTENT_GROUP_PROTOCOL:
            _logger.error("Kafka Connect workers of the JVM hold group '%s'; trying again.", self._settings.group_id)
        elif error.code() == KafkaError.INVALID_SESSION_TIMEOUT:
            _logger.error(
                "The broker refuses session.timeout.ms=%d: it must lie between the broker's group.min.session.timeout.ms and "
                "group.max.session.timeout.ms.",
                self._settings.session_timeout_ms,
            )
        else:
            _logger.warning("Group '%s': %s; trying again.", self._settings.group_id, error.str())

    def _look_around(self, generation: int) -> None:
        """Describes the group (about 1 ms) and tells of it; while a rebalance is under way, the next step tries again."""
        try:
            group = self._describe()
        except KafkaException as error:
            _logger.debug("The group cannot be described yet: %s", error)
            return
        if group.state != ConsumerGroupState.STABLE:
            return
        members = [Member(member.client_id, bool(member.assignment.topic_partitions)) for member in group.members]
        seen = view(members, self._settings.advertised_url, generation)
        if seen.leader is None or seen.is_leader != self._owns:
            return  # what we own and what the group says will agree in a moment
        self._look = self._complained = False
        self._tell(seen)

    def _tell(self, members: Members) -> None:
        if members != self._told:
            self._told = members
            self._on_change(members)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Called at every rebalance, with an empty list where nothing is added."""
        consumer.incremental_assign(partitions)
        if partitions:
            consumer.pause(partitions)  # the records are the topic table's business
            self._owns = True
        self._look = True

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        if partitions:
            self._step_down()

    def _lost(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """The group has expelled this worker: somebody else may lead already, and its tasks are dealt out anew."""
        _logger.info(
            "Group '%s' does without this worker: it was not heard for too long. Joining again.", self._settings.group_id
        )
        self._owns = False
        self._tell(Members(False, None, (), -1))

    def _step_down(self) -> None:
        self._owns = False
        if self._told and self._told.is_leader:
            self._tell(Members(False, None, self._told.workers, self._told.generation))
