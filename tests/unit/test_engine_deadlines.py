"""Deadlines come in order of (time, rank), whatever was added and removed before."""

from hypothesis import given
from hypothesis import strategies as st

from node.engine.deadlines import Deadlines
from node.engine.timer import Timer

numbers = st.integers(0, 40)
steps = st.lists(st.tuples(numbers, st.integers(1, 9)), max_size=120)


@given(steps)
def test_the_first_is_the_least_of_what_is_held(steps: list[tuple[int, int]]) -> None:
    """A number seen again leaves if it is held, and comes back with another deadline if not."""
    deadlines = Deadlines()
    held: dict[int, Timer] = {}
    for number, due_ns in steps:
        if number in held:
            deadlines.remove(held.pop(number))
        else:
            held[number] = Timer(number, due_ns)
            deadlines.add(held[number])
        first = deadlines.first()
        expected = min(held.values(), key=lambda timer: (timer.due_ns, timer.number), default=None)
        assert first is expected
    while (first := deadlines.first()) is not None:
        deadlines.remove(first)
        assert all((first.due_ns, first.rank) <= (t.due_ns, t.rank) for t in held.values())
        del held[first.rank]
    assert not held


def test_one_that_is_not_held_may_be_removed() -> None:
    """Removing twice changes nothing."""
    deadlines, timer = Deadlines(), Timer(1, 5)
    deadlines.remove(timer)
    deadlines.add(timer)
    deadlines.remove(timer)
    deadlines.remove(timer)
    assert deadlines.first() is None
