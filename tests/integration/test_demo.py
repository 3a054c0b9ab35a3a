"""The demo, as a user runs it: it checks itself and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connect.demo.postgres_server import PostgresMissing, wheel_programs
from tests.fix_s3 import find_versitygw


@pytest.fixture(autouse=True)
def _wheel() -> None:
    try:
        wheel_programs()
    except PostgresMissing as missing:
        pytest.skip(f"needs the wheel: {missing}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Unlike tmp_path one that other users can reach: as root the server runs as ``postgres``."""
    with tempfile.TemporaryDirectory(prefix="penstock-test-demo-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def start_demo(data: Path, *options: str, path: str = "/usr/bin:/bin") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "connect.cli.main", "demo", "--data", str(data), *options]
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(data.parent / "cache")}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def processes_of(data: Path) -> list[str]:
    """Command lines of programs that were told of this folder (it does not list the dead)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(data) in line:
            found.append(line)
    return found


@pytest.mark.parametrize("store", ["folder", "versitygw"])
def test_the_bounded_demo_checks_itself(store: str, folder: Path) -> None:
    path = "/usr/bin:/bin"
    if store == "versitygw":
        program = find_versitygw()
        if program is None:
            pytest.skip("needs a real S3 server: versitygw is not on the PATH (`make tools` builds it with Go)")
        path = f"{Path(program).parent}:{path}"
    data = folder / "demo"
    demo = start_demo(data, "--once", path=path)
    printed = demo.communicate(timeout=150)[0]
    assert demo.returncode == 0, printed
    summary = printed.strip().splitlines()[-1]
    told = re.fullmatch(
        r"OK: (\d+) rows, 3000 changes, (\d+) records in (\d+) objects, worker \d killed with -9; "
        r"table = topic = objects: yes; \d+ s",
        summary,
    )
    assert told, printed
    assert int(told[2]) >= 4000
    assert ("of versitygw at http://" if store == "versitygw" else "the folder") in printed
    assert processes_of(data) == []


def test_interrupted_it_stops_everything_and_says_where_the_data_is(folder: Path) -> None:
    data = folder / "demo"
    demo = start_demo(data, "--rate", "50", "--workers", "1")
    try:
        assert demo.stdout
        lines: list[str] = []
        deadline = time.monotonic() + 90
        # Until objects have been stored.
        while not (lines and re.search(r"records .* -> [1-9]\d* objects", lines[-1])):
            assert time.monotonic() < deadline, lines
            lines.append(demo.stdout.readline())
            assert lines[-1], lines
        assert len(processes_of(data)) >= 3
    finally:
        demo.send_signal(signal.SIGINT)
        rest = demo.communicate(timeout=60)[0]
    assert demo.returncode == 0, rest
    assert f"Stopped. Data and logs are in {data}" in rest
    assert processes_of(data) == []


def test_a_folder_that_is_in_use_is_left_alone(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "file").write_text("precious")
    demo = start_demo(folder / "mine", "--once")
    printed = demo.communicate(timeout=60)[0]
    assert demo.returncode == 3
    assert "is not empty" in printed
    assert [path.name for path in (folder / "mine").iterdir()] == ["file"]
