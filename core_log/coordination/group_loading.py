"""Reading groups and offsets back from ``__consumer_offsets`` at start.

The topic holds every commit ever made until it is compacted, so the last value of each key is found first, on raw bytes, and
only that one is parsed.
"""

import logging
import struct
from collections.abc import Iterable

from core_log.coordination.group import Group, Partition, StoredOffset
from core_log.coordination.group_records import read_group, read_key, read_offset
from core_log.errors import BrokerError
from core_log.protocol import record_batch

logger = logging.getLogger(__name__)


def load_groups(partition_number: int, chunks: Iterable[bytes | memoryview]) -> dict[str, Group]:
    """The groups that whole record batches, in order, leave behind. What cannot be read is logged and left out."""
    groups: dict[str, Group] = {}
    offsets: list[tuple[str, Partition, StoredOffset]] = []
    for key, value in _last_values(partition_number, chunks).items():
        try:
            found = read_key(key)
            if found is None:
                continue
            group_id, partition = found
            if partition is None:
                groups[group_id] = read_group(group_id, value)
            else:
                offsets.append((group_id, partition, read_offset(value)))
        except (struct.error, UnicodeDecodeError) as error:
            logger.warning("__consumer_offsets-%d: the record with key %r is left out: %s", partition_number, key, error)
    for group_id, partition, stored in offsets:
        group = groups.get(group_id)
        if group is None:
            group = groups[group_id] = Group(group_id)
        group.offsets[partition] = stored
    return groups


def _last_values(partition_number: int, chunks: Iterable[bytes | memoryview]) -> dict[bytes, bytes]:
    last: dict[bytes, bytes] = {}
    for chunk in chunks:
        for position, header in record_batch.headers(chunk):
            try:
                for record in record_batch.decode(memoryview(chunk)[position : position + header.size]):
                    if record.value is None:
                        last.pop(record.key or b"", None)
                    else:
                        last[record.key or b""] = record.value
            except BrokerError as error:
                logger.warning("__consumer_offsets-%d: a batch is left out: %s", partition_number, error.message)
    return last
