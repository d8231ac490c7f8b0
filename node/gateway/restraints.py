"""What keeps commands out of the venue: the pauses and stops that are on, by number.

A number is `scope << 32 | subject`, as in their records. Each account and key may have one: a walk
over all of them is cut into steps, whether or not it finds any.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, Protocol, TypeVar

from node.domain.terms import PauseScope, Scope
from node.engine.pages import Record
from node.engine.pause import SCOPE_SHIFT, Pause
from node.engine.state import State
from node.engine.stop import Stop

SUBJECTS_A_STEP: Final = 5_000
"""Looked at for one answer: some tenths of a millisecond."""
_SUBJECT_MASK: Final = (1 << SCOPE_SHIFT) - 1


class _Paused(Protocol):
    pause: Pause | None


class _Stopped(Protocol):
    stop: Stop | None


_Subject = TypeVar("_Subject")


def pauses_after(state: State, cursor: int, most: int) -> tuple[list[Record], int]:
    """Return up to `most` pauses that are on and have numbers above `cursor`.

    And the cursor behind what was looked at, 0 at the end.
    """
    venue = state.venue_pause
    subjects = chain(
        [(venue.number, venue if venue.level else None)] if cursor < venue.number else [],
        _walk(PauseScope.EVENT, state.events, _pause_of, cursor),
        _walk(PauseScope.MARKET, state.markets, _pause_of, cursor),
        _walk(PauseScope.ACCOUNT, state.accounts, _pause_of, cursor),
    )
    return _step(subjects, most)


def stops_after(state: State, cursor: int, most: int) -> tuple[list[Record], int]:
    """Return up to `most` stops that are on and have numbers above `cursor`.

    And the cursor behind what was looked at, 0 at the end.
    """
    venue = Scope.VENUE << SCOPE_SHIFT
    subjects = chain(
        _walk(Scope.KEY, state.keys, _stop_of, cursor),
        _walk(Scope.ACCOUNT, state.accounts, _stop_of, cursor),
        _walk(Scope.MARKET, state.markets, _stop_of, cursor),
        [(venue, state.venue_stop)] if cursor < venue else [],
    )
    return _step(subjects, most)


def _pause_of(subject: _Paused) -> Record | None:
    pause = subject.pause
    return pause if pause is not None and pause.level else None


def _stop_of(subject: _Stopped) -> Record | None:
    return subject.stop


def _walk(
    scope: int,
    listed: Sequence[_Subject | None],
    restraint: Callable[[_Subject], Record | None],
    cursor: int,
) -> Iterator[tuple[int, Record | None]]:
    """Yield the number of each subject of a scope behind `cursor`, and what restrains it."""
    base = scope << SCOPE_SHIFT
    first = 1 if cursor < base else (cursor & _SUBJECT_MASK) + 1
    if cursor > base | _SUBJECT_MASK:
        return
    for number in range(first, len(listed)):
        subject = listed[number]
        if subject is not None:
            yield base | number, restraint(subject)


def _step(subjects: Iterator[tuple[int, Record | None]], most: int) -> tuple[list[Record], int]:
    found: list[Record] = []
    last = 0
    for number, record in islice(subjects, SUBJECTS_A_STEP):
        last = number
        if record is not None:
            found.append(record)
        if len(found) == most:
            break
    return found, last if next(subjects, None) is not None else 0
