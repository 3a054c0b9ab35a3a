"""The herder's decisions, with all workers of a cluster in one thread."""

from __future__ import annotations

import orjson
import pytest

from connect.api import ConfigError, RetriableError
from connect.runtime.herding.assignment import Assignment, TaskId
from connect.runtime.requests import (
    BadRequest,
    Conflict,
    DeleteConnector,
    NotFound,
    NotLeader,
    PutConnector,
    RequestError,
    ResetOffsets,
    RestartConnector,
    RestartTask,
    SetTargetState,
    TargetState,
)
from connect.service.membership import Members
from tests.connect.runtime.herding.herders_in_memory import Cluster, sink, source

A, B = "http://127.0.0.1:8000", "http://127.0.0.1:8001"
CONFIG = {"connector.class": "Some"}


def test_a_new_connector_runs() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=2)
    assert cluster.states("x") == ["RUNNING", "RUNNING", "RUNNING"]
    assert [process.spec.partitions for process in cluster.running()] == [[{"p": 0}], [{"p": 1}]]
    assert cluster.leader.view.info("x") == {
        "name": "x",
        "config": {**CONFIG, "name": "x"},
        "tasks": [{"connector": "x", "task": 0}, {"connector": "x", "task": 1}],
        "type": "source",
    }


def test_the_answer_to_a_put() -> None:
    cluster = Cluster()
    cluster.outlines["x"] = source(1)
    expected = {"name": "x", "config": {**CONFIG, "name": "x"}, "tasks": [], "type": "source"}
    assert cluster.submit(PutConnector("x", CONFIG)).result(0) == (expected, True)
    info, created = cluster.submit(PutConnector("x", CONFIG)).result(0)
    assert not created
    assert info["tasks"] == [{"connector": "x", "task": 0}]
    with pytest.raises(Conflict, match="Connector x already exists"):
        cluster.submit(PutConnector("x", CONFIG, replace=False)).result(0)


def test_only_the_leader_takes_writes_and_others_name_it() -> None:
    cluster = Cluster(2)
    future = cluster.herders[B].submit(PutConnector("x", CONFIG))
    cluster.settle()
    with pytest.raises(NotLeader) as caught:
        future.result(0)
    assert caught.value.leader_url == A


def test_the_config_topic_holds_what_kafka_connect_would_have_written() -> None:
    cluster = Cluster()
    cluster.create("x")
    cluster.submit(SetTargetState("x", TargetState.STOPPED)).result(0)
    cluster.submit(DeleteConnector("x")).result(0)
    records = [(key.decode(), value) for key, value in cluster.topics["config"].records if key != b"assignment"]
    properties = {**CONFIG, "name": "x"}
    assert [(key, None if value is None else orjson.loads(value)) for key, value in records] == [
        ("connector-x", {"properties": properties}),
        ("task-x-0", {"properties": {**properties, "task.class": "Some"}}),
        ("commit-x", {"tasks": 1}),
        ("commit-x", {"tasks": 0}),
        ("target-state-x", {"state": "PAUSED", "state.v2": "STOPPED"}),
        ("connector-x", None),
        ("target-state-x", None),
    ]
    assert (b'{"properties":{"connector.class":"Some","name":"x"}}') in [value for _, value in records]


def test_the_status_topic_holds_what_kafka_connect_would_have_written() -> None:
    cluster = Cluster()
    cluster.create("x")
    records = dict(cluster.topics["status"].records)
    epoch = cluster.leader.view.state.assignment.epoch
    said = f'{{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8000","generation":{epoch},"version":"1.0"}}'.encode()
    assert records == {b"status-connector-x": said, b"status-task-x-0": said}
    cluster.submit(DeleteConnector("x")).result(0)
    assert not cluster.leader.statuses.tasks()
    assert not cluster.leader.statuses.connectors()


