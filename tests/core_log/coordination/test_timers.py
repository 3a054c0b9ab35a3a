from hypothesis import given
from hypothesis import strategies as st

from core_log.coordination.timers import Timers

steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["set", "cancel", "tick"]), st.integers(0, 30)), max_size=60)


@given(steps)
def test_timers_fire_when_they_are_due_as_last_set(moves):
    timers, due, fired, now = Timers(), {}, [], 0
    for name, move, amount in moves:
        if move == "set":
            due[name] = now + amount
            timers.set(name, now + amount, lambda at, name=name: fired.append(name))
        elif move == "cancel":
            due.pop(name, None)
            timers.cancel(name)
        else:
            now += amount
            timers.tick(now)
            expected = {one for one, at in due.items() if at <= now}
            assert sorted(fired) == sorted(expected)
            fired.clear()
            due = {one: at for one, at in due.items() if at > now}
        assert timers.next_deadline_ms() == min(due.values(), default=None)
        assert {one for one in "abc" if one in timers} == set(due)
