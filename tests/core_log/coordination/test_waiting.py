from core_log.coordination.waiting import Waiting


def parked(waiting, keys, deadline_ms, enough=3):
    """Answers at its ``enough``-th wake-up; returns what happened to it."""
    happened = []

    def retry(expired):
        happened.append("expired" if expired else "woken")
        return expired or happened.count("woken") == enough

    waiting.park(keys, deadline_ms, retry)
    return happened


def test_wakes_until_it_has_answered():
    waiting = Waiting()
    happened = parked(waiting, ["a", "b"], 100, enough=2)
    waiting.wake("c")
    waiting.wake("a")
    assert happened == ["woken"]
    waiting.wake("b")
    waiting.wake("a")
    waiting.tick(1_000)
    assert happened == ["woken", "woken"]
    assert len(waiting) == 0


def test_expires_once_and_in_order():
    waiting = Waiting()
    late, soon = parked(waiting, ["a"], 200), parked(waiting, ["a"], 100)
    assert waiting.next_deadline_ms() == 100
    waiting.tick(99)
    assert (soon, late) == ([], [])
    waiting.tick(100)
    waiting.tick(150)
    assert (soon, late) == (["expired"], [])
    assert waiting.next_deadline_ms() == 200


def test_a_cancelled_one_hears_nothing():
    waiting = Waiting()
    happened = []
    one = waiting.park(["a"], 100, lambda expired: happened.append(expired) or True)
    one.cancel()
    one.cancel()
    waiting.wake("a")
    waiting.tick(1_000)
    assert happened == []
    assert one.done
    assert waiting.next_deadline_ms() is None


def test_one_may_park_again_and_cancel_others_while_it_is_woken():
    waiting = Waiting()
    happened = []
    other = None

    def retry(expired):
        happened.append("first")
        other.cancel()
        waiting.park(["a"], 500, lambda expired: happened.append("again") or True)
        return True

    waiting.park(["a"], 100, retry)
    other = waiting.park(["a"], 100, lambda expired: happened.append("other") or True)
    waiting.wake("a")
    assert happened == ["first"]
    waiting.wake("a")
    assert happened == ["first", "again"]


def test_many_that_were_answered_leave_no_trace():
    waiting = Waiting()
    for number in range(1_000):
        waiting.park([number], 10_000, lambda expired: True)
        waiting.wake(number)
    assert len(waiting) == 0
    assert len(waiting._deadlines) < 200
    assert waiting._by_key == {}
