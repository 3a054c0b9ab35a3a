"""The stores' own part: keys, what others write, and sending only differences."""

from __future__ import annotations

from collections.abc import Callable

from connect.runtime.herding.assignment import TaskId
from connect.runtime.herding.statuses import State, Status, TopicUse, task_of, use_of
from connect.runtime.herding.stores import OffsetStore, StatusStore
from tests.connect.runtime.herding.herders_in_memory import MemoryTable, MemoryTopic

X0 = TaskId("x", 0)


def running(worker: str = "w:1", generation: int = 1) -> Status:
    return Status(State.RUNNING, worker, generation, "1.0")


def status_store(topic: MemoryTopic) -> StatusStore:
    store = StatusStore(lambda on_change: MemoryTable(topic, on_change), lambda: None)
    store.start()
    return store


class SlowTable(MemoryTable):
    """What is sent is not read back before :meth:`deliver`."""

    def __init__(self, topic: MemoryTopic, on_change: Callable[[bytes, bytes | None], None]) -> None:
        super().__init__(topic, on_change)
        self.sent: list[tuple[bytes, bytes | None]] = []

    def send(self, key: bytes, value: bytes | None) -> None:
        self.sent.append((key, value))

    def deliver(self) -> None:
        for key, value in self.sent:
            self.apply(key, value)


def test_a_status_is_written_as_kafka_connect_writes_it() -> None:
    topic = MemoryTopic()
    store = status_store(topic)
    store.show_task(X0, Status(State.FAILED, "127.0.0.1:8083", 15, "4.3.1", "it broke"))
    said = b'{"state":"FAILED","trace":"it broke","worker_id":"127.0.0.1:8083","generation":15,"version":"4.3.1"}'
    assert topic.records == [(b"status-task-x-0", said)]


def test_the_same_status_is_written_once() -> None:
    topic = MemoryTopic()
    store = status_store(topic)
    for _ in range(3):
        store.show_task(X0, running())
        store.show_connector("y", None)
    assert len(topic.records) == 1


def test_a_change_of_mind_while_a_record_is_on_its_way() -> None:
    topic, tables = MemoryTopic(), []

    def make(on_change: Callable[[bytes, bytes | None], None]) -> SlowTable:
        tables.append(SlowTable(topic, on_change))
        return tables[0]

    store = StatusStore(make, lambda: None)
    store.show_task(X0, running())
    store.show_task(X0, running())
    store.show_task(X0, None)
    tables[0].deliver()
    assert [value is None for _, value in tables[0].sent] == [False, True]
    assert store.task(X0) is None


def test_a_task_has_ended_when_its_worker_said_so_for_that_epoch() -> None:
    store = status_store(MemoryTopic())
    store.show_task(X0, running(generation=4))
    assert not store.ended(X0, 4)
    store.show_task(X0, Status(State.UNASSIGNED, "w:1", 4))
    store.show_task(X0, None)
    assert store.ended(X0, 4)
    assert not store.ended(X0, 5)


def test_topics_in_use() -> None:
    topic = MemoryTopic()
    store = status_store(topic)
    store.show_topic("orders", X0)
    store.show_topic("orders", TaskId("x", 1))
    assert store.topics() == {"x": frozenset({"orders"})}
    assert [key for key, _ in topic.records] == [b"status-topic-orders:connector-x"]
    store.forget_topics("x")
    assert not store.topics()["x"]
    assert TopicUse("t1", "fs", 0, 1795243127466).encode() == (
        b'{"topic":{"name":"t1","connector":"fs","task":0,"discoverTimestamp":1795243127466}}'
    )


def test_keys_take_odd_names() -> None:
    assert task_of(b"status-task-a-b-12") == ("a-b", 12)
    assert task_of(b"status-task-x") is None
    assert use_of(b"status-topic-t:connector-a:connector-b") == ("t", "a:connector-b")


def test_the_records_of_others_are_left_alone() -> None:
    topic = MemoryTopic()
    for record in [(b"status-task-x-0", b"not json"), (b"other", b"{}"), (b"status-connector-x", b'{"state":"DANCING"}')]:
        topic.append(*record)
    store = status_store(topic)
    assert not store.tasks()
    assert not store.connectors()


def test_offsets_by_connector_whatever_else_is_in_the_topic() -> None:
    topic = MemoryTopic()
    for key, value in [
        (b'["x",{"file":"a"}]', b'{"position":1}'),
        (b'["x",{"file":"a"}]', b'{"position":2}'),
        (b'["x",{"file":"b"}]', b'{"position":1}'),
        (b'["x",{"file":"b"}]', None),
        (b'["y",{"file":"a"}]', b'{"position":9}'),
        (b"not json", b"{}"),
        (b'["x"]', b"{}"),
        (b"[1,{}]", b"{}"),
    ]:
        topic.append(key, value)
    store = OffsetStore(lambda on_change: MemoryTable(topic, on_change))
    store.start()
    assert store.offsets("x") == [({"file": "a"}, {"position": 2})]
    store.forget("x")
    assert topic.records[-1] == (b'["x",{"file":"a"}]', None)
    assert store.offsets("x") == []
    assert store.offsets("y") == [({"file": "a"}, {"position": 9})]
