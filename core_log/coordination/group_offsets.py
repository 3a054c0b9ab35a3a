"""Committed offsets of groups: written, then counted; expired when a group has long been empty."""

from collections.abc import Callable, Iterable

from core_log.coordination.group import Group, Partition, State, StoredOffset
from core_log.coordination.group_log import Change, GroupLog
from core_log.coordination.group_messages import NO_OFFSET, CommittedOffset
from core_log.coordination.group_records import offset_key, offset_value, subscribed_topics
from core_log.errors import ErrorCode

Committed = dict[Partition, ErrorCode]


class GroupOffsets:
    def __init__(self, log: GroupLog, *, metadata_max_bytes: int, retention_ms: int) -> None:
        self._log = log
        self._metadata_max_bytes = metadata_max_bytes
        self._retention_ms = retention_ms

    def commit(
        self, group: Group, offsets: dict[Partition, CommittedOffset], now_ms: int, reply: Callable[[Committed], None]
    ) -> None:
        """Write what may be written; count it and answer once it is durable."""
        fits = {key: one for key, one in offsets.items() if len(one.metadata.encode()) <= self._metadata_max_bytes}
        answers = dict.fromkeys(offsets, ErrorCode.OFFSET_METADATA_TOO_LARGE)
        if not fits:
            reply(answers)
            return

        def durable(error: ErrorCode) -> None:
            if error is ErrorCode.NONE:
                group.offsets.update((key, StoredOffset(one, now_ms)) for key, one in fits.items())
            answers.update(dict.fromkeys(fits, error))
            reply(answers)

        changes: list[Change] = [(offset_key(group.group_id, *key), offset_value(one, now_ms)) for key, one in fits.items()]
        self._log.write(group.group_id, changes, now_ms, durable)

    @staticmethod
    def committed(group: Group | None, partitions: Iterable[Partition] | None) -> dict[Partition, CommittedOffset]:
        stored = {} if group is None else group.offsets
        if partitions is None:
            return {key: one.committed for key, one in stored.items()}
        return {key: stored[key].committed if key in stored else NO_OFFSET for key in partitions}

    def remove(self, group: Group, partitions: Iterable[Partition], now_ms: int, done: Callable[[ErrorCode], None]) -> None:
        """Forget offsets, durably."""
        gone = [key for key in partitions if key in group.offsets]
        if not gone:
            done(ErrorCode.NONE)
            return

        def durable(error: ErrorCode) -> None:
            if error is ErrorCode.NONE:
                for key in gone:
                    group.offsets.pop(key, None)
            done(error)

        self._log.write(group.group_id, [(offset_key(group.group_id, *key), None) for key in gone], now_ms, durable)

    def expired(self, group: Group, now_ms: int) -> list[Partition]:
        """KIP-211: offsets age from the moment the group became empty, or from their commit where that was later."""
        if group.state is not State.EMPTY:
            return []
        limit_ms = now_ms - self._retention_ms
        return [key for key, one in group.offsets.items() if max(group.changed_ms, one.commit_ms) <= limit_ms]

    @staticmethod
    def deletable(group: Group, partitions: Iterable[Partition]) -> tuple[ErrorCode, Committed]:
        """What OffsetDelete may remove: all of an empty group; of a living one only topics that no member reads (KIP-496)."""
        partitions = list(partitions)
        if group.state is State.EMPTY:
            return ErrorCode.NONE, dict.fromkeys(partitions, ErrorCode.NONE)
        if group.protocol_type != "consumer":
            return ErrorCode.NON_EMPTY_GROUP, {}
        subscriptions = [subscribed_topics(content) for one in group.members.values() for _, content in one.protocols]
        unknown = None in subscriptions
        read = {topic for topics in subscriptions if topics is not None for topic in topics}
        return ErrorCode.NONE, {
            key: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC if unknown or key[0] in read else ErrorCode.NONE for key in partitions
        }
