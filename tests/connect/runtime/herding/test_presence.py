"""Presence: who counts as alive, and when patience is right."""

from __future__ import annotations

from connect.runtime.herding.presence import GRACE_SECONDS, SETTLE_SECONDS, Presence
from connect.service.membership import Members

A, B = "http://a:1", "http://b:1"


def test_a_dead_worker_is_taken_for_dead_at_once() -> None:
    presence = Presence(A)
    presence.update(Members(True, A, (A, B), 4), 0.0)
    presence.update(Members(True, A, (A,), 5), 100.0)
    assert presence.workers((A, B), 100.0) == {A}


def test_a_new_leader_does_not_wait_for_the_dead_one() -> None:
    presence = Presence(B)
    presence.update(Members(False, A, (A, B), 4), 0.0)
    presence.update(Members(True, B, (B,), 5), 100.0)
    assert presence.workers((A, B), 100.0) == {B}


def test_a_group_that_begins_anew_is_given_time_to_gather() -> None:
    presence = Presence(A)
    presence.update(Members(True, A, (A, B), 4), 0.0)
    presence.update(Members(True, A, (A,), 1), 100.0)
    assert presence.workers((A, B), 100.0) == {A, B}
    assert presence.next_deadline(100.0) == 100.0 + SETTLE_SECONDS
    assert presence.workers((A, B), 100.0 + SETTLE_SECONDS) == {A}


def test_a_worker_that_lost_the_group_stops_after_a_moment() -> None:
    presence = Presence(A)
    assert not presence.takes_part(0.0)
    presence.update(Members(False, B, (A, B), 4), 0.0)
    presence.update(Members(False, None, (), -1), 100.0)
    assert presence.takes_part(100.0)
    assert not presence.takes_part(100.0 + GRACE_SECONDS)
    presence.update(Members(False, B, (A, B), 6), 110.0)
    assert presence.takes_part(110.0)
