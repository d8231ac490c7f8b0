"""What a query is to be answered as of one log index: the records of a replayed venue."""

from collections.abc import Callable
from typing import Final

from node.engine.reading import record_bytes
from node.engine.venue import Venue
from node.protocol.messages import Subject


def _account(venue: Venue, number: int) -> bytes:
    found = venue.account(number)
    return b"" if found is None else record_bytes(found)


def _market(venue: Venue, number: int) -> bytes:
    found = venue.market(number)
    return b"" if found is None else record_bytes(found)


def _treasury(venue: Venue, _: int) -> bytes:
    return record_bytes(venue.state.treasury)


_ANSWERS: Final[dict[int, Callable[[Venue, int], bytes]]] = {
    Subject.ACCOUNT: _account,
    Subject.MARKET: _market,
    Subject.TREASURY: _treasury,
}
ANSWERABLE: Final = frozenset(_ANSWERS)
"""Subjects of one record, of which `answer_of` knows the answer."""


def answer_of(venue: Venue, subject: int, number: int) -> bytes:
    """Return the record of an ANSWERABLE subject as `venue` is now; b"" when there is none."""
    return _ANSWERS[subject](venue, number)
