"""What a person reads of a log that goes away: driven by hand, without a log and without time passing."""

from __future__ import annotations

import threading
import time

import pytest

from connect.service.log_watch import LogWatch

REFUSED = "Connect to ipv4#10.0.0.1:9092 failed: Connection refused"


class Brokers:
    """``up`` is whether they answer."""

    def __init__(self) -> None:
        self.up = True
        self.now = 0.0
        self.asked = threading.Semaphore(0)

    def answer(self) -> bool:
        self.asked.release()
        return self.up

    def wait_until_asked(self) -> None:
        assert self.asked.acquire(timeout=5)


@pytest.fixture
def brokers():
    return Brokers()


@pytest.fixture
def watch(brokers, caplog):
    caplog.set_level("INFO")
    watch = LogWatch("b1:9092", brokers.answer, lambda: brokers.now, pause_seconds=0.001)
    watch.start()
    yield watch
    watch.stop()


def wait_for_line(caplog, text):
    deadline = time.monotonic() + 5
    while not any(text in message for message in caplog.messages):
        assert time.monotonic() < deadline, caplog.messages
        time.sleep(0.002)


def test_a_log_that_goes_away_is_one_line_and_its_return_another(brokers, watch, caplog):
    brokers.up = False
    for _ in range(1000):
        watch.hear(REFUSED)
    wait_for_line(caplog, "does not answer")
    brokers.now = 9.5
    brokers.up = True
    wait_for_line(caplog, "answers again")
    brokers.wait_until_asked()
    assert caplog.messages == [
        f"The log at b1:9092 does not answer ({REFUSED}); trying again.",
        "The log at b1:9092 answers again, after 9.5 s.",
    ]


def test_it_is_said_again_when_the_log_goes_away_again(brokers, watch, caplog):
    for _ in range(2):
        caplog.clear()
        brokers.up = False
        watch.hear(REFUSED)
        wait_for_line(caplog, "does not answer")
        brokers.up = True
        wait_for_line(caplog, "answers again")


def hear_at(brokers, watch, seconds):
    brokers.now = seconds
    watch.hear(REFUSED)
    brokers.wait_until_asked()


def test_one_client_without_a_connection_is_said_once_it_lasts(brokers, watch, caplog):
    hear_at(brokers, watch, 0)
    hear_at(brokers, watch, 4)
    hear_at(brokers, watch, 8)
    hear_at(brokers, watch, 9)
    wait_for_line(caplog, "not to every client")
    hear_at(brokers, watch, 300)
    hear_at(brokers, watch, 301)
    watch.stop()
    assert caplog.messages == [f"The log at b1:9092 answers, but not to every client: {REFUSED}. Trying again."]


def test_a_hitch_now_and_then_is_not_worth_a_line(brokers, watch, caplog):
    for seconds in (0, 200, 400, 600):
        hear_at(brokers, watch, seconds)
    watch.stop()
    assert caplog.messages == []


def test_a_watch_stops_while_the_log_is_away(brokers, watch, caplog):
    brokers.up = False
    watch.hear(REFUSED)
    wait_for_line(caplog, "does not answer")
    begun = time.monotonic()
    watch.stop()
    assert time.monotonic() - begun < 1
