import errno
from random import Random

import pytest

from core_log.coordination.producer_ids import BLOCK_SIZE, ProducerIds
from core_log.errors import BrokerError, ErrorCode
from core_log.storage.memory_files import MemoryFiles


def test_ids_are_unique_over_restarts_and_power_cuts():
    files = MemoryFiles()
    seen = []
    for seed in range(10):
        ids = ProducerIds.open(files, "/producer-ids")
        seen += [ids.allocate() for _ in range(BLOCK_SIZE + 5 if seed == 3 else 3)]
        files = files.after_power_loss(Random(seed))
    assert len(set(seen)) == len(seen)


def test_no_id_is_given_that_could_not_be_reserved():
    def full(operation, path):
        raise OSError(errno.ENOSPC, "No space left on device", path)

    files = MemoryFiles()
    ids = ProducerIds.open(files, "/producer-ids")
    files.before = full
    with pytest.raises(BrokerError) as caught:
        ids.allocate()
    assert caught.value.code is ErrorCode.COORDINATOR_NOT_AVAILABLE
    files.before = None
    assert ids.allocate() == 0


def test_a_file_that_holds_no_number_is_named():
    files = MemoryFiles()
    files.open("/producer-ids", create=True).append([b"many"])
    with pytest.raises(BrokerError, match="/producer-ids should hold a number"):
        ProducerIds.open(files, "/producer-ids")
