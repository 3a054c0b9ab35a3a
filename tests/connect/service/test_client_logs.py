from __future__ import annotations

import logging

import pytest

from connect.service import client_logs
from connect.service.client_logs import reason_of

REFUSED = "[thrd:b1:9092/1]: b1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"


WITH_COUNT = (
    "[thrd:GroupCoordinator]: GroupCoordinator: b1:9092: Connect to ipv4#10.0.0.1:9092 failed: Connection refused "
    "(after 1ms in state CONNECT, 30 identical error(s) suppressed)"
)
UNRESOLVED = (
    "[thrd:nowhere:9092/bootstrap]: nowhere:9092/bootstrap: Failed to resolve 'nowhere:9092': Name or service not known "
    "(after 12ms in state CONNECT)"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (REFUSED, "Connect to ipv4#10.0.0.1:9092 failed: Connection refused"),
        (WITH_COUNT, "Connect to ipv4#10.0.0.1:9092 failed: Connection refused"),
        (UNRESOLVED, "Failed to resolve 'nowhere:9092': Name or service not known"),
        ("something else", "something else"),
    ],
)
def test_a_reason_is_the_same_for_all_clients(text, reason):
    assert reason_of(text) == reason


@pytest.fixture
def heard(monkeypatch):
    heard = []
    monkeypatch.setattr(client_logs.complaints, "listener", heard.append)
    return heard


def test_a_connection_that_fails_is_told_and_not_logged(heard, caplog):
    with caplog.at_level("INFO"):
        client_logs.logger.error("%s [%s] %s", "FAIL", "test#consumer-1", REFUSED)
    assert heard == ["Connect to ipv4#10.0.0.1:9092 failed: Connection refused"]
    assert caplog.records == []


def test_who_asks_for_debug_lines_gets_them(heard, caplog):
    with caplog.at_level("DEBUG", logger="librdkafka"):
        client_logs.logger.error("%s [%s] %s", "FAIL", "test#consumer-1", REFUSED)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", f"FAIL [test#consumer-1] {REFUSED}")
    ]


def test_a_connection_closed_in_order_is_no_complaint(heard):
    client_logs.logger.info("%s [%s] %s", "FAIL", "test#consumer-1", "[thrd:b1:9092/1]: b1:9092/1: Disconnected")
    assert heard == []


def test_everything_else_is_logged_as_it_is(heard, caplog):
    client_logs.logger.warning("%s [%s] %s", "MAXPOLL", "test#consumer-1", "Application maximum poll interval exceeded")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert heard == []
