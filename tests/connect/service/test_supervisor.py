import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from connect.service.errors import EnvironmentProblem
from connect.service.supervisor import Role, Supervisor

STUB = """
import os, signal, sys, time
name, folder, behaviour = sys.argv[1:4]
def note(what):
    with open(os.path.join(folder, "events"), "a") as events:
        events.write(f"{name} {what}\\n")
if behaviour == "hindered":
    print("Port 1 is in use.", file=sys.stderr); sys.exit(3)
if behaviour == "broken":
    raise RuntimeError("a bug")
def end(*_):
    note("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("started")
print("2026-01-01 WARNING something odd", flush=True)
print(f"{name} ready on nowhere", flush=True)
while True:
    time.sleep(60)
"""


@pytest.fixture
def stub(tmp_path, monkeypatch):
    (tmp_path / "stub_role.py").write_text(STUB)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def role(name, behaviour="well"):
        return Role(name, "stub_role", (name, str(tmp_path), behaviour))

    return role


@pytest.fixture
def supervise(tmp_path):
    running = []

    def start(*roles):
        said = []
        running.append(Supervisor(roles, log_dir=tmp_path / "logs", say=said.append))
        running[-1].start()
        return running[-1], said

    yield start
    for supervisor in running:
        supervisor.stop()


def events(folder: Path) -> list[str]:
    return (folder / "events").read_text().splitlines()


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_roles_start_in_order_and_stop_in_reverse(stub, supervise, tmp_path):
    supervisor, said = supervise(stub("log"), stub("worker"))
    assert events(tmp_path) == ["log started", "worker started"]
    assert "log: 2026-01-01 WARNING something odd" in said
    assert "log ready on nowhere" in (tmp_path / "logs" / "log.log").read_text()
    supervisor.stop()
    assert events(tmp_path)[2:] == ["worker stopped", "log stopped"]


def test_what_dies_is_started_again(stub, supervise, tmp_path):
    supervisor, said = supervise(stub("log"), stub("worker"))
    before = supervisor.pid("worker")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: events(tmp_path).count("worker started") == 2)
    assert supervisor.pid("worker") != before
    assert events(tmp_path).count("log started") == 1
    assert "worker was killed by signal 9. Starting it again in 0.2 s." in said


def test_a_role_that_its_surroundings_hinder_stops_the_start(stub, supervise, tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"^worker cannot start: Port 1 is in use\.$"):
        supervise(stub("log"), stub("worker", "hindered"))
    assert events(tmp_path) == ["log started", "log stopped"]


def test_a_role_with_a_bug_says_where_its_log_is(stub, supervise):
    with pytest.raises(EnvironmentProblem, match=r"exit code 1: RuntimeError: a bug\. Its log: .*worker\.log"):
        supervise(stub("worker", "broken"))


def test_nothing_outlives_a_supervisor_that_is_killed(stub, tmp_path):
    role = stub("log")
    program = textwrap.dedent(f"""
        import pathlib, time
        from connect.service.supervisor import Role, Supervisor
        supervisor = Supervisor([{role!r}], log_dir=pathlib.Path({str(tmp_path)!r}), say=print)
        supervisor.start()
        print(supervisor.pid("log"), flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        child = int(next(line for line in lines if line.strip().isdigit()))
        os.kill(child, 0)
        process.kill()
    eventually(lambda: not Path(f"/proc/{child}").exists() or "State:\tZ" in Path(f"/proc/{child}/status").read_text())
