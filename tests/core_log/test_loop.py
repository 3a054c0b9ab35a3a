"""The loop and its other threads: what is posted runs soon, and wakes nobody who is awake."""

from __future__ import annotations

import os
import threading
import time

import pytest

from core_log.loop import Loop


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    write = os.eventfd_write
    monkeypatch.setattr(os, "eventfd_write", lambda fd, value: (seen.append(value), write(fd, value)))
    return seen


def test_what_is_posted_wakes_a_loop_that_sleeps(wakes: list[int]) -> None:
    loop = Loop()
    ran: list[float] = []
    threading.Timer(0.1, lambda: loop.post(lambda: ran.append(time.monotonic()))).start()
    began = time.monotonic()
    loop.turn(10)
    assert ran
    assert 0.09 < ran[0] - began < 5
    assert len(wakes) == 1


def test_what_is_posted_while_the_loop_works_runs_at_once_and_without_a_wake_up(wakes: list[int]) -> None:
    loop = Loop()
    ran: list[int] = []
    loop.post(lambda: loop.post(lambda: ran.append(2)))
    loop.post(lambda: ran.append(1))
    began = time.monotonic()
    loop.turn(10)
    assert ran == [1, 2]
    assert time.monotonic() - began < 5
    assert not wakes


def test_nothing_that_is_posted_is_left_lying() -> None:
    """Many threads against a loop that falls asleep all the time: a lost wake-up would leave a call for the next timeout."""
    loop = Loop()
    ran: list[int] = []

    def worker() -> None:
        for number in range(2_000):
            before = len(ran)
            loop.post(lambda number=number: ran.append(number))
            while len(ran) == before:
                time.sleep(0)

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while len(ran) < 6_000:
        began = time.monotonic()
        loop.turn(20)
        slowest = max(slowest, time.monotonic() - began)
    for thread in threads:
        thread.join()
    assert slowest < 10
