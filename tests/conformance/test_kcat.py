"""kcat, where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.fix_log import AnyLog

pytestmark = pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (make tools)")


def kcat(any_log: AnyLog, *arguments: str, text: str = "") -> str:
    command = ["kcat", "-b", any_log.bootstrap, "-X", "fetch.wait.max.ms=20", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip", "snappy"])
def test_lines_go_in_and_come_out(any_log: AnyLog, codec: str) -> None:
    lines = "".join(f"k{n}:value {n}\n" for n in range(100))
    kcat(any_log, "-P", "-t", any_log.topic, "-K", ":", "-z", codec, text=lines)
    assert kcat(any_log, "-C", "-t", any_log.topic, "-K", ":", "-o", "beginning", "-e", "-q") == lines


def test_metadata_and_groups(any_log: AnyLog) -> None:
    kcat(any_log, "-P", "-t", any_log.topic, text="one\ntwo\n")
    assert f'topic "{any_log.topic}" with 1 partitions' in kcat(any_log, "-L")
    assert (
        kcat(any_log, "-G", any_log.group, "-X", "auto.offset.reset=earliest", "-c", "2", "-q", any_log.topic) == "one\ntwo\n"
    )
