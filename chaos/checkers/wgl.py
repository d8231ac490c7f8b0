"""Linearizability by search, for answers that do not name their place in the log.

Wing and Gong's search with Lowe's memory of configurations: some call that was invoked before every
other pending call returned goes next; a configuration (which calls went, the model's state) that
led nowhere is never tried again. Exponential at worst, so it is bounded: it gives up, and says so.
"""

from collections.abc import Hashable, Iterable
from enum import Enum
from typing import Final, NamedTuple

from chaos.checkers.finding import LINEARIZABLE, Findings
from chaos.checkers.model import Call, Model

MOST_STATES: Final = 1_000_000


class Answer(Enum):
    """What a search came to."""

    YES = "there is an order"
    NO = "there is no order"
    GAVE_UP = "gave up"


class Search(NamedTuple):
    """The outcome: `states` configurations were looked at; `stuck_at` could never go next."""

    answer: Answer
    states: int
    stuck_at: Call | None


def search(calls: Iterable[Call], model: Model, most_states: int = MOST_STATES) -> Search:
    """Look for an order of `calls` that respects real time and explains every answer."""
    return _Orders(list(calls), model).search(most_states)


def check_calls(
    calls: Iterable[Call], model: Model, findings: Findings, most_states: int = MOST_STATES
) -> None:
    """Add to `findings` that `calls` have no order, or that the search gave up: that is no pass."""
    listed = list(calls)
    outcome = search(listed, model, most_states)
    findings.saw("calls searched", len(listed))
    findings.saw("states searched", outcome.states)
    if outcome.answer is Answer.GAVE_UP:
        findings.add(LINEARIZABLE, f"gave up after {outcome.states} states: nothing is proven")
    elif outcome.answer is Answer.NO:
        findings.add(
            LINEARIZABLE,
            f"no order explains {len(listed)} calls: at best all up to {outcome.stuck_at}",
        )
    findings.expect("calls searched")


class _Configuration(NamedTuple):
    """How far a search is: calls that went, as bits, and the state that they led to."""

    ended: int
    unknown: int
    state: Hashable


class _Orders:
    """The search over one set of calls."""

    def __init__(self, calls: list[Call], model: Model) -> None:
        ordered = sorted(calls, key=lambda call: call.invoked_ns)
        self._ended: Final = [call for call in ordered if not call.is_unknown]
        self._unknown: Final = [call for call in ordered if call.is_unknown]
        self._model: Final = model

    def search(self, most_states: int) -> Search:
        """Go depth first; every configuration is entered once."""
        all_ended = (1 << len(self._ended)) - 1
        start = _Configuration(0, 0, self._model.initial())
        seen = {start}
        pending = [start]
        furthest = 0
        while pending:
            here = pending.pop()
            if here.ended == all_ended:
                return Search(Answer.YES, len(seen), None)
            furthest = max(furthest, _first_missing(here.ended))
            for following in self._next(here):
                if following not in seen:
                    if len(seen) >= most_states:
                        return Search(Answer.GAVE_UP, len(seen), None)
                    seen.add(following)
                    pending.append(following)
        if not self._ended:
            return Search(Answer.YES, len(seen), None)
        return Search(Answer.NO, len(seen), self._ended[furthest])

    def _next(self, here: _Configuration) -> list[_Configuration]:
        """Return the configurations after one more call; what ended first is tried first."""
        found: list[tuple[int, _Configuration]] = []
        earliest_return = None
        for number in range(_first_missing(here.ended), len(self._ended)):
            call = self._ended[number]
            if earliest_return is not None and call.invoked_ns > earliest_return:
                break
            if here.ended >> number & 1:
                continue
            if earliest_return is None or call.returned_ns < earliest_return:
                earliest_return = call.returned_ns
            state, answer = self._model.step(here.state, call.command)
            if answer == call.answer:
                gone = here.ended | 1 << number
                found.append((call.returned_ns, _Configuration(gone, here.unknown, state)))
        found.sort(key=lambda item: -item[0])  # The last one is taken first.
        return [*self._unknown_next(here, earliest_return), *(item[1] for item in found)]

    def _unknown_next(
        self, here: _Configuration, earliest_return: int | None
    ) -> Iterable[_Configuration]:
        for number, call in enumerate(self._unknown):
            if earliest_return is not None and call.invoked_ns > earliest_return:
                return
            if here.unknown >> number & 1:
                continue
            state, _ = self._model.step(here.state, call.command)
            if state != here.state:  # Without an effect it need not go at all.
                yield _Configuration(here.ended, here.unknown | 1 << number, state)


def _first_missing(bits: int) -> int:
    """Return the number of the lowest bit that is not set."""
    return (~bits & (bits + 1)).bit_length() - 1
