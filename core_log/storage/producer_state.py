"""What a partition remembers of its idempotent producers (KIP-98): epoch, last sequence, and the last five batches.

A producer keeps at most five requests in flight, so a batch that is sent again is among the last five.
"""

import struct
from collections import deque
from typing import NamedTuple

from core_log.errors import BrokerError, ErrorCode
from core_log.protocol.record_batch import BatchHeader

REMEMBERED_BATCHES = 5

_PRODUCER = struct.Struct(">qhqB")
_BATCH = struct.Struct(">iiqq")


class ProducedBatch(NamedTuple):
    first_sequence: int
    last_sequence: int
    base_offset: int
    last_offset: int


class _Producer:
    """``timestamp_ms``: the latest timestamp in its batches, for expiry."""

    __slots__ = ("batches", "epoch", "timestamp_ms")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.timestamp_ms = -1
        self.batches: deque[ProducedBatch] = deque(maxlen=REMEMBERED_BATCHES)


class ProducerState:
    """All producers of one partition. ``check`` before the append, ``update`` after it (and when reading the log back)."""

    def __init__(self) -> None:
        self._producers: dict[int, _Producer] = {}

    def __len__(self) -> int:
        return len(self._producers)

    def check(self, header: BatchHeader) -> ProducedBatch | None:
        """The batch that was appended already, or None when this one is next.

        Raises BrokerError: INVALID_PRODUCER_EPOCH (fenced by a newer one), OUT_OF_ORDER_SEQUENCE_NUMBER. A producer that is not
        known (its records are gone, say) may go on with any sequence.
        """
        producer = self._producers.get(header.producer_id)
        if producer is None:
            return None
        if header.producer_epoch != producer.epoch:
            self._check_epoch(header, producer)
            return None
        first, last = header.base_sequence, header.last_sequence
        if not producer.batches:
            return None
        expected = (producer.batches[-1].last_sequence + 1) & 0x7FFFFFFF
        if first == expected:
            return None
        for batch in producer.batches:
            if batch.first_sequence == first and batch.last_sequence == last:
                return batch
        raise BrokerError(
            ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
            f"producer {header.producer_id} sent sequence {first}, expected {expected}",
        )

    @staticmethod
    def _check_epoch(header: BatchHeader, producer: _Producer) -> None:
        if header.producer_epoch < producer.epoch:
            raise BrokerError(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"producer {header.producer_id} has epoch {header.producer_epoch}; epoch {producer.epoch} has taken over",
            )
        if header.base_sequence != 0:
            raise BrokerError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"producer {header.producer_id} begins epoch {header.producer_epoch} with sequence "
                f"{header.base_sequence}, expected 0",
            )

    def update(self, header: BatchHeader, base_offset: int) -> None:
        producer = self._producers.get(header.producer_id)
        if producer is None or producer.epoch != header.producer_epoch:
            producer = self._producers[header.producer_id] = _Producer(header.producer_epoch)
        last_offset = base_offset + header.last_offset_delta
        producer.batches.append(ProducedBatch(header.base_sequence, header.last_sequence, base_offset, last_offset))
        producer.timestamp_ms = max(producer.timestamp_ms, header.max_timestamp)

    def expire(self, before_ms: int) -> None:
        """Forget producers whose latest record is older."""
        for producer_id in [key for key, one in self._producers.items() if one.timestamp_ms < before_ms]:
            del self._producers[producer_id]

    def to_bytes(self) -> bytes:
        out = bytearray()
        for producer_id, producer in self._producers.items():
            out += _PRODUCER.pack(producer_id, producer.epoch, producer.timestamp_ms, len(producer.batches))
            for batch in producer.batches:
                out += _BATCH.pack(*batch)
        return bytes(out)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "ProducerState":
        """Raises struct.error when the bytes end early."""
        state = cls()
        position = 0
        while position < len(data):
            producer_id, epoch, timestamp_ms, count = _PRODUCER.unpack_from(data, position)
            position += _PRODUCER.size
            producer = state._producers[producer_id] = _Producer(epoch)
            producer.timestamp_ms = timestamp_ms
            for _ in range(count):
                producer.batches.append(ProducedBatch(*_BATCH.unpack_from(data, position)))
                position += _BATCH.size
        return state
