import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest


@pytest.fixture
def up():
    """Runs ``penstock up`` on free ports; ends what a test leaves running."""
    running = []

    def start(data, *more):
        command = [sys.executable, "-m", "connect.cli.main", "up", "--data", str(data)]
        for option in ("--kafka-port", "--connect-port"):
            command += [] if option in more else [option, "0"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen([*command, *more], **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def read_until(process, text):
    lines = []
    while text not in "".join(lines):
        line = process.stdout.readline()
        assert line, f"{lines} {process.stderr.read()}"
        lines.append(line)
    return "".join(lines)


def test_all_is_ready_within_seconds_and_stops_cleanly(up, tmp_path):
    began = time.monotonic()
    process = up(tmp_path / "data")
    said = read_until(process, "the data stays")
    assert time.monotonic() - began < 10  # 3 s on a quiet machine
    (url,) = set(re.findall(r"http://127\.0\.0\.1:\d+", said))
    with urllib.request.urlopen(url + "/connectors", timeout=5) as answer:
        assert answer.read() == b"[]"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"Everything is kept in {tmp_path / 'data'}" in rest
    assert errors == ""


def test_a_second_one_on_the_same_directory_damages_nothing(up, tmp_path):
    first = up(tmp_path)
    read_until(first, "the data stays")
    before = (tmp_path / "worker-1.properties").read_text()
    second = up(tmp_path)
    _, errors = second.communicate(timeout=30)
    assert second.returncode == 3
    assert errors == (
        f"{tmp_path} is in use by another `penstock up` (pid {first.pid}). "
        "Stop that, or choose another directory with --data.\n"
    )
    assert (tmp_path / "worker-1.properties").read_text() == before


@pytest.mark.parametrize("option", ["--kafka-port", "--connect-port"])
def test_a_port_in_use_is_one_line_and_exit_code_3(up, tmp_path, option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = up(tmp_path, option, str(port))
        said, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert said == ""
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"Port {port} cannot be had: another program uses it")
    assert f"Choose another with {option}." in errors


def test_a_port_beyond_the_last_one_is_one_line_and_exit_code_3(up, tmp_path):
    process = up(tmp_path, "--connect-port", "65535", "--workers", "2")
    assert process.communicate(timeout=30)[1] == (
        "Port 65536 cannot be had: there is none above 65535. Choose another with --connect-port.\n"
    )
    assert process.returncode == 3


def test_a_directory_that_cannot_be_made_is_one_line_and_exit_code_3(up, tmp_path):
    (tmp_path / "file").write_text("")
    process = up(tmp_path / "file" / "data")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert errors.endswith("cannot be written: Not a directory. Choose another directory with --data.\n")
