"""The search for an order: right where greed is wrong, and honest when it gives up."""

import random
from collections.abc import Hashable
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from chaos.checkers.balance_model import Balance, Credit, Debit, ReadBalance
from chaos.checkers.finding import LINEARIZABLE, LOOKED, Findings
from chaos.checkers.model import Call, Model
from chaos.checkers.register_model import CompareAndSet, ReadValue, Register, Write
from chaos.checkers.wgl import Answer, check_calls, search


def write(value: int, invoked: int, returned: int = -1) -> Call:
    """Return a write that answered, or (without an end) may have happened."""
    return Call(1, Write(value), None, invoked, returned)


def read(value: Hashable, invoked: int, returned: int) -> Call:
    """Return a read of `value`."""
    return Call(2, ReadValue(), value, invoked, returned)


def greedy_by_return(calls: list[Call], model: Model) -> bool:
    """Return what a naive checker says: the order of the ends explains the answers."""
    state = model.initial()
    for call in sorted(calls, key=lambda call: call.returned_ns):
        state, answer = model.step(state, call.command)
        if answer != call.answer:
            return False
    return True


def exists_by_trying(calls: list[Call], model: Model) -> bool:
    """Return whether some order of some choice of the unknown calls explains the answers."""
    unknown = [call for call in calls if call.is_unknown]
    for mask in range(1 << len(unknown)):
        chosen = [call for call in calls if not call.is_unknown]
        chosen += [call for place, call in enumerate(unknown) if mask >> place & 1]
        if any(explains(list(order), model) for order in permutations(chosen)):
            return True
    return False


def explains(order: list[Call], model: Model) -> bool:
    """Return whether this very order respects real time and explains the answers."""
    state = model.initial()
    for place, call in enumerate(order):
        for later in order[place + 1 :]:
            if not later.is_unknown and later.returned_ns < call.invoked_ns:
                return False
        state, answer = model.step(state, call.command)
        if not call.is_unknown and answer != call.answer:
            return False
    return True


def test_an_order_is_found_where_greed_fails() -> None:
    """Two overlapping writes took effect against the order of their ends: only a search sees it."""
    calls = [write(1, 0, 10), write(2, 0, 20), read(2, 11, 12), read(1, 21, 22)]
    reordered = [write(1, 0, 20), write(2, 0, 10), read(1, 21, 22), read(1, 30, 31)]
    crossed = [write(1, 0, 30), write(2, 0, 30), read(2, 1, 10), read(1, 11, 20)]

    assert search(calls, Register()).answer is Answer.NO  # 2 was seen, 1 had ended before.
    assert search(reordered, Register()).answer is Answer.YES
    assert search(crossed, Register()).answer is Answer.YES
    assert not greedy_by_return(crossed, Register())


def test_a_stale_read_has_no_order() -> None:
    """A read that began after a write had ended cannot return what was before it."""
    findings = Findings()
    check_calls([write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], Register(), findings)

    assert findings.found == {LINEARIZABLE: 1}
    assert "at best all up to Call(client=2" in findings.examples[0].what


def test_an_unknown_write_may_take_effect_late_or_never() -> None:
    """Both are orders; that it took effect before it was asked for is none."""
    unknown = write(7, 5)

    assert search([unknown, read(None, 10, 11)], Register()).answer is Answer.YES
    assert search([unknown, read(None, 10, 11), read(7, 99, 100)], Register()).answer is Answer.YES
    assert search([unknown, read(7, 1, 2)], Register()).answer is Answer.NO


def test_an_unknown_call_that_took_effect_twice_has_no_order() -> None:
    """One credit of unknown outcome explains one credit, never two."""
    unknown = Call(1, Credit(5), True, 0)

    def balance(amount: int) -> list[Call]:
        return [unknown, Call(2, ReadBalance(), amount, 10, 11)]

    assert search(balance(0), Balance()).answer is Answer.YES
    assert search(balance(5), Balance()).answer is Answer.YES
    assert search(balance(10), Balance()).answer is Answer.NO


def test_a_balance_is_never_spent_twice() -> None:
    """Two debits that both succeeded on money for one have no order."""
    debits = [Call(client, Debit(8), True, 0, 10) for client in (1, 2)]
    refused = [debits[0], Call(2, Debit(8), False, 0, 10)]

    assert search(debits, Balance(10)).answer is Answer.NO
    assert search(refused, Balance(10)).answer is Answer.YES


def test_compare_and_set_orders_what_writes_leave_open() -> None:
    """Each answer of a compare-and-set says what was there just before."""
    swaps = [
        Call(1, CompareAndSet(None, 1), True, 0, 100),
        Call(2, CompareAndSet(1, 2), True, 0, 100),
        Call(3, CompareAndSet(1, 3), False, 0, 100),
    ]

    assert search(swaps, Register()).answer is Answer.YES
    assert search([*swaps, read(3, 101, 102)], Register()).answer is Answer.NO


def test_a_search_that_gives_up_does_not_pass() -> None:
    """Beyond its bound it says so, with the number of states, and that is a finding."""
    calls = [write(value, 0, 1_000) for value in range(14)] + [read(99, 1_001, 1_002)]
    findings = Findings()

    check_calls(calls, Register(), findings, most_states=500)

    assert findings.found == {LINEARIZABLE: 1}
    assert "gave up after 500 states" in findings.examples[0].what
    assert findings.counts["states searched"] == 500


def test_configurations_are_remembered() -> None:
    """Twelve overlapping equal writes are 12! orders and at most 2^12 configurations."""
    calls = [write(1, 0, 1_000) for _ in range(12)] + [read(2, 1_001, 1_002)]

    outcome = search(calls, Register(), most_states=5_000)

    assert outcome.answer is Answer.NO
    assert outcome.states <= 1 << 12


def test_a_long_history_of_few_clients_is_searched_without_haste() -> None:
    """Ten thousand calls of three clients take about as many states."""
    rng = random.Random(5)
    calls, state = [], None
    for at in range(10_000):
        if rng.random() < 0.5:
            state = at
            calls.append(write(at, 10 * at, 10 * at + 3 + rng.randrange(6)))
        else:
            calls.append(read(state, 10 * at, 10 * at + 3 + rng.randrange(6)))

    outcome = search(calls, Register(), most_states=30_000)

    assert outcome.answer is Answer.YES
    assert outcome.states <= 10_001


def test_no_calls_are_a_finding() -> None:
    """A search over nothing is told from one that found an order."""
    findings = Findings()
    check_calls([], Register(), findings)

    assert findings.found == {LOOKED: 1}


times = st.tuples(st.integers(0, 12), st.integers(0, 6)).map(lambda at: (at[0], at[0] + at[1]))
register_calls = st.one_of(
    st.builds(lambda value, at: write(value, *at), st.integers(1, 3), times),
    st.builds(lambda value, at: write(value, at[0]), st.integers(1, 3), times),
    st.builds(lambda value, at: read(value, *at), st.one_of(st.none(), st.integers(1, 3)), times),
    st.builds(
        lambda old, new, done, at: Call(1, CompareAndSet(old, new), done, *at),
        st.integers(1, 3),
        st.integers(1, 3),
        st.booleans(),
        times,
    ),
)


@given(calls=st.lists(register_calls, max_size=5))
def test_the_search_agrees_with_trying_every_order(calls: list[Call]) -> None:
    """On small histories the answer is that of the definition itself."""
    expected = Answer.YES if exists_by_trying(calls, Register()) else Answer.NO

    assert search(calls, Register()).answer is expected
