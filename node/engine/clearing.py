"""The price at which a crossed book clears: where most is exchanged and least is left over."""

from mypy_extensions import i64

from node.engine.book_side import BookSide
from node.engine.market import Market


class Clearing:
    """What would be exchanged at one price, by the depth of the book."""

    def __init__(self, price: i64, lots: i64, surplus: i64, steps: i64) -> None:
        """Make the outcome of a call; `surplus` is what bids want in excess, asks if under 0."""
        self.price: i64 = price
        self.lots: i64 = lots
        self.surplus: i64 = surplus
        # How many levels were looked at to find it, at most.
        self.steps: i64 = steps


def clear(market: Market) -> Clearing | None:
    """Return where a market clears, or None when nobody bids what somebody asks.

    Of all prices on its ticks, and those at which orders stand: the one with the largest volume; of
    these, those with the least surplus; of these the highest when bids are left over, the lowest
    when asks are, and else the middle, down to the tick.
    """
    bids = market.book.bids
    asks = market.book.asks
    if not market.book.is_crossed:
        return None
    price = asks.best
    highest = bids.best
    tick = market.tick
    search = Search()
    demand = lots_from_best(bids, price)
    supply: i64 = 0
    levels: i64 = 0
    while price <= highest:
        levels += 1
        supply += lots_at(asks, price)
        search.consider(price, demand, supply)
        demand -= lots_at(bids, price)
        following = min(bids.occupied_above(price), asks.occupied_above(price))
        # All prices between two at which orders stand are as good as each other.
        above = price - price % tick + tick
        below = following - 1 - (following - 1) % tick
        if above <= below:
            search.consider(above, demand, supply)
            search.consider(below, demand, supply)
        price = following
    price = search.price(tick)
    demand = lots_from_best(bids, price)
    supply = lots_from_best(asks, price)
    # Each of the walks passes at most the levels between the best bid and the best ask.
    return Clearing(price, min(demand, supply), demand - supply, 4 * levels)


class Search:
    """The best prices so far: the lowest and the highest of those that are as good."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self.lots: i64 = 0
        self.excess: i64 = 0
        self.lowest: i64 = 0
        self.lowest_surplus: i64 = 0
        self.highest: i64 = 0
        self.highest_surplus: i64 = 0

    def consider(self, price: i64, demand: i64, supply: i64) -> None:
        """Look at a price over all before it: what bids want there, and what asks offer."""
        lots = min(demand, supply)
        surplus = demand - supply
        excess = max(surplus, -surplus)
        if lots < self.lots or (lots == self.lots and excess > self.excess):
            return
        if lots > self.lots or excess < self.excess:
            self.lots = lots
            self.excess = excess
            self.lowest = price
            self.lowest_surplus = surplus
        self.highest = price
        self.highest_surplus = surplus

    def price(self, tick: i64) -> i64:
        """Return the best of the best; as prices rise, bids want less and asks offer more."""
        if self.highest_surplus > 0:
            return self.highest
        if self.lowest_surplus < 0:
            return self.lowest
        middle = (self.lowest + self.highest) // 2
        return max(self.lowest, middle - middle % tick)


def lots_from_best(side: BookSide, price: i64) -> i64:
    """Return how many lots one side would trade at `price` or better for the others."""
    lots: i64 = 0
    at = side.best
    while at >= price if side.is_bid else at <= price:
        lots += lots_at(side, at)
        at = side.worse(at)
    return lots


def lots_at(side: BookSide, price: i64) -> i64:
    """Return how many lots stand at a price, dead ones included."""
    level = side.level(price)
    return 0 if level is None else level.lots