def test_connectors_that_come_change_and_go_interrupt_nobody_else() -> None:
    cluster = Cluster(2)
    cluster.create("steady", tasks=4)
    mine = cluster.running("steady")
    cluster.create("other", tasks=3)
    cluster.create("other", tasks=3, changed="1")
    cluster.submit(SetTargetState("other", TargetState.PAUSED)).result(0)
    cluster.submit(SetTargetState("other", TargetState.STOPPED)).result(0)
    cluster.submit(DeleteConnector("other")).result(0)
    assert cluster.running() == mine
    assert len([process for process in cluster.processes if process.spec.connector == "steady"]) == 4


def test_a_changed_configuration_restarts_the_connectors_tasks_with_it() -> None:
    cluster = Cluster()
    cluster.create("x", level="1")
    cluster.create("x", level="2")
    (process,) = cluster.running("x")
    assert process.spec.config["level"] == "2"
    assert "task.class" not in process.spec.config


def test_offsets_are_given_to_a_source_and_read_at_its_start() -> None:
    cluster = Cluster()
    cluster.topics["offset"].append(b'["x",{"p":0}]', b'{"at":7}')
    cluster.topics["offset"].append(b'["other",{"p":0}]', b'{"at":8}')
    cluster.create("x")
    assert cluster.running("x")[0].spec.offsets == [[{"p": 0}, {"at": 7}]]
    assert cluster.leader.offsets("x") == [{"partition": {"p": 0}, "offset": {"at": 7}}]


def test_pause_keeps_the_processes() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=2)
    before = cluster.running()
    cluster.submit(SetTargetState("x", TargetState.PAUSED)).result(0)
    assert cluster.states("x") == ["PAUSED", "PAUSED", "PAUSED"]
    cluster.submit(SetTargetState("x", TargetState.STARTED)).result(0)
    assert cluster.states("x") == ["RUNNING", "RUNNING", "RUNNING"]
    assert cluster.running() == before


def test_stop_answers_once_nothing_runs_and_resume_starts_again() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    slow = cluster.running("x")[1]
    slow.obedient = False
    future = cluster.submit(SetTargetState("x", TargetState.STOPPED))
    assert not future.done()
    slow.end(0)
    cluster.settle()
    assert future.result(0) is None
    assert cluster.states("x") == ["STOPPED"]
    assert not cluster.running("x")
    cluster.submit(SetTargetState("x", TargetState.STARTED)).result(0)
    assert cluster.states("x") == ["RUNNING", "RUNNING", "RUNNING"]


def test_a_task_that_does_not_stop_is_killed() -> None:
    cluster = Cluster()
    cluster.create("x")
    (process,) = cluster.running("x")
    process.obedient = False
    future = cluster.submit(DeleteConnector("x"))
    assert process.alive
    cluster.settle(seconds=5.1)
    assert not process.alive
    assert future.result(0) is None
    assert cluster.leader.view.status("x") is None


def test_a_lost_workers_tasks_move_at_once_and_nobody_elses() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=4)
    stayed = [process for process in cluster.running() if process.spec.settings.advertised_url == A]
    cluster.lose(B)
    assert cluster.states("x") == ["RUNNING"] * 5
    assert cluster.running()[: len(stayed)] == stayed
    assert len(cluster.running()) == 4


def test_a_lost_leader_is_followed_by_another() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=4)
    cluster.lose(A)
    assert cluster.states("x") == ["RUNNING"] * 5
    assert {process.spec.settings.advertised_url for process in cluster.running()} == {B}
    cluster.create("y")
    assert cluster.states("y") == ["RUNNING"] * 2


def test_the_tasks_of_a_lost_worker_are_shown_unassigned_while_nobody_can_start_them() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    cluster.topics["offset"].away = True  # so that the survivor cannot start them
    cluster.lose(B)
    assert sorted(cluster.states("x")[1:]) == ["RUNNING", "UNASSIGNED"]


def test_a_moved_task_starts_only_when_its_predecessor_has_ended() -> None:
    cluster = Cluster(1)
    cluster.create("x", tasks=2)
    for process in cluster.running():
        process.obedient = False
    cluster.add(1)
    cluster.gather()
    assert len(cluster.running()) == 2, "two of the same task at once"
    cluster.settle(seconds=5.1)
    urls = [process.spec.settings.advertised_url for process in cluster.running()]
    assert sorted(urls) == [A, B]


