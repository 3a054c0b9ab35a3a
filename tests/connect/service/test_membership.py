import queue
import signal
import subprocess
import sys
import time

import pytest

from connect.service.membership import Member, Members, Membership, generation_of, view
from connect.service.settings import WorkerSettings
from connect.service.topic_table import TopicTable


def url(port):
    return f"http://127.0.0.1:{port}"


def raw_settings(bootstrap, port, **more):
    return {
        "bootstrap.servers": bootstrap,
        "group.id": "workers",
        "key.converter": "json",
        "value.converter": "json",
        "config.storage.topic": "configs",
        "offset.storage.topic": "offsets",
        "status.storage.topic": "status",
        "listeners": url(port),
    } | more


class Worker:
    """A member, and the news it got."""

    def __init__(self, settings):
        self.news = queue.Queue()
        self.membership = Membership(settings, on_change=self.news.put)

    def sees(self, *workers, leader, seconds=20):
        """Waits until it is told of exactly these."""
        deadline = time.monotonic() + seconds
        while True:
            members = self.news.get(timeout=max(deadline - time.monotonic(), 0.01))
            if members.workers == tuple(url(port) for port in workers) and members.leader == url(leader):
                return members


@pytest.fixture
def join(log):
    table = TopicTable(
        WorkerSettings.from_mapping(raw_settings(log.bootstrap, 1)), "configs", partitions=1, replication_factor=1
    )
    table.start()
    members = []

    def start(port, **more):
        worker = Worker(WorkerSettings.from_mapping(raw_settings(log.bootstrap, port, **more)))
        members.append(worker)
        worker.membership.start()
        return worker

    yield start
    for worker in members:
        worker.membership.stop()
    table.stop()


def test_members_know_each_other_and_the_leader_stays(join):
    first = join(1005)
    assert first.sees(1005, leader=1005).is_leader
    second = join(1001)  # a smaller name does not take the lead
    assert not second.sees(1001, 1005, leader=1005).is_leader
    news = first.sees(1001, 1005, leader=1005)
    assert news.is_leader
    third = join(1009)
    generations = {worker.sees(1001, 1005, 1009, leader=1005).generation for worker in (first, second, third)}
    assert len(generations) == 1
    assert generations.pop() > news.generation


def test_a_leader_that_leaves_is_followed_at_once(join):
    first = join(1001)
    first.sees(1001, leader=1001)
    second = join(1002)
    second.sees(1001, 1002, leader=1001)
    first.membership.stop()
    began = time.monotonic()
    assert second.sees(1002, leader=1002).is_leader
    assert time.monotonic() - began < 3
    assert not list(first.news.queue)[-1].is_leader


def test_a_killed_leader_is_followed_when_its_session_ends(join, log):
    settings = raw_settings(log.bootstrap, 1001, **{"session.timeout.ms": "2000"})
    program = f"""
import time
from connect.service.membership import Membership
from connect.service.settings import WorkerSettings
Membership(WorkerSettings.from_mapping({settings!r}), on_change=lambda members: print("member", flush=True)).start()
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        survivor = join(1002)
        survivor.sees(1001, 1002, leader=1001)
        process.send_signal(signal.SIGKILL)
    assert survivor.sees(1002, leader=1002).is_leader


def test_a_restarted_broker_keeps_the_group_together(join, log):
    first, second = join(1001), join(1002)
    second.sees(1001, 1002, leader=1001)
    log.restart()
    third = join(1003)
    for worker in (first, second, third):
        assert worker.sees(1001, 1002, 1003, leader=1001).leader == url(1001)


def test_members_are_workers_by_their_client_ids():
    members = [Member(f"penstock-worker {url(2)}", False), Member("console", False), Member(f"penstock-worker {url(1)}", True)]
    assert view(members, url(1), 7) == Members(True, url(1), (url(1), url(2)), 7)
    assert view(members[:2], url(2), 8) == Members(False, None, (url(2),), 8)


def test_the_generation_is_read_from_the_groups_metadata():
    assert generation_of(b"CGMDv2:" + (12).to_bytes(4, sys.byteorder) + b"group\0member\0\1") == 12
