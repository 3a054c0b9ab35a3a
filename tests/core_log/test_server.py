"""The server over real sockets: order, limits, bad bytes, clean ends."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core_log.errors import ErrorCode
from core_log.protocol import frames, record_batch
from core_log.protocol.fields import Message, Request, Response
from core_log.protocol.messages.api00_produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from core_log.protocol.messages.api01_fetch import FetchPartition, FetchRequest, FetchResponse, FetchTopic
from core_log.protocol.messages.api03_metadata import MetadataRequest, MetadataRequestTopic, MetadataResponse
from core_log.protocol.messages.api18_api_versions import ApiVersionsRequest, ApiVersionsResponse
from core_log.protocol.record_batch import Record
from tests.core_log.protocol import oracle
from tests.core_log.protocol.test_messages import declared
from tests.fix_cluster import free_port
from tests.fix_log import LogProcess


class Client:
    """A socket that speaks frames."""

    def __init__(self, log: LogProcess) -> None:
        self.socket = socket.create_connection(("127.0.0.1", log.port), 10)
        self.correlation = 0

    def send(self, request: Request, version: int) -> int:
        self.correlation += 1
        body = frames.encode_message(request, version)
        tags = b"\0" if version >= request.FLEXIBLE_FROM else b""
        head = struct.pack(">hhih4s", request.KEY, version, self.correlation, 4, b"test") + tags
        self.raw(head + body)
        return self.correlation

    def raw(self, frame: bytes) -> None:
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self, response: type[Response], version: int) -> tuple[int, Any]:
        """Correlation id and answer."""
        (size,) = struct.unpack(">i", self._exactly(4))
        frame = self._exactly(size)
        skip = 5 if version >= response.FLEXIBLE_FROM and response.KEY != frames.API_VERSIONS else 4
        return struct.unpack_from(">i", frame)[0], frames.decode_message(response, frame[skip:], version)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise ConnectionError("closed by the log")
            data += chunk
        return data

    def is_closed(self) -> bool:
        """Whether the log closes the connection (within its time)."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


@pytest.fixture
def connect(log: LogProcess) -> Iterator[Callable[[], Client]]:
    made: list[Client] = []

    def one() -> Client:
        made.append(Client(log))
        return made[-1]

    yield one
    for client in made:
        client.socket.close()


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    return connect()


def metadata(*topics: str) -> MetadataRequest:
    return MetadataRequest(topics=[MetadataRequestTopic(name=name) for name in topics])


def produce(topic: str, value: bytes, acks: int = -1, partition: int = 0) -> ProduceRequest:
    batch = record_batch.encode([Record(None, value, 1)])
    data = PartitionProduceData(index=partition, records=batch)
    return ProduceRequest(acks=acks, timeout_ms=10_000, topic_data=[TopicProduceData(name=topic, partition_data=[data])])


def fetch(topic: str, offset: int, wait_ms: int, min_bytes: int = 1) -> FetchRequest:
    partition = FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=1 << 20)
    topics = [FetchTopic(topic=topic, partitions=[partition])]
    return FetchRequest(max_wait_ms=wait_ms, min_bytes=min_bytes, topics=topics)


def answers(log: LogProcess) -> bool:
    probe = Client(log)
    with probe.socket:
        probe.send(ApiVersionsRequest(), 0)
        return bool(probe.receive(ApiVersionsResponse, 0)[1].error_code == 0)


def test_versions_are_announced_and_an_unknown_one_answered_in_version_0(client: Client) -> None:
    client.raw(struct.pack(">hhih", frames.API_VERSIONS, 99, 7, -1) + b"whatever")
    correlation, answer = client.receive(ApiVersionsResponse, 0)
    assert (correlation, answer.error_code) == (7, ErrorCode.UNSUPPORTED_VERSION)
    client.send(ApiVersionsRequest(client_software_name="t", client_software_version="1"), 3)
    _, answer = client.receive(ApiVersionsResponse, 3)
    ranges = {one.api_key: (one.min_version, one.max_version) for one in answer.api_keys}
    assert ranges[0] == (0, 13)
    assert {key: span for key, span in ranges.items() if key != 0} == {
        one.KEY: tuple(one.VERSIONS) for one in declared() if issubclass(one, Request) and one.KEY != 0
    }
    assert not answer.finalized_features


def test_many_requests_in_flight_are_answered_in_order(client: Client) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    sent = [client.send(fetch("t", 0, 300), 11)]
    sent += [client.send(produce("t", b"v%d" % n), 8) for n in range(40)]
    sent += [client.send(metadata("t"), 4)]
    received = [client.receive(FetchResponse, 11)[0]]
    offsets = []
    for _ in range(40):
        correlation, answer = client.receive(ProduceResponse, 8)
        received.append(correlation)
        offsets.append(answer.responses[0].partition_responses[0].base_offset)
    received.append(client.receive(MetadataResponse, 4)[0])
    assert received == sent
    assert offsets == list(range(40))