def test_a_newcomer_gets_its_share() -> None:
    cluster = Cluster(1)
    cluster.create("x", tasks=4)
    stayed = cluster.running()[:2]
    cluster.add(1)
    cluster.gather()
    assert cluster.running()[:2] == stayed
    assert sorted(process.spec.settings.advertised_url for process in cluster.running()) == [A, A, B, B]
    assert cluster.states("x") == ["RUNNING"] * 5


def test_a_group_that_begins_anew_moves_nothing_before_everybody_is_back() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    before = cluster.running()
    cluster.herders[B].members_changed(Members(False, None, (), -1))
    cluster.herders[A].members_changed(Members(True, A, (A,), 1))
    cluster.settle(seconds=1)
    cluster.gather()
    cluster.settle(seconds=10)
    assert cluster.running() == before
    assert len(cluster.processes) == 2


def test_a_worker_outside_the_group_stops_its_tasks() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    cluster.herders[B].members_changed(Members(False, None, (), -1))
    cluster.settle()
    assert len(cluster.running()) == 2
    cluster.settle(seconds=10)
    assert {process.spec.settings.advertised_url for process in cluster.running()} == {A}
    cluster.gather()
    assert len(cluster.running()) == 2


def test_a_process_that_dies_is_started_again_and_the_status_says_why() -> None:
    cluster = Cluster()
    cluster.create("x")
    cluster.running()[0].end(-9)
    cluster.settle()
    assert cluster.states("x") == ["RUNNING", "RESTARTING"]
    assert "ended by signal 9" in cluster.leader.view.status("x")["tasks"][0]["trace"]  # type: ignore[index]
    cluster.settle(seconds=1)
    assert cluster.states("x") == ["RUNNING", "RUNNING"]
    assert "trace" not in cluster.leader.view.status("x")["tasks"][0]  # type: ignore[index]


def test_restarts_come_less_and_less_often() -> None:
    cluster = Cluster()
    cluster.create("x")
    for _ in range(20):
        for process in cluster.running():
            process.end(-6)
        cluster.settle(seconds=1)
    assert 4 <= len(cluster.processes) <= 8


def test_a_failed_task_stays_failed_until_it_is_restarted() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=2)
    cluster.running()[0].fail("it broke")
    cluster.settle(seconds=300)
    assert cluster.states("x") == ["RUNNING", "FAILED", "RUNNING"]
    assert cluster.leader.view.status("x")["tasks"][0]["trace"] == "it broke"  # type: ignore[index]
    cluster.submit(RestartTask("x", 0)).result(0)
    assert cluster.states("x") == ["RUNNING"] * 3


def test_a_task_is_restarted_by_the_worker_that_has_it() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    owner = cluster.leader.view.state.assignment.deals["x"].tasks[1].worker
    other = next(herder for url, herder in cluster.herders.items() if url != owner)
    future = other.submit(RestartTask("x", 1))
    cluster.settle()
    with pytest.raises(NotLeader) as caught:
        future.result(0)
    assert caught.value.leader_url == owner
    cluster.herders[owner].submit(RestartTask("x", 1))
    cluster.settle()
    assert len(cluster.processes) == 3
    assert len(cluster.running()) == 2


@pytest.mark.parametrize(("only_failed", "restarted"), [(False, 2), (True, 1)])
def test_restart_with_tasks_wherever_they_are(only_failed: bool, restarted: int) -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    cluster.running()[1].fail("it broke")
    cluster.settle()
    status = cluster.submit(RestartConnector("x", include_tasks=True, only_failed=only_failed)).result(0)
    assert [task["state"] for task in status["tasks"]].count("RESTARTING") == restarted
    assert status["connector"]["state"] == ("RUNNING" if only_failed else "RESTARTING")
    assert len(cluster.processes) == 2 + restarted
    assert cluster.states("x") == ["RUNNING"] * 3


