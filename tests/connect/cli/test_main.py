import subprocess
import sys
import time
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from connect.cli import main
from connect.cli.local_cluster import LocalCluster, free_ports, worker_properties
from connect.service.java_properties import parse
from connect.service.settings import WorkerSettings


def invoke(*arguments):
    return CliRunner().invoke(main.application(arguments), list(arguments))


def test_help_lists_the_commands_of_every_package():
    result = invoke("--help")
    assert result.exit_code == 0
    for command in ("broker", "worker", "up", "demo"):
        assert command in result.output


def test_an_unknown_command_or_option_is_exit_code_2():
    assert invoke("upp").exit_code == 2
    assert invoke("up", "--kafka-prot", "1").exit_code == 2
    assert invoke("worker").exit_code == 2


def test_a_command_that_does_not_load_leaves_the_others(monkeypatch):
    points = [EntryPoint("lost", "no_such_module:x", main.GROUP), EntryPoint("up", "connect.cli.up:up", main.GROUP)]
    monkeypatch.setattr(main, "entry_points", lambda group: points if group == main.GROUP else [])
    assert invoke("--help").exit_code == 0
    result = invoke("lost")
    assert result.exit_code == 1
    assert "no_such_module" in result.output


def test_help_is_quick_and_loads_no_kafka_client():
    program = "import sys; sys.argv = ['penstock', '--help']\nfrom connect.cli import main\ntry:\n    main.main()\nfinally:\n"
    program += "    assert not {'confluent_kafka', 'flask', 'pydantic'} & set(sys.modules), sorted(sys.modules)"
    times = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        times.append(time.monotonic() - began)
    assert min(times) < 0.5  # 0.2 s on a quiet machine


def test_a_wrong_settings_file_is_exit_code_2_with_every_problem(tmp_path):
    file = tmp_path / "w.properties"
    file.write_text("bootstrap.servers=localhost:9092\ngroup.idd=x\n")
    command = [sys.executable, "-m", "connect.cli.main", "worker", "--config", str(file)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "group.idd is no setting of a worker. Did you mean 'group.id'?" in result.stderr
    assert "key.converter is required" in result.stderr


def test_the_settings_that_up_writes_are_right():
    settings = WorkerSettings.from_mapping(parse(worker_properties("127.0.0.1:9092", 8083)))
    assert settings.warnings == ()
    assert settings.advertised_url == "http://127.0.0.1:8083"


def test_a_local_cluster_is_a_log_and_its_workers(tmp_path):
    roles = LocalCluster(tmp_path, 9092, (8083, 8084)).roles()
    assert [role.name for role in roles] == ["broker", "worker 1", "worker 2"]
    assert "listeners=http://127.0.0.1:8084" in (tmp_path / "worker-2.properties").read_text()


@pytest.mark.parametrize("wanted", [[0, 5, 0], [1, 2]])
def test_only_ports_left_open_are_chosen(wanted):
    found = free_ports(wanted)
    assert all(port == asked or asked == 0 for port, asked in zip(found, wanted, strict=True))
    assert len(set(found)) == len(wanted)
