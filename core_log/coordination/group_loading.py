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
from core_log.protocol.record_batch import HEADER_SIZE, BatchHeader

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
        data = bytes(chunk)
        for position, header in record_batch.headers(data):
            try:
                for key, value in _key_values(data, position, header):
                    if value is None:
                        last.pop(key, None)
                    else:
                        last[key] = value
            except BrokerError as error:
                logger.warning("__consumer_offsets-%d: a batch is left out: %s", partition_number, error.message)
    return last


def _key_values(data: bytes, position: int, header: BatchHeader) -> Iterable[tuple[bytes, bytes | None]]:
    if header.records_count == 1 and not header.attributes:
        only = _short_record(data, position + HEADER_SIZE, position + header.size)
        if only is not None:
            return (only,)
    batch = memoryview(data)[position : position + header.size]
    return [(record.key or b"", record.value) for record in record_batch.decode(batch)]


def _short_record(data: bytes, at: int, end: int) -> tuple[bytes, bytes] | None:
    """Key and value of the one record in ``data[at:end]`` where it has both and neither is longer than 63 bytes: most are
    like that, and this is three times faster than reading the record in full. None: read it in full.
    """
    if at + 6 >= end:
        return None
    body = at + (1 if data[at] < 0x80 else 2)
    key_size, odd = divmod(data[body + 3], 2)  # after attributes, timestamp and offset deltas, one byte each and zero
    key_at = body + 4
    if odd or key_size > 63 or key_at + key_size >= end or data[body : body + 3] != b"\0\0\0":
        return None
    value_size, odd = divmod(data[key_at + key_size], 2)
    if odd or value_size > 63:
        return None
    value_at = key_at + key_size + 1
    if value_at + value_size >= end:  # the count of headers follows
        return None
    return data[key_at : value_at - 1], data[value_at : value_at + value_size]