def test_a_restart_request_of_the_past_restarts_nothing() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=4)
    cluster.submit(RestartConnector("x", include_tasks=True)).result(0)
    cluster.add(1)
    cluster.gather()
    cluster.settle(seconds=5)
    started = len(cluster.processes)
    cluster.settle(seconds=5)
    assert len(cluster.processes) == started == 10  # 4, restarted, and 2 that moved to the newcomer


def test_a_restarted_connector_finds_its_new_partitions() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=1)
    cluster.outlines["x"] = source(2)
    cluster.submit(RestartConnector("x")).result(0)
    assert cluster.states("x") == ["RUNNING"] * 3


def test_an_outline_that_cannot_be_had_fails_the_connector_until_it_is_changed() -> None:
    cluster = Cluster()
    cluster.outlines["x"] = ConfigError("no such table", "table")
    cluster.submit(PutConnector("x", CONFIG)).result(0)
    cluster.settle(seconds=300)
    assert cluster.states("x") == ["FAILED"]
    assert "no such table" in cluster.leader.view.status("x")["connector"]["trace"]  # type: ignore[index]
    cluster.outlines["x"] = source(1)
    cluster.create("x", table="right")
    assert cluster.states("x") == ["RUNNING", "RUNNING"]


def test_an_outside_system_that_is_away_is_asked_again() -> None:
    cluster = Cluster()
    cluster.outlines["x"] = RetriableError("the database is starting")
    cluster.submit(PutConnector("x", CONFIG)).result(0)
    assert cluster.states("x") == ["UNASSIGNED"]
    assert "the database is starting" in cluster.leader.view.status("x")["connector"]["trace"]  # type: ignore[index]
    cluster.outlines["x"] = source(1)
    cluster.settle(seconds=60)
    assert cluster.states("x") == ["RUNNING", "RUNNING"]


def test_a_sink_waits_for_its_topics_and_takes_in_new_partitions() -> None:
    cluster = Cluster()
    cluster.outlines["s"] = sink(2, "t")
    cluster.create("s", topics="t")
    assert cluster.states("s") == ["RUNNING", "RUNNING", "RUNNING"]
    assert cluster.leader.view.info("s")["type"] == "sink"  # type: ignore[index]
    cluster.log_topics["t"] = 3
    cluster.settle(seconds=2)
    dealt = [pair for process in cluster.running() for pair in process.spec.partitions]
    assert sorted(dealt) == [["t", 0], ["t", 1], ["t", 2]]
    started = len(cluster.processes)
    cluster.log_topics["t"] = 4
    cluster.settle(seconds=11)
    assert len(cluster.processes) == started + 1


def test_a_pattern_of_topics() -> None:
    cluster = Cluster()
    cluster.log_topics = {"a1": 1, "b1": 1, "__consumer_offsets": 1}
    cluster.outlines["s"] = sink(1, regex="a.*|__.*")
    cluster.create("s", **{"topics.regex": "(?<any>a.*)|__.*"})
    cluster.settle(seconds=2)
    assert [process.spec.partitions for process in cluster.running()] == [[["a1", 0]]]


def test_offsets_are_reset_only_when_stopped() -> None:
    cluster = Cluster()
    cluster.topics["offset"].append(b'["x",{"p":0}]', b'{"at":7}')
    cluster.create("x")
    with pytest.raises(BadRequest, match="must be in the STOPPED state") as caught:
        cluster.submit(ResetOffsets("x")).result(0)
    assert str(caught.value).endswith("'/connectors/x/stop' endpoint")
    cluster.submit(SetTargetState("x", TargetState.STOPPED)).result(0)
    cluster.submit(ResetOffsets("x")).result(0)
    assert cluster.topics["offset"].records[-1] == (b'["x",{"p":0}]', None)
    assert cluster.leader.offsets("x") == []


