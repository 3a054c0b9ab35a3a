"""Which segments retention no longer wants. Pure: sizes and times in, a list out."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from core_log.storage.topic_config import TopicConfig

#: Group offsets live here: kept whole until they are compacted.
OFFSETS_TOPIC = "__consumer_offsets"


class Aged(Protocol):
    """What retention looks at in a segment."""

    size: int
    next_offset: int
    highest_timestamp: int
    created_ms: int


Kept = TypeVar("Kept", bound=Aged)


def expired(topic: str, segments: Sequence[Kept], config: TopicConfig, start_offset: int, now_ms: int) -> list[Kept]:
    """The first segments of the log, oldest first, that may go; the last (active) one only by time.

    A segment is as old as its latest record (its creation, where records carry no time). By size, one goes as long as what
    remains is still at least ``retention.bytes``. One wholly before ``start_offset`` goes whatever the policy.
    """
    ageing = config.delete and topic != OFFSETS_TOPIC
    excess = sum(segment.size for segment in segments) - config.retention_bytes
    found: list[Kept] = []
    for segment in segments:
        born = segment.highest_timestamp if segment.highest_timestamp >= 0 else segment.created_ms
        active = segment is segments[-1]
        too_old = ageing and config.retention_ms >= 0 and segment.size > 0 and now_ms - born > config.retention_ms
        too_much = ageing and config.retention_bytes >= 0 and not active and excess >= segment.size
        if not too_old and not too_much and (active or segment.next_offset > start_offset):
            break
        excess -= segment.size
        found.append(segment)
    return found
