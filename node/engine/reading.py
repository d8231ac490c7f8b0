"""Reading the venue for answers to queries: canonical records and depth, as bytes.

Nothing here changes anything.
"""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.terms import ASK, BID
from node.engine.book_side import NO_ASK, NO_BID, BookSide
from node.engine.clearing import clear
from node.engine.fields import write_pair
from node.engine.market import Market
from node.engine.pages import Record


def record_bytes(record: Record) -> bytes:
    """Return a record's canonical bytes."""
    out = BytesWriter()
    record.encode(out)
    return out.getvalue()


def depth_bytes(market: Market, levels: i64) -> bytes:
    """Return up to `levels` levels a side: bids from the best down, then asks from the best up."""
    out = BytesWriter()
    write_levels(out, market.book.bids, BID, levels)
    write_levels(out, market.book.asks, ASK, levels)
    return out.getvalue()


def clearing_bytes(market: Market) -> bytes:
    """Return the record of where a market would clear, nothing when no bid meets an ask."""
    found = clear(market)
    if found is None:
        return b""
    out = BytesWriter()
    write_i64_le(out, found.price)
    write_i64_le(out, found.lots)
    write_i64_le(out, found.surplus)
    return out.getvalue()


def write_levels(out: BytesWriter, side: BookSide, name: i64, levels: i64) -> None:
    """Write up to `levels` levels of one side, from the best price on."""
    price = side.best
    while price != NO_BID and price != NO_ASK and levels > 0:
        level = side.level(price)
        assert level is not None
        write_pair(out, price, name)
        write_i64_le(out, level.lots)
        price = side.worse(price)
        levels -= 1
