"""A timer: something of the venue's that happens at a time of the log."""

from typing import Final

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.deadlines import Due
from node.engine.pages import Page

OPENING: Final = 10
"""A market opens."""
CLOSING: Final = 11
"""A market closes."""
FINALITY: Final = 12
"""Nobody has disputed what is proposed for a market."""

SUBJECT_BITS: Final = 32
REOPEN: Final = 5
"""Open a market that has paused because its price moved too far."""

CALLING: Final = 6
"""The call phase of a market begins."""

SUBJECT_MASK: Final = (1 << SUBJECT_BITS) - 1

DEADLINE: Final = 20
"""The client of an account has not said in time that it is there."""


class Timer(Due):
    """One deadline of one subject; its number is `kind << 32 | subject`, so each has one a kind."""

    def __init__(self, number: i64, due_ns: i64) -> None:
        """Make a timer that is on no page yet."""
        super().__init__(number)
        self.number: i64 = number
        self.due_ns = due_ns
        self.page: Page | None = None

    @property
    def kind(self) -> i64:
        """Return what happens."""
        return self.number >> SUBJECT_BITS

    @property
    def subject(self) -> i64:
        """Return to which market, account or other numbered thing it happens."""
        return self.number & SUBJECT_MASK

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_i64_le(out, self.due_ns)
