"""Classic consumer groups over ``__consumer_offsets``.

Pure: the time is passed in, answers come through callbacks, writes go through ``append``. One coordinator serves all groups.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core_log.coordination.group_messages import (
    CommitRequest,
    CommittedOffset,
    DescribedGroup,
    JoinRequest,
    JoinResult,
    LeavingMember,
    LeftMember,
    ListedGroup,
    SyncRequest,
    SyncResult,
)
from core_log.errors import ErrorCode

Append = Callable[[int, bytes, Callable[[ErrorCode], None]], None]
"""``append(partition, batch, done)``: append the record batch to that partition of ``__consumer_offsets`` and call
``done(NONE)`` once the high watermark has passed it, or ``done(error)``. ``done`` may be called at once."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Kafka's broker settings ``group.*`` and ``offsets.*``."""

    initial_rebalance_delay_ms: int = 0
    min_session_timeout_ms: int = 6_000
    max_session_timeout_ms: int = 1_800_000
    max_group_size: int = 2_147_483_647
    offsets_partitions: int = 4
    offsets_retention_ms: int = 7 * 24 * 3_600_000
    offset_metadata_max_bytes: int = 4_096


class GroupCoordinator:
    def __init__(self, settings: GroupSettings, append: Append) -> None:
        raise NotImplementedError

    def partition_for(self, group_id: str) -> int:
        """Kafka's own: abs(Java's hashCode of the id) modulo the partitions of ``__consumer_offsets``."""
        raise NotImplementedError

    def load(self, partition: int, batches: Iterable[bytes | memoryview], now_ms: int) -> None:
        """Read back one partition's log at start: chunks of whole record batches, in order. Call before any request. Members
        that were there come back with a fresh session."""
        raise NotImplementedError

    def join(self, request: JoinRequest, now_ms: int, reply: Callable[[JoinResult], None]) -> None:
        raise NotImplementedError

    def sync(self, request: SyncRequest, now_ms: int, reply: Callable[[SyncResult], None]) -> None:
        raise NotImplementedError

    def heartbeat(
        self, group_id: str, generation: int, member_id: str, group_instance_id: str | None, now_ms: int
    ) -> ErrorCode:
        raise NotImplementedError

    def leave(self, group_id: str, members: Sequence[LeavingMember], now_ms: int) -> tuple[ErrorCode, list[LeftMember]]:
        """Below version 3 a request names one member: its own error is then the answer's."""
        raise NotImplementedError

    def commit(self, request: CommitRequest, now_ms: int, reply: Callable[[dict[tuple[str, int], ErrorCode]], None]) -> None:
        """Answered when durable."""
        raise NotImplementedError

    def committed(self, group_id: str, partitions: Iterable[tuple[str, int]] | None) -> dict[tuple[str, int], CommittedOffset]:
        """Committed offsets of the given partitions (``NO_OFFSET`` where there is none), or of all for None."""
        raise NotImplementedError

    def check_fetch(self, group_id: str, member_id: str | None, member_epoch: int) -> ErrorCode:
        """OffsetFetch version 9 and above may name a member; a classic group ignores an unset one (None, -1)."""
        raise NotImplementedError

    def describe(self, group_id: str) -> DescribedGroup:
        raise NotImplementedError

    def list_groups(self) -> list[ListedGroup]:
        raise NotImplementedError

    def delete_group(self, group_id: str, now_ms: int, reply: Callable[[ErrorCode], None]) -> None:
        """NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, or NONE once durable."""
        raise NotImplementedError

    def delete_offsets(
        self,
        group_id: str,
        partitions: Sequence[tuple[str, int]],
        now_ms: int,
        reply: Callable[[ErrorCode, dict[tuple[str, int], ErrorCode]], None],
    ) -> None:
        """OffsetDelete: GROUP_SUBSCRIBED_TO_TOPIC for topics that live members read."""
        raise NotImplementedError

    def forget_topic(self, topic: str, now_ms: int) -> None:
        """The topic was deleted: its committed offsets go too."""
        raise NotImplementedError

    def expire_offsets(self, now_ms: int) -> int:
        """Remove offsets of groups empty for ``offsets_retention_ms``, and empty groups without any. Returns offsets removed."""
        raise NotImplementedError

    def tick(self, now_ms: int) -> None:
        """Do what is due: sessions that expired, rebalances whose time is up."""
        raise NotImplementedError

    def next_deadline_ms(self) -> int | None:
        raise NotImplementedError
