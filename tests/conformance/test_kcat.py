"""kcat, where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.fix_log import LogProcess

pytestmark = pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (make tools)")


def kcat(log: LogProcess, *arguments: str, text: str = "") -> str:
    command = ["kcat", "-b", log.bootstrap, *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip", "snappy"])
def test_lines_go_in_and_come_out(log: LogProcess, codec: str) -> None:
    lines = "".join(f"k{n}:value {n}\n" for n in range(100))
    kcat(log, "-P", "-t", "t", "-K", ":", "-z", codec, text=lines)
    assert kcat(log, "-C", "-t", "t", "-K", ":", "-o", "beginning", "-e", "-q") == lines


def test_metadata_and_groups(log: LogProcess) -> None:
    kcat(log, "-P", "-t", "t", text="one\ntwo\n")
    assert 'topic "t" with 1 partitions' in kcat(log, "-L")
    assert kcat(log, "-G", "g", "-X", "auto.offset.reset=earliest", "-c", "2", "-q", "t") == "one\ntwo\n"
