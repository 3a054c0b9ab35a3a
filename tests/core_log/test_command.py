"""``penstock broker`` as an operator meets it: what it says, and its exit code, where it cannot start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.fix_log import LogProcess

PENSTOCK = Path(sys.executable).with_name("penstock")


def penstock(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PENSTOCK), "broker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def refusal(*arguments: str, code: int = 3) -> str:
    """The one line on stderr of a broker that does not start."""
    ended = penstock(*arguments)
    assert (ended.returncode, ended.stdout) == (code, ""), ended
    (line,) = ended.stderr.splitlines()
    return line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_it_makes_its_directory_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path) -> None:
    data = tmp_path / "new" / "log"
    command = [str(PENSTOCK), "broker", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as broker:
        assert broker.stdout
        assert f"(data: {data}, flush policy: ack)" in broker.stdout.readline()
        assert (data / "meta.json").exists()
        broker.terminate()
        assert broker.wait(20) == 0


def test_a_port_in_use(tmp_path: Path, taken: int) -> None:
    line = refusal("--data", str(tmp_path / "log"), "--port", str(taken))
    assert f"127.0.0.1:{taken}" in line
    assert "in use" in line


def test_a_second_broker_on_a_directory_leaves_the_first_alone(log: LogProcess) -> None:
    producer = Producer({"bootstrap.servers": log.bootstrap})
    producer.produce("t", b"before")
    assert producer.flush(20) == 0
    before = {path: path.stat().st_size for path in log.data.rglob("*") if path.is_file()}
    line = refusal("--data", str(log.data), "--port", "0")
    assert str(log.data) in line
    assert str(log.pid) in line
    assert {path: path.stat().st_size for path in log.data.rglob("*") if path.is_file()} == before
    producer.produce("t", b"after")
    assert producer.flush(20) == 0
    log.restart()
    consumer = Consumer({"bootstrap.servers": log.bootstrap, "group.id": "g"})
    assert consumer.get_watermark_offsets(TopicPartition("t", 0), timeout=20) == (0, 2)
    consumer.close()


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = refusal("--data", str(tmp_path / "file" / "log"), "--port", "0")
    assert str(tmp_path / "file" / "log") in line
    assert "--data" in line
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in refusal("--data", str(tmp_path / "log"), "--port", "0")


@pytest.mark.parametrize("state", ["meta.json", "topics/t.json", "producer-ids"])
def test_a_directory_whose_files_are_not_ours_is_left_as_it_is(tmp_path: Path, state: str) -> None:
    (tmp_path / "topics").mkdir()
    (tmp_path / state).write_text("not ours")
    assert state in refusal("--data", str(tmp_path), "--port", "0")
    assert (tmp_path / state).read_text() == "not ours"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--flush-policy", "never"), 3, "never"),
        (("--port", "70000"), 3, "70000"),
        (("--config", "/nowhere/broker.properties"), 3, "/nowhere/broker.properties"),
        (("--host", "no.such.host.invalid"), 3, "no.such.host.invalid"),
        (("--host", "0.0.0.0"), 3, "penstock.insecure=true"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    line = refusal("--data", str(tmp_path / "log"), *arguments, code=code)
    assert said in line
    assert not (tmp_path / "log" / "topics").exists(), "nothing was begun"


def test_no_directory_at_all() -> None:
    assert "--data DIR" in refusal()


def test_python_m_core_log_says_as_much(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "core_log", "--data", str(tmp_path), "--port", "many"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "many" in line
