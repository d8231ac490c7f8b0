"""The book's bitmap finds what a search of all prices finds."""

from hypothesis import given
from hypothesis import strategies as st

from node.domain.terms import BUY_NO, BUY_YES, GTC, NET
from node.engine.account import Account
from node.engine.book_side import BookSide, highest_bit, lowest_bit
from node.engine.fee_schedule import no_fees
from node.engine.market import Event, Market
from node.engine.market_rules import MarketRules
from node.engine.order import Order
from node.engine.order_book import OrderBook
from node.engine.position import Position

# Prices where pages of 50 and words of 50 pages meet, besides any other.
edges = st.sampled_from([at + d for at in (50, 2_500, 5_000, 7_500, 9_950) for d in (-1, 0, 1)])
prices = st.one_of(edges, st.integers(1, 9_999), st.sampled_from((1, 2, 49, 9_998, 9_999)))


def position() -> Position:
    """Return somebody's position in some market."""
    account = Account(1, NET, bytes(20))
    rules = MarketRules(1, no_fees())
    return Position(1, account, Market(1, Event(1, 0, bytes(64)), 1, rules, bytes(64)))


def order_at(number: int, price: int, owner: Position, *, bids: bool) -> Order:
    """Return an order that rests at a YES price."""
    if bids:
        return Order(number, number, owner.account, owner, BUY_YES, GTC, price, 1)
    return Order(number, number, owner.account, owner, BUY_NO, GTC, 10_000 - price, 1)


@given(
    middle=st.one_of(st.none(), prices),
    steps=st.lists(
        st.tuples(prices, st.booleans(), st.integers(0, 30), st.booleans()), max_size=120
    ),
    probes=st.lists(prices, max_size=10),
)
def test_the_best_and_the_next_prices_are_those_that_a_search_finds(
    middle: int | None, steps: list[tuple[int, bool, int, bool]], probes: list[int]
) -> None:
    """After any rests and removals, at every price; each level is a queue by arrival.

    On both sides of a middle, or anywhere as in a call auction.
    """
    book, owner = OrderBook(), position()
    resting: list[Order] = []
    for number, (price, rests, pick, bids_here) in enumerate(steps, start=1):
        if rests or not resting:
            is_bid = bids_here if middle is None else price < middle
            resting.append(order_at(number, price, owner, bids=is_bid))
            book.rest(resting[-1])
        else:
            book.remove(resting.pop(pick % len(resting)))
        bids = [order.book_price for order in resting if order.is_bid]
        asks = [order.book_price for order in resting if not order.is_bid]
        assert book.bids.best == max(bids, default=0)
        assert book.asks.best == min(asks, default=10_000)
        assert book.is_crossed == (bool(bids and asks) and max(bids) >= min(asks))
    for side in (book.bids, book.asks):
        mine = [order for order in resting if order.is_bid == side.is_bid]
        occupied = sorted({order.book_price for order in mine})
        for probe in (*probes, *occupied):
            below = max((price for price in occupied if price < probe), default=0)
            above = min((price for price in occupied if price > probe), default=10_000)
            assert (side.occupied_below(probe), side.occupied_above(probe)) == (below, above)
            assert side.worse(probe) == (below if side.is_bid else above)
            check_queue(side, probe, [order.id for order in mine if order.book_price == probe])


def check_queue(side: BookSide, price: int, ids: list[int]) -> None:
    """Check that a level holds these orders in this order, and their lots."""
    level = side.level(price)
    if level is None:
        assert ids == []
        return
    queue = []
    order = level.head
    while order is not None:
        queue.append(order.id)
        order = order.behind
    assert queue == ids
    assert level.lots == len(ids)


@given(mask=st.integers(1, 2**62 - 1))
def test_bits_are_found_by_halving(mask: int) -> None:
    """The highest and the lowest bit of any positive mask."""
    assert highest_bit(mask) == mask.bit_length() - 1
    assert lowest_bit(mask) == (mask & -mask).bit_length() - 1
