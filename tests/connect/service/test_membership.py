import queue
import signal
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from connect.service.errors import EnvironmentProblem
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
    settings = raw_settings(log.bootstrap, 1001)
    program = f"""
import time
from connect.service.errors import EnvironmentProblem
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
    first = join(1001)
    first.sees(1001, leader=1001)  # else either of the two may come to lead
    second = join(1002)
    second.sees(1001, 1002, leader=1001)
    log.restart()
    third = join(1003)
    for worker in (first, second, third):
        assert worker.sees(1001, 1002, 1003, leader=1001).leader == url(1001)


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


@contextmanager
def jvm_worker(bootstrap):
    """What the broker sees of a Kafka Connect worker: a member of the group whose protocol type is 'connect'."""
    host, _, port = bootstrap.rpartition(":")
    body = text("workers") + struct.pack(">ii", 10_000, 10_000) + text("") + text("connect")
    body += struct.pack(">i", 1) + text("sessioned") + struct.pack(">i", 0)
    request = struct.pack(">hhi", 11, 2, 1) + text("jvm") + body
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", connection.recv(4))
        answer = connection.recv(length)
        assert struct.unpack_from(">h", answer, 8) == (0,)
        member = answer[14:]  # behind the generation: protocol, leader; a group's only member leads it
        (skip,) = struct.unpack_from(">h", member)
        (size,) = struct.unpack_from(">h", member, 2 + skip)
        member_id = member[4 + skip : 4 + skip + size].decode()
        yield
        leave = struct.pack(">hhi", 13, 0, 2) + text("jvm") + text("workers") + text(member_id)
        connection.sendall(struct.pack(">i", len(leave)) + leave)
        connection.recv(100)


def test_a_group_held_by_the_jvm_is_refused_with_the_way_out(join, log):
    with (
        jvm_worker(log.bootstrap),
        pytest.raises(EnvironmentProblem, match=r"Stop them first, or add .*penstock\.takeover=wait"),
    ):
        join(1001)


def test_a_group_held_by_the_jvm_is_taken_over_when_it_is_left(join, log):
    with ThreadPoolExecutor() as pool:
        with jvm_worker(log.bootstrap):
            joining = pool.submit(join, 1001, **{"penstock.takeover": "wait"})
            time.sleep(0.5)
            assert not joining.done()
        assert joining.result(10).sees(1001, leader=1001).is_leader


def test_members_are_workers_by_their_client_ids():
    members = [Member(f"penstock-worker {url(2)}", False), Member("console", False), Member(f"penstock-worker {url(1)}", True)]
    assert view(members, url(1), 7) == Members(True, url(1), (url(1), url(2)), 7)
    assert view(members[:2], url(2), 8) == Members(False, None, (url(2),), 8)


def test_the_generation_is_read_from_the_groups_metadata():
    assert generation_of(b"CGMDv2:" + (12).to_bytes(4, sys.byteorder) + b"group\0member\0\1") == 12
