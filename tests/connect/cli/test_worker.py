import signal
import subprocess
import sys
import time

import pytest

from connect.cli.local_cluster import worker_properties


@pytest.fixture
def worker(tmp_path):
    """Runs ``penstock worker`` on these bootstrap servers."""
    running = []

    def start(bootstrap):
        file = tmp_path / "worker.properties"
        file.write_text(worker_properties(bootstrap, 0))
        command = [sys.executable, "-m", "connect.cli.main", "worker", "--config", str(file)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_worker_that_waits_for_its_brokers_says_so_and_ends_when_asked(worker):
    process = worker("127.0.0.1:1")
    while "The log at 127.0.0.1:1 does not answer" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_says_when_it_is_ready_and_ends_when_asked(worker, log, number):
    process = worker(log.bootstrap)
    assert process.stdout.readline().startswith("worker ready on http://127.0.0.1:")
    process.send_signal(number)
    assert process.wait(10) == 0
    assert "Traceback" not in process.stderr.read()


def test_a_worker_whose_broker_is_gone_ends_when_asked(worker, log):
    process = worker(log.bootstrap)
    process.stdout.readline()
    log.kill()
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - began < 10
