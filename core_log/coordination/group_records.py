"""The records of ``__consumer_offsets``, in Kafka's own formats.

Keys: OffsetCommitKey version 1 and GroupMetadataKey version 2; values: OffsetCommitValue version 3 and GroupMetadataValue
version 3. Source: group-coordinator/src/main/resources/common/message in Apache Kafka. A null value removes what the key names.
"""

import struct

from core_log.coordination.group import Group, Member, State, StoredOffset
from core_log.coordination.group_messages import CommittedOffset

OFFSET_KEY_VERSION = 1
GROUP_KEY_VERSION = 2
VALUE_VERSION = 3

_SHORT = struct.Struct(">h")
_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")
_OFFSET_AND_EPOCH = struct.Struct(">hqi")
_TIMEOUTS = struct.Struct(">ii")


def offset_key(group_id: str, topic: str, partition: int) -> bytes:
    return _SHORT.pack(OFFSET_KEY_VERSION) + _string(group_id) + _string(topic) + _INT.pack(partition)


def offset_value(committed: CommittedOffset, commit_ms: int) -> bytes:
    head = _OFFSET_AND_EPOCH.pack(VALUE_VERSION, committed.offset, committed.leader_epoch)
    return head + _string(committed.metadata) + _LONG.pack(commit_ms)


def group_key(group_id: str) -> bytes:
    return _SHORT.pack(GROUP_KEY_VERSION) + _string(group_id)


def group_value(group: Group, assignments: dict[str, bytes], now_ms: int) -> bytes:
    """``assignments``: those of the generation that begins, by member id."""
    out = [
        _SHORT.pack(VALUE_VERSION),
        _string(group.protocol_type),
        _INT.pack(group.generation),
        _string(group.protocol),
        _string(group.leader),
        _LONG.pack(now_ms),
        _INT.pack(len(group.members)),
    ]
    for member in group.members.values():
        out += (
            _string(member.member_id),
            _string(member.group_instance_id),
            _string(member.client_id),
            _string(member.client_host),
            _TIMEOUTS.pack(member.rebalance_timeout_ms, member.session_timeout_ms),
            _bytes(member.metadata(group.protocol)),
            _bytes(assignments.get(member.member_id, b"")),
        )
    return b"".join(out)


def read_key(key: bytes) -> tuple[str, tuple[str, int] | None] | None:
    """``(group, (topic, partition))`` for an offset, ``(group, None)`` for a group, None for kinds that are not kept here.

    Raises struct.error or UnicodeDecodeError where the bytes are not a key.
    """
    reader = _Reader(key)
    version = reader.int16()
    if version in {0, OFFSET_KEY_VERSION}:
        return reader.string() or "", (reader.string() or "", reader.int32())
    return (reader.string() or "", None) if version == GROUP_KEY_VERSION else None


def read_offset(value: bytes) -> StoredOffset:
    """Raises struct.error where the bytes are no offset of the version that is written here."""
    reader = _Reader(value)
    reader.version()
    committed = CommittedOffset(reader.int64(), reader.int32(), reader.string() or "")
    return StoredOffset(committed, reader.int64())


def read_group(group_id: str, value: bytes) -> Group:
    """Raises struct.error where the bytes are no group of the version that is written here."""
    reader = _Reader(value)
    reader.version()
    group = Group(group_id, protocol_type=reader.string() or "", generation=reader.int32(), protocol=reader.string())
    leader = reader.string()
    group.changed_ms = reader.int64()
    for _ in range(reader.int32()):
        member_id, instance_id = reader.string() or "", reader.string()
        client_id, client_host = reader.string() or "", reader.string() or ""
        rebalance_ms, session_ms = reader.int32(), reader.int32()
        subscription, assignment = reader.blob(), reader.blob()
        protocols = [(group.protocol or "", subscription)]
        group.add(Member(member_id, instance_id, client_id, client_host, session_ms, rebalance_ms, protocols, assignment))
    group.leader = leader if leader in group.members else next(iter(group.members), None)
    group.state = State.STABLE if group.members else State.EMPTY
    return group


def subscribed_topics(subscription: bytes) -> frozenset[str] | None:
    """The topics of a consumer's subscription (ConsumerProtocolSubscription); None where the bytes are not one."""
    reader = _Reader(subscription)
    try:
        reader.int16()
        return frozenset(reader.string() or "" for _ in range(reader.int32()))
    except (struct.error, UnicodeDecodeError):
        return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def version(self) -> None:
        found = self.int16()
        if found != VALUE_VERSION:
            raise struct.error(f"value version {found}, only {VALUE_VERSION} is read")

    def int16(self) -> int:
        return self._number(_SHORT)

    def int32(self) -> int:
        return self._number(_INT)

    def int64(self) -> int:
        return self._number(_LONG)

    def string(self) -> str | None:
        size = self.int16()
        return None if size < 0 else self._take(size).decode()

    def blob(self) -> bytes:
        return self._take(self.int32())

    def _number(self, layout: struct.Struct) -> int:
        (number,) = layout.unpack_from(self._data, self._position)
        self._position += layout.size
        return int(number)

    def _take(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        if size < 0 or self._position > len(self._data):
            raise struct.error(f"{size} bytes are claimed at {start}, {len(self._data) - start} are there")
        return self._data[start : self._position]


def _string(text: str | None) -> bytes:
    if text is None:
        return b"\xff\xff"
    data = text.encode()
    return _SHORT.pack(len(data)) + data


def _bytes(data: bytes) -> bytes:
    return _INT.pack(len(data)) + data
