import re
import threading
import time

import pytest

from connect.api import ConfigError, RetriableError
from connect.runtime.plan import probes
from connect.runtime.plan.connector_plan import InvalidConfig
from connect.runtime.plan.plugins import UnknownPlugin
from connect.service.settings import WorkerSettings
from tests.connect.runtime.plan.plugin_samples import WORKER, named

SETTINGS = WorkerSettings.from_mapping(WORKER)


def config(sample, **given):
    return {"name": "x", "connector.class": named(sample), "topic": "t", **given}


def test_a_right_configuration_has_no_problems():
    found = probes.validate(config("LinesSource"), SETTINGS)
    assert (found.kind, found.problems, found.answer["error_count"]) == ("source", (), 0)


def test_what_the_connector_finds_outside_stands_on_its_key():
    found = probes.validate(config("LinesSource", file="/missing"), SETTINGS)
    entry = next(entry for entry in found.answer["configs"] if entry["value"]["name"] == "file")
    assert entry["value"]["errors"] == ["There is no such file. Create it."]
    assert [str(problem) for problem in found.problems] == ["There is no such file. Create it."]


def test_the_outside_system_is_not_tried_with_a_wrong_configuration():
    found = probes.validate(config("Hangs", **{"batch.size": "x"}), SETTINGS, timeout_seconds=20)
    assert [problem.key for problem in found.problems] == ["batch.size"]


def test_a_check_that_hangs_is_stopped_and_named():
    began = time.monotonic()
    found = probes.validate(config("Hangs"), SETTINGS, timeout_seconds=1)
    assert found.problems[0].key == "connector.class"
    assert "Hangs was being checked and has not answered for 1 s" in str(found.problems[0])
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("sample", "says"),
    [("Exits", "Exits was being checked .*exit code 7"), ("Crashes", "killed by SIGABRT"), ("Raises", "LookupError: a bug")],
)
def test_a_check_that_breaks_says_how(sample, says):
    assert re.search(says, str(probes.validate(config(sample), SETTINGS).problems[0]))


def test_a_module_that_hangs_when_imported_fails_the_probe(tmp_path, monkeypatch):
    (tmp_path / "sleepy_plugin.py").write_text("import time\ntime.sleep(3600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(probes.ProbeFailed, match="was being read and has not answered"):
        probes.validate({"name": "x", "connector.class": "sleepy_plugin:Any"}, SETTINGS, timeout_seconds=1)


def test_a_plugins_own_error_comes_back_as_ours():
    assert [problem.key for problem in probes.validate(config("Refuses"), SETTINGS).problems] == ["file"]
    with pytest.raises(ConfigError, match="no") as raised:
        probes.outline(config("Refuses"), SETTINGS)
    assert (type(raised.value), raised.value.key) == (ConfigError, "file")


def test_partitions_and_what_stops_them():
    assert probes.outline(config("LinesSource"), SETTINGS).partitions == ({"file": "a"}, {"file": "b"})
    with pytest.raises(RetriableError, match="asleep"):
        probes.outline(config("Raises"), SETTINGS)
    with pytest.raises(InvalidConfig, match="topic"):
        probes.outline({"name": "x", "connector.class": named("LinesSource")}, SETTINGS)
    with pytest.raises(probes.ProbeFailed, match=r"asked for its partitions and has not answered for 0.5 s"):
        probes.outline(config("Hangs"), SETTINGS, timeout_seconds=0.5)


def test_a_sinks_outline():
    found = probes.outline({"name": "x", "connector.class": named("LinesSink"), "topics.regex": "a.*"}, SETTINGS)
    assert (found.kind, found.topics, found.topics_regex, found.partitions) == ("sink", (), "a.*", ())


def test_an_unknown_class_says_what_there_is():
    with pytest.raises(UnknownPlugin, match=r"which name matches postgress, available connectors are: .*postgres"):
        probes.validate({"name": "x", "connector.class": "postgress"}, SETTINGS)


def test_descriptions_by_name():
    described = probes.describe(named("LinesSource"))
    assert described
    assert [entry["name"] for entry in described][:2] == ["topic", "file"]
    assert "tasks.max" in [entry["name"] for entry in described]
    assert probes.describe("Nope") is None


def test_what_hangs_takes_its_own_slots_only(monkeypatch):
    monkeypatch.setattr(probes, "WAIT_FOR_SLOT_SECONDS", 0.2)
    slots = threading.BoundedSemaphore(1)

    def hang():
        with pytest.raises(probes.ProbeFailed, match="not answered"):
            probes.run(time.sleep, 30, subject="a", timeout_seconds=2, slots=slots)

    hanging = threading.Thread(target=hang)
    hanging.start()
    while slots._value:
        time.sleep(0.01)
    with pytest.raises(RetriableError, match="under way"):
        probes.run(abs, -3, subject="b", timeout_seconds=10, slots=slots)
    assert probes.run(abs, -3, subject="b", timeout_seconds=10) == 3
    hanging.join()
    assert probes.run(abs, -3, subject="b", timeout_seconds=10, slots=slots) == 3
