"""The fold of the config topic: Kafka Connect's commit rules, and our assignment."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from connect.runtime.herding.assignment import Assignment
from connect.runtime.herding.config_state import ASSIGNMENT_KEY, ConfigState, apply
from connect.runtime.requests import TargetState


def fold(*records: tuple[str, object], state: ConfigState | None = None) -> ConfigState:
    state = state or ConfigState()
    for key, content in records:
        state = apply(state, key.encode(), None if content is None else orjson.dumps(content))
    return state


def connector(name: str, **config: str) -> tuple[str, object]:
    return f"connector-{name}", {"properties": config}


def task(name: str, number: int, **config: str) -> tuple[str, object]:
    return f"task-{name}-{number}", {"properties": config}


def commit(name: str, tasks: int) -> tuple[str, object]:
    return f"commit-{name}", {"tasks": tasks}


def test_tasks_apply_on_commit_only() -> None:
    state = fold(connector("x", a="1"), task("x", 0, t="0"))
    assert state.tasks("x") == ()
    assert fold(commit("x", 1), state=state).tasks("x") == ({"t": "0"},)


def test_a_partial_write_is_inconsistent_until_a_complete_one() -> None:
    state = fold(connector("x", a="1"), task("x", 1, t="1"), commit("x", 2))
    assert state.tasks("x") == ()
    assert state.inconsistent == {"x"}
    state = fold(task("x", 0, t="0"), task("x", 1, t="1"), commit("x", 2), state=state)
    assert state.tasks("x") == ({"t": "0"}, {"t": "1"})
    assert not state.inconsistent


def test_no_tasks_is_consistent() -> None:
    state = fold(connector("x"), task("x", 0), commit("x", 1), commit("x", 0))
    assert state.tasks("x") == ()
    assert not state.inconsistent


def test_a_removed_connector_takes_its_tasks_with_it() -> None:
    state = fold(connector("x"), task("x", 0), commit("x", 1), ("connector-x", None), ("target-state-x", None), connector("x"))
    assert state.tasks("x") == ()
    assert state.target("x") is TargetState.STARTED


def test_compaction_may_leave_a_connector_behind_its_tasks() -> None:
    assert fold(task("x", 0, t="0"), commit("x", 1), connector("x")).tasks("x") == ({"t": "0"},)


def test_target_states_of_old_and_new_workers() -> None:
    assert fold(("target-state-x", {"state": "PAUSED"})).target("x") is TargetState.PAUSED
    assert fold(("target-state-x", {"state": "PAUSED", "state.v2": "STOPPED"})).target("x") is TargetState.STOPPED


def test_names_with_dashes() -> None:
    state = fold(connector("a-1"), task("a-1", 0, t="0"), commit("a-1", 1))
    assert state.tasks("a-1") == ({"t": "0"},)


def test_the_records_of_others_change_nothing() -> None:
    state = fold(connector("x"))
    others = [
        (b"session-key", b'{"key":"k"}'),
        (b"tasks-fencing-x", b'{"task-count":1}'),
        (b"logger-cluster-a.b", b'{"level":"INFO"}'),
        (b"task-x", b"{}"),
        (b"commit-x", b"[]"),
        (b"connector-y", b"not json"),
        (b"assignment", b'{"epoch":1}'),
        (b"\xff\xfe", b"{}"),
        (b"target-state-x", b'{"state":"DANCING"}'),
    ]
    for key, value in others:
        assert apply(state, key, value) == state, key


def test_each_restart_request_can_be_told_from_the_one_before() -> None:
    request = ("restart-connector-x", {"include-tasks": True, "only-failed": False})
    once, twice = fold(request), fold(request, request)
    assert once.restarts["x"] != twice.restarts["x"]
    assert twice.restarts["x"].include_tasks


def test_an_older_assignment_is_not_followed_but_noticed() -> None:
    newer, older = Assignment(epoch=7, leader="b"), Assignment(epoch=6, leader="a")
    state = ConfigState()
    for assignment in (newer, older):
        state = apply(state, ASSIGNMENT_KEY, assignment.encode())
    assert state.assignment == newer
    assert state.contested
    assert not apply(state, ASSIGNMENT_KEY, Assignment(epoch=8).encode()).contested


names = st.sampled_from(["x", "y"])
records = st.one_of(
    st.builds(lambda name, value: connector(name, a=value), names, st.sampled_from("12")),
    st.builds(lambda name: (f"connector-{name}", None), names),
    st.builds(lambda name, number: task(name, number, t=str(number)), names, st.integers(0, 2)),
    st.builds(commit, names, st.integers(0, 3)),
    st.builds(lambda name, state: (f"target-state-{name}", {"state.v2": state}), names, st.sampled_from([*TargetState])),
)


@given(st.lists(records, max_size=30), st.integers(0, 30))
def test_reading_on_gives_what_reading_anew_gives(log: list[tuple[str, object]], pause: int) -> None:
    assert fold(*log[pause:], state=fold(*log[:pause])) == fold(*log)


@given(st.lists(records, max_size=30))
def test_only_whole_sets_of_tasks_are_ever_seen(log: list[tuple[str, object]]) -> None:
    state = fold(*log)
    for name in state.connectors:
        assert [config["t"] for config in state.tasks(name)] == [str(number) for number in range(len(state.tasks(name)))]
