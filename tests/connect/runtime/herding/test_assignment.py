"""Assignment: every task once, nobody else moves, newcomers get their share and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connect.runtime.herding.assignment import Assignment, TaskId, Turn, Work, assign, fingerprint, tasks_ahead

WORKERS = [f"http://w{number}:8083" for number in range(6)]
A, B, C = WORKERS[:3]


def work(tasks: int, partitions: int | None = None, config: str = "c1") -> Work:
    return Work("source", "1", config, tasks, tuple({"p": n} for n in range(tasks if partitions is None else partitions)))


def owners(assignment: Assignment) -> dict[TaskId, str]:
    return {TaskId(name, number): task.worker for name, deal in assignment.deals.items() for number, task in deal.tasks.items()}


def loads(assignment: Assignment, workers: list[str]) -> list[int]:
    return [len(assignment.tasks_of(worker)) for worker in workers]


works = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(work, st.integers(0, 5), st.integers(0, 9), st.sampled_from(["c1", "c2"])),
    max_size=6,
)
memberships = st.sets(st.sampled_from(WORKERS), min_size=1).map(sorted)


@settings(deadline=None)
@given(st.lists(st.tuples(works, memberships), min_size=1, max_size=6))
def test_every_task_and_every_partition_exactly_once_at_a_live_worker(history: list[tuple[dict[str, Work], list[str]]]) -> None:
    assignment = Assignment()
    for wanted, workers in history:
        assignment = assign(assignment, wanted, workers, workers[0])
        assert owners(assignment).keys() == {TaskId(name, n) for name, each in wanted.items() for n in range(each.tasks)}
        assert set(owners(assignment).values()) <= set(workers)
        for name, each in wanted.items():
            dealt = [partition["p"] for task in assignment.deals[name].tasks.values() for partition in task.partitions]
            assert sorted(dealt) == ([partition["p"] for partition in each.partitions] if each.tasks else [])
            sizes = [len(task.partitions) for task in assignment.deals[name].tasks.values()]
            assert not sizes or max(sizes) - min(sizes) <= 1


@settings(deadline=None)
@given(works, works, memberships)
def test_connectors_that_come_change_and_go_move_nobody_else(
    before: dict[str, Work], after: dict[str, Work], workers: list[str]
) -> None:
    first = assign(Assignment(), before, workers, A)
    second = assign(first, after, workers, A)
    for name in before.keys() & after.keys():
        if before[name] == after[name]:
            assert second.deals[name] == first.deals[name]


@settings(deadline=None)
@given(works, memberships, st.sampled_from(WORKERS))
def test_a_newcomer_balances_and_takes_only_its_share(wanted: dict[str, Work], workers: list[str], newcomer: str) -> None:
    first = assign(Assignment(), wanted, workers, A)
    together = sorted({*workers, newcomer})
    second = assign(first, wanted, together, A)
    spread = loads(second, together)
    assert max(spread) - min(spread) <= 1
    moves = [second_owner for task, second_owner in owners(second).items() if owners(first)[task] != second_owner]
    assert set(moves) <= {newcomer}
    assert len(moves) <= len(owners(first)) // len(together) + 1


@settings(deadline=None)
@given(works, st.sets(st.sampled_from(WORKERS), min_size=2).map(sorted))
def test_only_the_tasks_of_a_lost_worker_move(wanted: dict[str, Work], workers: list[str]) -> None:
    first = assign(Assignment(), wanted, workers, A)
    second = assign(first, wanted, workers[1:], workers[1])
    for task, owner in owners(first).items():
        if owner != workers[0]:
            assert second.deals[task.connector].tasks[task.task] == first.deals[task.connector].tasks[task.task]


@settings(deadline=None)
@given(works, memberships)
def test_nothing_new_is_no_new_epoch_and_the_record_reads_back(wanted: dict[str, Work], workers: list[str]) -> None:
    first = assign(Assignment(), wanted, workers, A)
    assert assign(first, wanted, list(reversed(workers)), A) is first
    assert Assignment.decode(first.encode()) == first


def test_deleting_leaves_an_uneven_spread_alone() -> None:
    first = assign(Assignment(), {"a": work(2), "b": work(2)}, [A, B], A)
    second = assign(first, {"a": work(2)}, [A, B], A)
    assert second.deals["a"] == first.deals["a"]


def test_a_new_configuration_is_a_new_beginning_for_all_its_tasks_where_they_are() -> None:
    first = assign(Assignment(), {"a": work(3)}, [A, B], A)
    second = assign(first, {"a": work(3, config="c2")}, [A, B], A)
    assert owners(second) == owners(first)
    assert {task.epoch for task in second.deals["a"].tasks.values()} == {second.epoch}
    ahead = tasks_ahead(second.deals["a"], 0)
    assert ahead == {n: Turn(task.worker, task.epoch) for n, task in first.deals["a"].tasks.items()}


def test_a_task_that_moves_waits_for_itself_alone() -> None:
    first = assign(Assignment(), {"a": work(3)}, [A, B], A)
    second = assign(first, {"a": work(3)}, [B], B)
    moved = [n for n, task in first.deals["a"].tasks.items() if task.worker == A]
    stayed = next(n for n, task in first.deals["a"].tasks.items() if task.worker == B)
    for number in moved:
        assert tasks_ahead(second.deals["a"], number).keys() == set(moved)
    assert tasks_ahead(second.deals["a"], stayed) == {}


def test_new_partitions_touch_only_the_task_that_gets_them() -> None:
    first = assign(Assignment(), {"s": work(2, 3)}, [A, B], A)
    second = assign(first, {"s": work(2, 4)}, [A, B], A)
    changed = [n for n, task in second.deals["s"].tasks.items() if task != first.deals["s"].tasks[n]]
    assert len(changed) == 1


def test_partitions_that_change_hands_restart_all_tasks_of_the_connector() -> None:
    first = assign(Assignment(), {"s": work(2, 4)}, [A, B], A)
    fewer = replace(work(2, 4), partitions=({"p": 0}, {"p": 2}))
    second = assign(first, {"s": fewer}, [A, B], A)
    assert {task.epoch for task in second.deals["s"].tasks.values()} == {second.epoch}
    assert sorted(len(task.partitions) for task in second.deals["s"].tasks.values()) == [1, 1]


def test_the_tasks_of_one_connector_spread_over_workers() -> None:
    assignment = assign(Assignment(), {"a": work(3), "b": work(3)}, [A, B, C], A)
    for name in "ab":
        assert {task.worker for task in assignment.deals[name].tasks.values()} == {A, B, C}


def test_a_fingerprint_knows_no_order() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1"}) != fingerprint({"a": "2"})


@pytest.mark.parametrize("bad", [b"null", b"{}", b"7", b'{"epoch":1}'])
def test_what_is_no_assignment_says_so(bad: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Assignment.decode(bad)
