import errno
from random import Random

import pytest

from core_log.errors import BrokerError, ErrorCode
from core_log.storage.catalog import Catalog
from core_log.storage.memory_files import MemoryFiles


def new_catalog():
    files = MemoryFiles()
    files.make_directory("/data")
    files.sync_directory("")
    return files, Catalog.open(files, "/data")


def test_topics_survive_a_power_cut_at_once():
    for seed in range(20):
        files, catalog = new_catalog()
        created = catalog.create("orders", 2, {"retention.ms": "5"})
        catalog.create("gone", 1, {})
        catalog.add_partitions("orders", 3)
        catalog.set_configs("orders", {"cleanup.policy": "compact"})
        catalog.delete("gone")
        survivor = files.after_power_loss(Random(seed))
        (topic,) = Catalog.open(survivor, "/data").topics.values()
        assert (topic.id, topic.partitions, topic.configs) == (created.id, 3, {"cleanup.policy": "compact"})
        assert all(survivor.exists(topic.directory("/data", partition)) for partition in range(3))


class PowerLoss(BaseException):
    pass


@pytest.mark.parametrize("fuse", range(1, 40))
def test_a_change_that_is_cut_short_happened_or_did_not(fuse):
    files, catalog = new_catalog()
    catalog.create("old", 2, {})
    left = [fuse]

    def before(operation, path):
        left[0] -= 1
        if left[0] <= 0:
            raise PowerLoss

    files.before = before
    try:
        catalog.create("orders", 2, {})
        catalog.delete("old")
    except PowerLoss:
        pass
    files.before = None
    survivor = files.after_power_loss(Random(fuse))
    found = Catalog.open(survivor, "/data")
    found.purge()
    assert set(found.topics) in ({"old"}, {"old", "orders"}, {"orders"})
    for name in {"old", "orders"} - set(found.topics):
        found.create(name, 3, {})  # what an unfinished change left behind is not in the way
    for topic in found.topics.values():
        assert all(survivor.exists(topic.directory("/data", partition)) for partition in range(topic.partitions))


def test_a_topic_made_anew_has_another_id_and_nothing_of_the_old():
    files, catalog = new_catalog()
    first = catalog.create("orders", 1, {})
    files.open("/data/orders-0/00000000000000000000.log", create=True)
    catalog.delete("orders")
    second = catalog.create("orders", 1, {})
    assert second.id != first.id
    assert catalog.by_id(first.id.bytes) is None
    assert catalog.by_id(second.id.bytes) is second
    assert files.list("/data/orders-0") == []
    assert catalog.purge() == 1
    assert files.list("/data") == ["orders-0", "topics"]


@pytest.mark.parametrize(
    ("name", "partitions", "configs", "code", "says"),
    [
        ("", 1, {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "letters"),
        ("..", 1, {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "'..'"),
        ("a/b", 1, {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "'a/b'"),
        ("a" * 250, 1, {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "249"),
        ("there", 1, {}, ErrorCode.TOPIC_ALREADY_EXISTS, "there exists"),
        ("dotted_name", 1, {}, ErrorCode.INVALID_TOPIC_EXCEPTION, "collides with dotted.name"),
        ("new", 0, {}, ErrorCode.INVALID_PARTITIONS, "0 partitions"),
        ("new", 1, {"retention.m": "1"}, ErrorCode.INVALID_CONFIG, "did you mean retention.ms"),
    ],
)
def test_what_cannot_be_created_is_refused_with_the_reason(name, partitions, configs, code, says):
    _, catalog = new_catalog()
    catalog.create("there", 1, {})
    catalog.create("dotted.name", 1, {})
    with pytest.raises(BrokerError, match=says) as caught:
        catalog.create(name, partitions, configs)
    assert caught.value.code is code
    assert set(catalog.topics) == {"there", "dotted.name"}


def test_what_is_not_there_cannot_be_changed():
    _, catalog = new_catalog()
    for change in (lambda: catalog.delete("x"), lambda: catalog.add_partitions("x", 2), lambda: catalog.set_configs("x", {})):
        with pytest.raises(BrokerError) as caught:
            change()
        assert caught.value.code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    catalog.create("x", 2, {})
    with pytest.raises(BrokerError, match="2 partitions; 2 would not be an increase"):
        catalog.add_partitions("x", 2)


def test_a_full_disk_is_an_answer():
    files, catalog = new_catalog()

    def full(operation, path):
        raise OSError(errno.ENOSPC, "No space left on device", path)

    files.before = full
    with pytest.raises(BrokerError, match=r"cannot create topic x: .*No space left") as caught:
        catalog.create("x", 1, {})
    assert caught.value.code is ErrorCode.KAFKA_STORAGE_ERROR


def test_a_file_that_describes_no_topic_is_named():
    files, _ = new_catalog()
    files.open("/data/topics/bad.json", create=True).append([b"{}"])
    with pytest.raises(BrokerError, match=r"/data/topics/bad\.json does not describe a topic"):
        Catalog.open(files, "/data")
