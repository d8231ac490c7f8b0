"""A sweep: a mass effect that is worked off a few thousand items a group."""

from typing import Final

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.fields import write_pair
from node.engine.pages import Page, Record

CANCEL_ACCOUNT: Final = 1
"""Cancel the account's orders under its watermarks; the cursor counts positions yet to visit."""
CANCEL_POSITION: Final = 2
"""Cancel the account's orders in the market under the position's watermarks."""
CLOSE_MARKET: Final = 3
"""Cancel all orders of the market."""
REDEEM_MARKET: Final = 4
"""Pay out the positions of the market, and forget them."""
CLOSE_GROUP: Final = 6
"""Close what is over of an account's group of orders, whose number stands in place of a market."""
REGRID_MARKET: Final = 7
"""Cancel the orders off the market's grid; the cursor is the last price that was looked at."""
UNCROSS_MARKET: Final = 8
"""Let orders of a called market trade; the cursor is their price, 0 before there is one."""
DOOM_ACCOUNT: Final = 11
"""Close the account's doomed orders; the cursor counts positions yet to visit."""
DOOM_KEY: Final = 12
"""Close the doomed orders of a key, which stands where others have an account."""
STOP_MARKET: Final = 13
"""Close all orders of a stopped market."""
STOP_VENUE: Final = 14
"""Close all orders of the stopped venue; the cursor is the last market done."""

CANCEL_PAUSED: Final = 9
"""Cancel the orders that go with a pause; `account` is its scope, `market` its subject."""


class Sweep(Record):
    """What is to be swept, and how far it has come."""

    def __init__(self, number: i64, kind: i64, account: i64, market: i64) -> None:
        """Make a sweep that has not begun; account or market is 0 where the kind has none."""
        self.number: i64 = number
        self.kind: i64 = kind
        self.account: i64 = account
        self.market: i64 = market
        self.cursor: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_pair(out, self.kind, self.account)
        write_i64_le(out, self.market)
        write_i64_le(out, self.cursor)
