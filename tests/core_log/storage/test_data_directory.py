import json
import os
import subprocess
import sys

import pytest

from core_log.errors import EnvironmentProblem
from core_log.storage.data_directory import DataDirectory

HOLD = """
import sys
from core_log.storage.data_directory import DataDirectory
held = DataDirectory.open(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_the_cluster_id_stays(tmp_path):
    first = DataDirectory.open(str(tmp_path / "made" / "here"))
    first.close()
    assert DataDirectory.open(first.path).cluster_id == first.cluster_id
    assert len(first.cluster_id) == 22


def test_a_second_broker_is_told_who_holds_the_directory(tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EnvironmentProblem, match=rf"in use by another broker \(pid {holder.pid}\)"):
            DataDirectory.open(str(tmp_path))
        holder.kill()
        holder.wait()
    DataDirectory.open(str(tmp_path)).close()  # the lock went with the process


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match=f"cannot use the data directory {tmp_path}/file/data"):
        DataDirectory.open(str(tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps({"format": 99, "cluster.id": "x"}), "newer version"),
        ("{}", "is not a broker's"),
        ("junk", "is not a broker's"),
    ],
)
def test_a_directory_of_another_kind_is_refused(tmp_path, content, says):
    (tmp_path / "meta.json").write_text(content)
    for _ in range(2):  # refusing lets go of the lock
        with pytest.raises(EnvironmentProblem, match=says):
            DataDirectory.open(str(tmp_path))


def test_the_lock_file_says_who(tmp_path):
    held = DataDirectory.open(str(tmp_path))
    assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
    held.close()