def test_a_long_poll_ends_with_data_or_with_its_time(connect: Any, client: Client) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    began = time.monotonic()
    client.send(fetch("t", 0, 200), 11)
    _, answer = client.receive(FetchResponse, 11)
    assert 0.19 < time.monotonic() - began < 2
    assert bytes(answer.responses[0].partitions[0].records) == b""
    client.send(fetch("t", 0, 20_000), 11)
    other = connect()
    other.send(produce("t", b"now"), 8)
    other.receive(ProduceResponse, 8)
    began = time.monotonic()
    _, answer = client.receive(FetchResponse, 11)
    assert time.monotonic() - began < 2
    (record,) = record_batch.records(answer.responses[0].partitions[0].records)
    assert record.value == b"now"


def test_acks_0_has_no_answer_and_acks_1_one(client: Client) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    client.send(produce("t", b"quiet", acks=0), 8)
    asked = client.send(produce("t", b"loud", acks=1), 8)
    correlation, answer = client.receive(ProduceResponse, 8)
    assert correlation == asked
    assert answer.responses[0].partition_responses[0].base_offset == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda batch: batch[:-1], ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: batch[:-1] + b"!", ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: batch[:16] + b"\1" + batch[17:], ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT),
        (lambda _: b"", ErrorCode.INVALID_RECORD),
        (lambda _: b"x" * 30, ErrorCode.CORRUPT_MESSAGE),
    ],
)
def test_a_bad_batch_is_an_error_code_and_the_connection_goes_on(client: Client, change: Any, code: ErrorCode) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    request = produce("t", b"v")
    data = request.topic_data[0].partition_data[0]
    data.records = change(data.records)
    client.send(request, 8)
    assert client.receive(ProduceResponse, 8)[1].responses[0].partition_responses[0].error_code == code
    client.send(produce("t", b"v"), 8)
    assert client.receive(ProduceResponse, 8)[1].responses[0].partition_responses[0].base_offset == 0


def test_a_partition_that_is_not_there(client: Client) -> None:
    client.send(produce("nowhere", b"v"), 8)
    answer = client.receive(ProduceResponse, 8)[1].responses[0].partition_responses[0]
    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    client.send(fetch("nowhere", 0, 5_000), 11)
    answer = client.receive(FetchResponse, 11)[1].responses[0].partitions[0]
    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_group_offsets_are_the_brokers_own(client: Client) -> None:
    client.send(produce("__consumer_offsets", b"v"), 8)
    answer = client.receive(ProduceResponse, 8)[1].responses[0].partition_responses[0]
    assert answer.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "TLS"),
        (struct.pack(">i", -3), "-3 bytes"),
        (struct.pack(">ihhih", 20_000_000, 3, 4, 1, -1), "20000000 bytes"),
        (struct.pack(">ihhih", 10, 999, 0, 1, -1), "999"),
        (struct.pack(">ihhih", 10, 3, 77, 1, -1), "version 77"),
        (struct.pack(">ihhih", 10, 3, 4, 1, 500), "client id"),
        (struct.pack(">i", 3) + b"abc", "header"),
    ],
)
def test_what_is_not_our_protocol_is_closed_with_one_line(log: LogProcess, connect: Any, data: bytes, reason: str) -> None:
    for _ in range(5):
        client = connect()
        client.socket.sendall(data)
        assert client.is_closed()
    (line,) = [line for line in log.errors.read_text().splitlines() if "closed a connection" in line]
    assert reason in line
    assert answers(log)


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_memory_follows_what_came_not_what_was_claimed(log: LogProcess, connect: Any) -> None:
    before = resident_kib(log.pid)
    for _ in range(100):
        client = connect()
        client.socket.sendall(struct.pack(">ihhih", 100_000_000, 0, 7, 1, -1) + b"x" * 100)
    assert answers(log)
    assert resident_kib(log.pid) - before < 10_000


def test_a_peer_that_does_not_read_is_not_read_from(log: LogProcess, client: Client, connect: Any) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    client.send(produce("t", os.urandom(900_000)), 8)
    client.receive(ProduceResponse, 8)
    before = resident_kib(log.pid)
    deaf = connect()
    deaf.socket.settimeout(0.5)
    sent = 0
    try:
        for _ in range(100_000):
            deaf.send(fetch("t", 0, 0), 11)
            sent += 1
    except TimeoutError:
        pass
    assert 256 < sent < 100_000
    assert answers(log)
    assert resident_kib(log.pid) - before < 20_000
    deaf.socket.settimeout(10)
    for expected in range(1, 600):
        correlation, answer = deaf.receive(FetchResponse, 11)
        assert correlation == expected
    assert len(answer.responses[0].partitions[0].records) > 900_000


def broken_frame(rng: random.Random, messages: list[type[Message]]) -> bytes:
    """A frame that may be anything: a sound one, cut, changed, or noise."""
    message = rng.choice(messages)
    version = rng.randint(message.VERSIONS.first, message.VERSIONS.last)
    tags = b"\0" if version >= message.FLEXIBLE_FROM else b""
    frame = bytearray(struct.pack(">hhih2s", message.KEY, version, 1, 2, b"fz") + tags)
    frame += oracle.encode(oracle.random_message("request", message.KEY, version, rng))
    kind = rng.randrange(4)
    if kind == 0:
        del frame[rng.randrange(len(frame)) :]
    elif kind == 1:
        for _ in range(rng.randrange(1, 6)):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
    elif kind == 2:
        frame = bytearray(rng.randbytes(rng.randrange(60)))
    return bytes(frame)


