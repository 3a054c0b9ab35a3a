"""Killed at every possible moment, and resumed from what was committed: nothing lost, nothing twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from connect.api import RetriableError, SinkRecord, TopicPartition
from connectors.s3.partition_writer import Layout, PartitionWriter
from connectors.s3.sink import make_layout
from tests.connectors.s3.bucket import Killed, MemoryStore, config, record

SOURCE = TopicPartition("orders", 0)

BY_HOUR = {
    "partitioner_class": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
    "path_format": "'hour'=HH",
    "partition_duration_ms": "3600000",
    "timestamp_extractor": "Record",
}
KINDS: dict[str, dict[str, str]] = {
    "by records": {"flush_size": "7"},
    "by bytes": {"flush_size": "1000", "rotate_bytes": "300"},
    "by record time": {"flush_size": "1000", "rotate_interval_ms": "600000", **BY_HOUR},
    "by wall clock": {"flush_size": "1000", "rotate_schedule_interval_ms": "1000"},
    "many paths by records": {"flush_size": "9", **BY_HOUR},
    "many paths by wall clock, gzip": {
        "flush_size": "50",
        "rotate_schedule_interval_ms": "1000",
        "s3_compression_type": "gzip",
        **BY_HOUR,
    },
}


def make_records(seed: int, count: int = 120) -> list[SinkRecord]:
    """Offsets with gaps, times that jump between hours, some tombstones."""
    dice = random.Random(seed)
    made, offset = [], dice.randrange(3)
    for number in range(count):
        time_ms = number * 60_000 + dice.choice((0, 0, 0, 3_600_000, 7_200_000))
        value = None if dice.random() < 0.1 else {"offset": offset}
        made.append(record(offset, value, time_ms=time_ms))
        offset += dice.choice((1, 1, 1, 2, 5))
    return made


_open: list[PartitionWriter] = []


@pytest.fixture(autouse=True)
def _discarded() -> Iterator[None]:
    """What the system does for a dead process: its files are closed."""
    yield
    for writer in _open:
        writer.discard()
    _open.clear()


class Life:
    """One life of the task: reads from the committed offset to the end, or dies on the way."""

    def __init__(self, layout: Layout, records: list[SinkRecord], committed: int | None, dice: random.Random) -> None:
        self.committed = committed
        self.now_ms = dice.randrange(10**6)
        self._dice = dice
        self._records = [item for item in records if committed is None or item.offset >= committed]
        self.writer = PartitionWriter(SOURCE, layout, committed, self.now_ms)
        _open.append(self.writer)

    def run(self, *, drain: bool) -> None:
        place = 0
        while place < len(self._records):
            size = self._dice.randrange(1, 25)
            self.step(self._records[place : place + size])
            place += size
        if drain:  # whatever the kind, the clock closes the last files
            self.writer.rotate(self.now_ms)
            self.committed = self.writer.committable

    def step(self, batch: list[SinkRecord]) -> None:
        self.now_ms += self._dice.randrange(800)
        self.writer.write(batch, self.now_ms)
        self.writer.tick(self.now_ms)
        if self._dice.random() < 0.6:
            self.committed = self.writer.committable


def layout_of(kind: str, store: MemoryStore) -> Layout:
    keys = {"behavior_on_null_values": "ignore", **KINDS[kind]}
    return make_layout(config(**keys), store)


def expected(records: list[SinkRecord]) -> list[Any]:
    return [item.value for item in records if item.value is not None]


def check(store: MemoryStore, records: list[SinkRecord], told: str) -> None:
    found = sorted(store.lines(), key=lambda value: value["offset"])
    assert found == expected(records), told


@pytest.mark.parametrize("with_metadata", [True, False], ids=["metadata", "counted"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_put(kind: str, with_metadata: bool) -> None:
    records = make_records(seed=1)
    for moment in range(60):
        store = MemoryStore(with_metadata=with_metadata)
        dice = random.Random(moment)
        store.kill_at = moment
        first = Life(layout_of(kind, store), records, None, dice)
        try:
            first.run(drain=True)
        except Killed:
            store.kill_at = None
            Life(layout_of(kind, store), records, first.committed, dice).run(drain=True)
        check(store, records, f"killed at step {moment}, resumed at {first.committed}")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again(kind: str) -> None:
    for seed in range(40):
        records = make_records(seed)
        store, dice, committed = MemoryStore(), random.Random(seed), None
        for _ in range(8):
            store.kill_at = 2 * store.puts + dice.randrange(1, 9)
            life = Life(layout_of(kind, store), records, committed, dice)
            with suppress(Killed):
                life.run(drain=False)
            committed = life.committed
        store.kill_at = None
        Life(layout_of(kind, store), records, committed, dice).run(drain=True)
        check(store, records, f"seed {seed}")


@pytest.mark.parametrize("kind", KINDS)
def test_rivals_that_both_believe_they_own_the_partition(kind: str) -> None:
    for seed in range(40):
        records = make_records(seed)
        store, dice = MemoryStore(), random.Random(seed)
        lives = [Life(layout_of(kind, store), records, None, dice) for _ in range(2)]
        places = [0, 0]
        while any(place < len(records) for place in places):
            who = dice.randrange(2)
            size = dice.randrange(1, 20)
            batch = records[places[who] : places[who] + size]
            places[who] += size
            if batch:
                lives[who].step(batch)
        for life in lives:
            life.writer.rotate(life.now_ms)
        check(store, records, f"seed {seed}")
        assert {life.writer.committable for life in lives} == {records[-1].offset + 1}


@pytest.mark.parametrize("kind", KINDS)
def test_an_outage_brings_the_same_batch_again(kind: str) -> None:
    class Unwell(MemoryStore):
        failing = 0.4

        def put_if_absent(self, *arguments: Any) -> bool:
            if dice.random() < self.failing / 2:
                raise RetriableError("before")
            stored = super().put_if_absent(*arguments)
            if dice.random() < self.failing / 2:
                raise RetriableError("the answer was lost")
            return stored

    for seed in range(30):
        records, dice, store = make_records(seed), random.Random(seed), Unwell()
        life = Life(layout_of(kind, store), records, None, dice)
        place = 0
        while place < len(records):
            size = dice.randrange(1, 25)
            while True:
                try:
                    life.step(records[place : place + size])
                    break
                except RetriableError:
                    continue
            place += size
        store.failing = 0
        life.writer.rotate(life.now_ms)
        check(store, records, f"seed {seed}")


def test_a_mistake_in_what_is_committed_would_be_seen() -> None:
    """The simulation can fail: committing where the reading stands loses records."""
    records = make_records(seed=1)
    store, dice = MemoryStore(), random.Random(1)
    store.kill_at = 8
    life = Life(layout_of("by records", store), records, None, dice)
    with pytest.raises(Killed):
        life.run(drain=True)
    store.kill_at = None
    Life(layout_of("by records", store), records, life.writer._next, dice).run(drain=True)
    with pytest.raises(AssertionError):
        check(store, records, "")
