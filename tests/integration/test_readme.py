"""README's commands, run in its order in a copy of what a clone holds, with the ports changed to free ones and nothing else.

Not run here: ``make demo`` and ``make test`` (the demo has tests of its own, and this is a part of the other), and ``pip
install .`` (this environment is an installation; ``tests/architecture`` looks into the wheel).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fix_cluster import free_port
from tests.fix_log import LogProcess
from tests.fix_postgres import TestPostgres, find_programs
from tests.fix_up import PROGRAMS, Up

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OBJECTS = "/tmp/penstock-orders"
NOT_RUN = ("make demo", "make test", "pip install .", "penstock up")  # the last one is started by the fixture


def blocks() -> list[list[str]]:
    """The commands of each ``sh`` block."""
    found = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [[line for line in block.splitlines() if line.strip()] for block in found]


def command(line: str) -> str:
    """Without the remark behind it."""
    return re.sub(r" {2,}#.*$", "", line)


def test_every_block_is_known() -> None:
    commands = [command(line) for block in blocks() for line in block]
    assert [each for each in commands if each in NOT_RUN] == list(NOT_RUN)
    assert {each.split()[0] for each in commands if each not in NOT_RUN} == {"psql", "curl", "kcat", "cat"}


# The keys and values of the file that Apache Kafka ships, with the port in its own notation.
STOCK = """\
bootstrap.servers={bootstrap}
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
offset.flush.interval.ms=10000
listeners=HTTP://:{port}
"""


def test_the_file_that_kafka_ships_works_as_it_is(log: LogProcess, tmp_path: Path) -> None:
    line = "penstock worker --config connect-distributed.properties"
    assert f"`{line}`" in README
    port = free_port()
    (tmp_path / "connect-distributed.properties").write_text(STOCK.format(bootstrap=log.bootstrap, port=port))
    process = subprocess.Popen(
        [PROGRAMS / "penstock", *line.split()[1:]], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == f"worker ready on http://127.0.0.1:{port}\n"
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert "WARNING" not in said


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


@pytest.fixture
def server() -> Iterator[TestPostgres]:
    """As README expects it: user, password and database are postgres."""
    with tempfile.TemporaryDirectory(prefix="penstock-test-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "server").mkdir()
        (folder / "server" / "password").write_text("postgres")
        (folder / "server" / "password").chmod(0o644)
        server = TestPostgres(find_programs(), folder / "server")
        server.start()
        yield server
        server.stop()


@pytest.fixture
def clone(tmp_path: Path, server: TestPostgres) -> Path:
    """The files that the commands name; what is a port or a folder of the whole machine is this test's own."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    source = tmp_path / "config/connectors/postgres-source.json"
    given = json.loads(source.read_text())
    assert (given["database.port"], given["database.user"], given["database.password"]) == ("5432", "postgres", "postgres")
    source.write_text(json.dumps({**given, "database.port": str(server.port)}))
    sink = tmp_path / "config/connectors/files-sink.json"
    assert OBJECTS in sink.read_text()
    sink.write_text(sink.read_text().replace(OBJECTS, f"{tmp_path}/objects"))
    return tmp_path


@pytest.mark.parametrize("tool", ["kcat", "psql", "curl"])
def test_tools_are_named_where_they_are_needed(tool: str) -> None:
    assert tool in README


def test_on_your_own(clone: Path, server: TestPostgres) -> None:
    path = f"{PROGRAMS}:{server.programs}:{os.environ['PATH']}"
    for tool in ("kcat", "psql", "curl"):
        if shutil.which(tool, path=path) is None:
            pytest.skip(f"needs {tool}")
    up = Up(clone).start()
    own = {
        "localhost:9092": up.bootstrap,
        "localhost:8083": up.url.removeprefix("http://"),
        "127.0.0.1:5432": f"127.0.0.1:{server.port}",
        OBJECTS: f"{clone}/objects",
    }

    def run(line: str) -> str:
        for readme, mine in own.items():
            line = line.replace(readme, mine)
        done = subprocess.run(
            line,
            shell=True,
            cwd=clone,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    try:
        _, _, first, later = blocks()
        printed = [run(command(line)) for line in first]
        assert [json.loads(text)["name"] for text in printed[-2:]] == ["orders", "orders-to-files"]
        wait_until_stored(clone / "objects")
        status, records, objects = [run(command(line)) for line in later]
        assert [task["state"] for task in json.loads(status)["tasks"]] == ["RUNNING"]
        for text in (records, objects):
            assert [json.loads(line)["after"]["item"] for line in text.splitlines()] == ["a kettle", "two cups"]
    finally:
        up.end()


def wait_until_stored(folder: Path) -> None:
    """README says: some seconds."""
    deadline = time.monotonic() + 40
    while not list(folder.rglob("*.json")):
        assert time.monotonic() < deadline, list(folder.rglob("*"))
        time.sleep(0.1)
