"""Record batches and logs in memory for the tests of storage."""

from core_log.protocol.record_batch import Record, encode, records
from core_log.storage.memory_files import MemoryFiles
from core_log.storage.partition_log import PartitionLog
from core_log.storage.topic_config import TopicConfig

DIRECTORY = "/data/orders-0"


def batch(*values, timestamp=1_000, producer=(-1, -1, -1), base_offset=0):
    """One batch of a record per value; ``timestamp`` is one for all, or a list."""
    times = timestamp if isinstance(timestamp, list) else [timestamp] * len(values)
    made = [Record(b"k", value, time) for value, time in zip(values, times, strict=True)]
    return encode(made, producer=producer, base_offset=base_offset)


def open_log(files, *, ack=True, now_ms=1_000, directory=DIRECTORY, **config):
    parent = directory.rpartition("/")[0]
    if not files.exists(parent):
        files.make_directory(parent)
        files.sync_directory("")
    return PartitionLog.open(files, directory, config=TopicConfig(**config), sync_before_visible=ack, now_ms=now_ms)


def new_log(**options):
    return open_log(MemoryFiles(), **options)


def contents(log):
    """(offset, value) of everything that can be read, fetched as a consumer does."""
    found = []
    offset = log.log_start_offset
    while offset < log.high_watermark:
        piece = log.read(offset, 1_000)
        assert piece is not None, f"nothing at {offset} below the high watermark {log.high_watermark}"
        got = [(record.offset, record.value) for record in records(piece.read())]
        found += [one for one in got if one[0] >= offset]
        offset = got[-1][0] + 1
    return found
