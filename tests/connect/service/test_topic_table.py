import threading
import time

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from connect.api import RetriableError
from connect.service.errors import EnvironmentProblem
from connect.service.settings import WorkerSettings
from connect.service.topic_table import TopicTable


def settings_for(bootstrap):
    return WorkerSettings.from_mapping(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "workers",
            "key.converter": "json",
            "value.converter": "json",
            "config.storage.topic": "configs",
            "offset.storage.topic": "offsets",
            "status.storage.topic": "status",
        }
    )


@pytest.fixture
def table(log):
    """Makes tables of this log and stops them."""
    made = []

    def make(topic="offsets", partitions=3, on_change=None, bootstrap=None):
        settings = settings_for(bootstrap or log.bootstrap)
        made.append(TopicTable(settings, topic, partitions=partitions, replication_factor=3, on_change=on_change))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_what_was_put_is_there_at_once_and_in_every_other_table(table):
    seen = []
    first = table(on_change=lambda key, value: seen.append((key, value)))
    first.start()
    first.put(b"a", b"1")
    assert first.get(b"a") == b"1"
    first.put(b"a", b"2")
    first.put(b"b", b"3")
    first.put(b"b", None)
    assert first.items() == {b"a": b"2"}
    assert seen == [(b"a", b"1"), (b"a", b"2"), (b"b", b"3"), (b"b", None)]
    second = table()
    second.start()
    assert second.items() == {b"a": b"2"}
    first.send(b"c", b"4")
    first.put(b"d", b"5")
    second.refresh()
    assert second.items() == {b"a": b"2", b"c": b"4", b"d": b"5"}


def test_the_topic_is_created_compacted_with_its_partitions(log, table):
    table("status", 5).start()
    topics = AdminClient({"bootstrap.servers": log.bootstrap}).list_topics("status", 10).topics
    assert len(topics["status"].partitions) == 5


def test_records_of_one_key_come_in_the_order_of_writing_while_the_table_starts(table):
    writer = table("configs", 1)
    writer.start()
    for number in range(50):
        writer.send(b"k%d" % (number % 2), b"%d" % number)
    writer.put(b"end", b"")
    seen = []
    table("configs", 1, on_change=lambda _key, value: seen.append(value)).start()
    assert seen == [b"%d" % number for number in range(50)] + [b""]


def test_a_topic_that_forgets_is_refused_with_the_command_that_mends_it(log, table):
    admin = AdminClient({"bootstrap.servers": log.bootstrap})
    new = NewTopic("offsets", num_partitions=1, replication_factor=1, config={"cleanup.policy": "delete"})
    admin.create_topics([new])["offsets"].result()
    with pytest.raises(EnvironmentProblem, match=r"cleanup\.policy=delete.*--add-config cleanup\.policy=compact"):
        table("offsets", 1).start()


def test_the_config_topic_has_one_partition_or_is_refused(log, table):
    admin = AdminClient({"bootstrap.servers": log.bootstrap})
    new = NewTopic("configs", num_partitions=2, replication_factor=1, config={"cleanup.policy": "compact"})
    admin.create_topics([new])["configs"].result()
    with pytest.raises(EnvironmentProblem, match="must have exactly one"):
        table("configs", 1).start()


def test_a_broker_that_comes_later_is_waited_for(start_log, tmp_path, table):
    broker = start_log(tmp_path / "later")
    broker.kill()
    waiting = table(bootstrap=broker.bootstrap)
    thread = threading.Thread(target=waiting.start)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    broker.start()
    thread.join(20)
    assert not thread.is_alive()
    waiting.put(b"a", b"1")
    assert waiting.get(b"a") == b"1"


def test_a_killed_broker_loses_nothing_and_the_table_goes_on(log, table):
    kept = table()
    kept.start()
    kept.put(b"a", b"1")
    log.kill()
    kept.send(b"b", b"2")
    with pytest.raises(RetriableError, match=r"took longer than 0\.3 s; are the brokers at .* up"):
        kept.put(b"c", b"3", timeout_seconds=0.3)
    log.restart()
    kept.put(b"d", b"4")
    expected = {b"a": b"1", b"b": b"2", b"c": b"3", b"d": b"4"}
    deadline = time.monotonic() + 10
    while kept.items() != expected and time.monotonic() < deadline:
        time.sleep(0.02)  # c's partition is another one than d's and may be a moment behind
    assert kept.items() == expected


def test_a_table_that_waits_for_its_broker_can_be_stopped(start_log, tmp_path, table):
    broker = start_log(tmp_path / "gone")
    broker.kill()
    waiting = table(bootstrap=broker.bootstrap)
    failures = []

    def start():
        try:
            waiting.start()
        except InterruptedError as error:
            failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    time.sleep(0.2)
    waiting.stop()
    thread.join(10)
    assert len(failures) == 1