def test_a_sinks_offsets_are_its_groups() -> None:
    cluster = Cluster()
    cluster.outlines["s"] = sink(1, "t")
    cluster.create("s", topics="t")
    assert cluster.leader.offsets("s")[0]["offset"] == {"kafka_offset": 5}
    cluster.submit(SetTargetState("s", TargetState.STOPPED)).result(0)
    cluster.submit(ResetOffsets("s")).result(0)
    assert cluster.group_offsets.forgotten == ["s"]


def test_a_connector_may_be_born_stopped() -> None:
    cluster = Cluster()
    cluster.outlines["x"] = source(1)
    cluster.submit(PutConnector("x", CONFIG, initial_state=TargetState.STOPPED)).result(0)
    assert cluster.states("x") == ["STOPPED"]
    assert not cluster.processes


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (DeleteConnector("no"), "Connector no not found"),
        (SetTargetState("no", TargetState.PAUSED), "Unknown connector no"),
        (RestartConnector("no"), "Unknown connector: no"),
        (RestartTask("x", 9), "Unknown task: x-9"),
        (ResetOffsets("no"), "Connector no not found"),
    ],
)
def test_what_is_not_there_is_said_in_kafka_connects_words(request_: object, message: str) -> None:
    cluster = Cluster()
    cluster.create("x")
    with pytest.raises(NotFound) as caught:
        cluster.submit(request_).result(0)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_while_the_log_is_away_tasks_go_on_and_writes_are_refused_aloud() -> None:
    cluster = Cluster()
    cluster.create("x")
    before = cluster.running()
    for topic in cluster.topics.values():
        topic.away = True
    with pytest.raises(RequestError, match="The log is away"):
        cluster.submit(PutConnector("y", CONFIG)).result(0)
    cluster.settle(seconds=30)
    assert cluster.running() == before
    for topic in cluster.topics.values():
        topic.away = False
    cluster.create("y")
    assert cluster.states("y") == ["RUNNING", "RUNNING"]


def test_a_stale_leaders_assignment_is_not_followed_and_written_over() -> None:
    cluster = Cluster(2)
    cluster.create("x", tasks=2)
    before, epoch = cluster.running(), cluster.leader.view.state.assignment.epoch
    cluster.topics["config"].append(b"assignment", Assignment(epoch=epoch - 1, leader="http://old").encode())
    cluster.settle()
    assert cluster.running() == before
    newest = dict(cluster.topics["config"].records)[b"assignment"]
    assert newest is not None
    assert Assignment.decode(newest).leader == A


def test_incomplete_task_configurations_are_written_anew() -> None:
    cluster = Cluster()
    cluster.create("x", tasks=2)
    cluster.topics["config"].append(b"commit-x", b'{"tasks":2}')
    cluster.settle()
    assert len(cluster.leader.view.state.tasks("x")) == 2
    assert cluster.states("x") == ["RUNNING"] * 3


def test_a_cluster_of_the_jvm_is_taken_over() -> None:
    cluster = Cluster(0)
    for key, value in [
        (b"session-key", b'{"key":"k","algorithm":"HmacSHA256","creation-timestamp":1}'),
        (b"connector-fs", b'{"properties":{"connector.class":"FileStreamSource","name":"fs"}}'),
        (
            b"task-fs-0",
            b'{"properties":{"connector.class":"FileStreamSource","name":"fs","task.class":"a.FileStreamSourceTask"}}',
        ),
        (b"commit-fs", b'{"tasks":1}'),
    ]:
        cluster.topics["config"].append(key, value)
    said = b'{"state":"RUNNING","trace":null,"worker_id":"10.0.0.9:8083","generation":40,"version":"4.3.1"}'
    cluster.topics["status"].append(b"status-task-fs-0", said)
    cluster.outlines["fs"] = source(1)
    cluster.add(0)
    cluster.gather()
    cluster.settle(seconds=5)
    assert cluster.states("fs") == ["RUNNING", "RUNNING"]
    assert cluster.leader.statuses.tasks()[TaskId("fs", 0)].worker_id == "127.0.0.1:8000"
    assert cluster.leader.statuses.tasks()[TaskId("fs", 0)].generation > 40