def test_requests_that_waited_for_room_are_taken_up_when_there_is_some(client: Client) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    frame = struct.pack(">hhih4s", 3, 4, 9, 4, b"test") + frames.encode_message(metadata("t"), 4)
    client.send(fetch("t", 0, 200), 11)  # everything behind it waits
    client.socket.sendall((struct.pack(">i", len(frame)) + frame) * 600)  # more than may be under way; nothing follows
    client.receive(FetchResponse, 11)
    for _ in range(600):
        client.receive(MetadataResponse, 4)


def mutated(frame: bytes, rng: random.Random) -> bytes:
    """The API key and version stay, so that the change reaches a reader."""
    changed = bytearray(frame)
    for _ in range(rng.randrange(1, 8)):
        if len(changed) > 4:
            changed[rng.randrange(4, len(changed))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return bytes(changed)


def test_20000_broken_frames_end_nothing_but_their_own_connections(log: LogProcess) -> None:
    rng = random.Random(20_000)
    messages = [message for message in declared() if issubclass(message, Request)]
    corpus = [broken_frame(rng, messages) for _ in range(1_000)]
    before = resident_kib(log.pid)
    for number in range(20_000):
        # A connection for each, since a broken frame ends its own; the log has seen it when it closes after our end.
        with Client(log).socket as client, suppress(ConnectionError):
            frame = corpus[number % len(corpus)] if number % 2 else mutated(corpus[rng.randrange(len(corpus))], rng)
            client.sendall(struct.pack(">i", len(frame)) + frame)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
    assert answers(log)
    text = log.errors.read_text()
    assert "a bug" not in text, text[:3000]
    assert len([line for line in text.splitlines() if "closed a connection" in line]) <= 2
    assert resident_kib(log.pid) - before < 60_000


def test_sigterm_answers_who_waits_and_exits_0(log: LogProcess, client: Client) -> None:
    client.send(metadata("t"), 4)
    client.receive(MetadataResponse, 4)
    for n in range(20):
        client.send(produce("t", b"%d" % n), 8)
    client.receive(ProduceResponse, 8)
    assert log.stop() == 0
    assert "Traceback" not in log.errors.read_text()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core_log", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_two_brokers_on_one_directory_or_port(log: LogProcess, tmp_path: Path) -> None:
    second = run("--data", str(log.data), "--port", "0")
    assert second.returncode == 3
    assert str(log.pid) in second.stderr
    assert len(second.stderr.splitlines()) == 1
    third = run("--data", str(tmp_path / "other"), "--port", str(log.port))
    assert third.returncode == 3
    assert "in use" in third.stderr
    assert answers(log)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("num.partitions=many", "num.partitions=many"),
        ("num.partitions=0", "1 or more"),
        ("log.flush.interval.ms=0", "1 or more"),
        ("advertised.listeners=PLAINTEXT://127.0.0.1:70000", "70000"),
        ("log.flush.policy=never", "never"),
        ("no equals sign", "line 1"),
        ("listeners=PLAINTEXT://0.0.0.0:0", "penstock.insecure=true"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "broker.properties"
    config.write_text(text)
    found = run("--data", str(tmp_path / "log"), "--config", str(config), "--port", "0")
    assert found.returncode == 3
    assert said in found.stderr


def test_a_file_sets_what_new_topics_get(tmp_path: Path, start_log: Any) -> None:
    config = tmp_path / "broker.properties"
    config.write_text("# ours\nnum.partitions=5\nauto.create.topics.enable=true\n")
    log = start_log(tmp_path / "log", config=str(config), flush_policy="os")
    assert "flush policy: os" in log.ready_line
    client = Client(log)
    with client.socket:
        client.send(metadata("t"), 4)
        assert len(client.receive(MetadataResponse, 4)[1].topics[0].partitions) == 5


def test_metrics_count_what_was_asked(tmp_path: Path, start_log: Any) -> None:
    port = free_port()
    config = tmp_path / "broker.properties"
    config.write_text(f"metrics.port={port}\n")
    log = start_log(tmp_path / "log", config=str(config))
    assert answers(log)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'core_log_requests_total{api_key="18"} 1' in text
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/other", timeout=10).close()
    second = run("--data", str(tmp_path / "second"), "--port", "0", "--config", str(config))
    assert (second.returncode, "metrics.port" in second.stderr) == (3, True)


def test_it_is_up_in_a_blink(tmp_path: Path, start_log: Any) -> None:
    began = time.monotonic()
    log = start_log(tmp_path / "log")
    assert answers(log)
    assert time.monotonic() - began < 2.0  # 0.2 s on an idle machine; the suite shares its cores
    assert resident_kib(log.pid) < 60_000
