"""Reading the venue for answers to queries: canonical records and depth, as bytes.

Nothing here changes anything.
"""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.terms import ASK, BID
from node.engine.fields import write_pair
from node.engine.market import Market
from node.engine.order_book import NO_ASK, NO_BID
from node.engine.pages import Record


def record_bytes(record: Record) -> bytes:
    """Return a record's canonical bytes."""
    out = BytesWriter()
    record.encode(out)
    return out.getvalue()


def depth_bytes(market: Market, levels: i64) -> bytes:
    """Return up to `levels` levels a side: bids from the best down, then asks from the best up."""
    out = BytesWriter()
    book = market.book
    price = book.best_bid
    left = levels
    while price != NO_BID and left > 0:
        level = book.level(price)
        assert level is not None
        write_pair(out, price, BID)
        write_i64_le(out, level.lots)
        price = book.occupied_below(price)
        left -= 1
    price = book.best_ask
    left = levels
    while price != NO_ASK and left > 0:
        level = book.level(price)
        assert level is not None
        write_pair(out, price, ASK)
        write_i64_le(out, level.lots)
        price = book.occupied_above(price)
        left -= 1
    return out.getvalue()
