"""The naive book: one list of orders, searched from end to end for whatever is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from node.domain.terms import FeeShape, Intent, Side

WHOLE = 10_000


@dataclass(frozen=True)
class NaiveSchedule:
    """What an order costs; fees are exact sums times 1e8 until they are due."""

    taker_bps: int
    maker_bps: int
    shape: int = FeeShape.SHAPED
    rebate_bps: int = 0
    cap: int = 0

    def rate(self, bps: int, own_price: int) -> int:
        """Return what a lot adds to the sum, at a price in the owner's terms."""
        return bps * own_price * (WHOLE if self.shape == FeeShape.FLAT else WHOLE - own_price)

    def due(self, rate_sum: int) -> int:
        """Return what an order with this sum has to have paid in micro-USDC, rounded up."""
        total = -(-rate_sum // (WHOLE * WHOLE))
        return min(total, self.cap) if self.cap else total

    def worst(self, limit: int) -> int:
        """Return the most that a lot bought at this limit or better can add to the sum."""
        bps = max(self.taker_bps, self.maker_bps)
        return max(self.rate(bps, price) for price in (limit, min(limit, WHOLE // 2)))


@dataclass(eq=False)
class NaiveOrder:
    """An order; `price` is in its owner's terms, `rate_sum` is the exact fee so far times 1e8."""

    order_id: int
    client_order_id: int
    account: int
    market: int
    intent: int
    time_in_force: int
    price: int
    lots: int
    leaves: int
    schedule: NaiveSchedule
    rate_sum: int = 0
    expiry_ns: int = 0
    self_trade: int = 0
    fees_met: int = 0
    """What its takers have paid."""
    key: int = 0
    """The number of the key that placed it."""
    flags: int = 0
    doomed: bool = False
    group: int = 0
    is_over: bool = False
    """Its group is triggered or gone."""
    reduces: bool = False
    budget: int = 10**30
    """What it may still spend."""
    place: int = 0
    """Who has the lower one was first."""
    is_late: bool = False
    """Its owner has let a deadline pass."""

    @property
    def side(self) -> Side:
        """The side of the YES book: who wants YES dearer, or NO cheaper, bids."""
        return Side.BID if self.intent in (Intent.BUY_YES, Intent.SELL_NO) else Side.ASK

    @property
    def buys(self) -> bool:
        """Whether the order pays cash, rather than gives shares."""
        return self.intent in (Intent.BUY_YES, Intent.BUY_NO)

    @property
    def yes_price(self) -> int:
        """The price in YES terms."""
        return self.in_own_terms(self.price)

    def in_own_terms(self, yes_price: int) -> int:
        """Return what a lot costs the owner when YES costs `yes_price`, and the reverse."""
        return yes_price if self.intent in (Intent.BUY_YES, Intent.SELL_YES) else WHOLE - yes_price

    def crosses(self, yes_price: int) -> bool:
        """Whether a resting order on the other side at `yes_price` is good enough."""
        if self.side is Side.BID:
            return yes_price <= self.yes_price
        return yes_price >= self.yes_price


class NaiveBook:
    """The resting orders of one market: levels by price, each a list from oldest to newest."""

    def __init__(self) -> None:
        """Start empty."""
        self.levels: dict[Side, dict[int, list[NaiveOrder]]] = {Side.BID: {}, Side.ASK: {}}

    def rest(self, order: NaiveOrder) -> None:
        """Put an order behind all others at its price."""
        self.levels[order.side].setdefault(order.yes_price, []).append(order)

    def remove(self, order: NaiveOrder) -> None:
        """Take an order out, wherever it stands."""
        level = self.levels[order.side][order.yes_price]
        level.remove(order)
        if not level:
            del self.levels[order.side][order.yes_price]

    def makers_for(self, taker: NaiveOrder) -> Iterator[NaiveOrder]:
        """Yield, best first, every resting order that `taker` crosses."""
        side = Side.ASK if taker.side is Side.BID else Side.BID
        levels = self.levels[side]
        for price in sorted(levels, reverse=side is Side.BID):
            if not taker.crosses(price):
                return
            yield from levels[price]

    def best_for(self, taker: NaiveOrder) -> NaiveOrder | None:
        """Return the order that `taker` meets first, if any."""
        return next(self.makers_for(taker), None)

    def depth(self) -> dict[tuple[Side, int], int]:
        """Return the lots that rest at each side and price."""
        return {
            (side, price): sum(order.leaves for order in level)
            for side, levels in self.levels.items()
            for price, level in levels.items()
        }
