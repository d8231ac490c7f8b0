"""A pause: how strictly one venue, event, market or account takes commands."""

from typing import Final

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.pages import Page, Record

SCOPE_SHIFT: Final = 32


class Pause(Record):
    """The level of one scope; its number is `scope << 32 | subject`, and the venue's subject is 0.

    It is made by the first pause of its subject and stays. Orders with the flag CANCEL_ON_PAUSE and
    an id under the watermark are cancelled, whether or not the sweep has reached them.
    """

    def __init__(self, number: i64) -> None:
        """Make a pause that stops nothing and is on no page yet."""
        self.number: i64 = number
        self.level: i64 = 0
        self.watermark: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_i64_le(out, self.level)
        write_i64_le(out, self.watermark)


def pause_number(scope: i64, subject: i64) -> i64:
    """Return the number of a scope's pause of one subject."""
    return (scope << SCOPE_SHIFT) | subject
