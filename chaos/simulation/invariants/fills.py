"""Invariants of fills, from the events alone: a naive book beside the engine's.

It knows who rests where from what the venue told their owners, and nothing of how the engine keeps
its books, locks or fees.
"""

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import events as layout
from node.domain.terms import BID, BUY_YES, FLAT, SELL_NO, SELL_YES, SHAPED, TAKER
from node.domain.units import FEE_SCALE, PRICE_SCALE

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")

Level = tuple[int, bool, int]
"""Market, whether bids, and the YES price."""


class Known(NamedTuple):
    """A resting order."""

    level: Level
    leaves: int


class Schedule(NamedTuple):
    """What an order costs."""

    shape: int
    taker_bps: int
    maker_bps: int
    rebate_bps: int
    cap: int

    def rate(self, bps: int, own_price: int) -> int:
        """Return what a lot costs, in hundred-millionths of a micro-USDC."""
        base = PRICE_SCALE if self.shape == FLAT else PRICE_SCALE - own_price
        return bps * own_price * base


class FillsAreFair(Invariant):
    """Best price first, then the oldest; no order fills beyond its size; fees round up once."""

    name = "fills are fair"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with an empty book."""
        super().__init__(cluster)
        self._levels: dict[Level, dict[int, None]] = {}
        self._resting: dict[int, Known] = {}
        self._leaves: dict[int, int] = {}
        self._fees: dict[int, tuple[int, int]] = {}
        """For each order: the exact sum in hundred-millionths of a micro-USDC, and what it paid."""
        self._offered: dict[int, Schedule] = {}
        """What a market's next order agrees to pay."""
        self._agreed: dict[int, Schedule] = {}
        """What each order has agreed to."""
        self._taker_fees: dict[int, int] = {}
        """What the takers of this group's fills have paid, by fill."""
        self._uncrossed: dict[int, int] = {}
        """The price at which a called market is being uncrossed."""

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the events of the group."""
        del host
        if not first:
            return
        frames, at = applied.events, 0
        self._taker_fees = {}
        while at < len(frames):
            length = _i32(frames, at)
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            take = _TAKERS.get(kind)
            if take is not None:
                take(self, frames[at : at + length])
            at += length

    def created(self, frame: bytes) -> None:
        """Note a market's rates."""
        self._offered[_i32(frame, layout.EVENT_STREAM)] = Schedule(
            SHAPED,
            _i32(frame, layout.MARKET_CREATED_TAKER_FEE_BPS),
            _i32(frame, layout.MARKET_CREATED_MAKER_FEE_BPS),
            0,
            0,
        )

    def rescheduled(self, frame: bytes) -> None:
        """Note what orders agree to from now on."""
        self._offered[_i32(frame, layout.EVENT_STREAM)] = Schedule(
            _i32(frame, layout.SCHEDULE_CHANGED_SHAPE),
            _i32(frame, layout.SCHEDULE_CHANGED_TAKER_BPS),
            _i32(frame, layout.SCHEDULE_CHANGED_MAKER_BPS),
            _i32(frame, layout.SCHEDULE_CHANGED_REBATE_BPS),
            _i64(frame, layout.SCHEDULE_CHANGED_CAP),
        )

    def rested(self, frame: bytes) -> None:
        """Put an order behind all others at its price."""
        order, market = _i64(frame, layout.ORDER_ID), _i32(frame, layout.ORDER_MARKET)
        intent, price = _i32(frame, layout.RESTED_INTENT), _i32(frame, layout.RESTED_PRICE)
        yes_price = price if intent in {BUY_YES, SELL_YES} else PRICE_SCALE - price
        level = (market, intent in {BUY_YES, SELL_NO}, yes_price)
        self._levels.setdefault(level, {})[order] = None
        self._resting[order] = Known(level, _i64(frame, layout.RESTED_LEAVES))
        self._leaves[order] = _i64(frame, layout.RESTED_LEAVES)
        self._agreed.setdefault(order, self._offered[market])

    def closed(self, frame: bytes) -> None:
        """Take an order out of the book."""
        self._forget(_i64(frame, layout.ORDER_ID))

    def reduced(self, frame: bytes) -> None:
        """Note what is left of an order."""
        self._leaves[_i64(frame, layout.ORDER_ID)] = _i64(frame, layout.REDUCED_LEAVES)

    def amended(self, frame: bytes) -> None:
        """Note an order's new size; one that gives up its place is out until it rests again."""
        order = _i64(frame, layout.ORDER_ID)
        if not _i32(frame, layout.AMENDED_KEEPS_PLACE):
            self._leave_level(order)
        self._leaves[order] = _i64(frame, layout.AMENDED_LEAVES)

    def moved(self, frame: bytes) -> None:
        """Forget the price of a market that is uncrossed, or called again."""
        self._uncrossed.pop(_i32(frame, layout.EVENT_STREAM), None)

    def priced(self, frame: bytes) -> None:
        """Note at which price a called market is uncrossed."""
        price = _i64(frame, layout.AUCTION_PRICED_PRICE)
        self._uncrossed[_i32(frame, layout.EVENT_STREAM)] = price

    def filled_in_market(self, frame: bytes) -> None:
        """Check that the maker is the oldest order at the best price; in a call, both are."""
        maker = _i64(frame, layout.FILL_MAKER_ORDER_ID)
        taker = _i64(frame, layout.FILL_TAKER_ORDER_ID)
        market, price = _i32(frame, layout.EVENT_STREAM), _i32(frame, layout.FILL_PRICE)
        bids = _i32(frame, layout.FILL_TAKER_SIDE) != BID
        called = self._uncrossed.get(market)
        if called is None:
            best = self._check_first(market, maker, bids=bids)
            self.require(best == price, f"market {market} fills at {price} while {best} is there")
            return
        self.require(price == called, f"market {market} fills at {price}, and clears at {called}")
        at = (
            self._check_first(market, maker, bids=bids),
            self._check_first(market, taker, bids=not bids),
        )
        bid, ask = at if bids else at[::-1]
        self.require(bid >= price >= ask, f"market {market} fills {bid} and {ask} at {price}")

    def _check_first(self, market: int, order: int, *, bids: bool) -> int:
        """Check that an order is the first of its side, and return the price it stands at."""
        prices = [one for number, side, one in self._levels if number == market and side == bids]
        best = 0
        if prices:
            best = max(prices) if bids else min(prices)
        queue = self._levels.get((market, bids, best), {})
        self.require(
            next(iter(queue), None) == order,
            f"order {order} fills in market {market} before {list(queue)[:2]} at {best}",
        )
        return best

    def filled(self, frame: bytes) -> None:
        """Check one side of a fill: its size and its fee."""
        order, lots = _i64(frame, layout.ORDER_ID), _i64(frame, layout.FILLED_LOTS)
        leaves, price = _i64(frame, layout.FILLED_LEAVES), _i32(frame, layout.FILLED_PRICE)
        before = self._leaves.get(order)
        self.require(
            leaves >= 0 and (before is None or before - lots == leaves),
            f"order {order} fills {lots} of {before} and keeps {leaves}",
        )
        self._leaves[order] = leaves
        makes = _i32(frame, layout.FILLED_LIQUIDITY) != TAKER
        agreed = self._agreed.setdefault(order, self._offered[_i32(frame, layout.ORDER_MARKET)])
        exact, paid = self._fees.get(order, (0, 0))
        exact += agreed.rate(agreed.maker_bps if makes else agreed.taker_bps, price) * lots
        due = -(-exact // FEE_SCALE)  # Rounds up.
        due = min(due, agreed.cap) if agreed.cap else due
        fee = _i64(frame, layout.FILLED_FEE)
        if not makes:
            self._taker_fees[_i64(frame, layout.FILLED_FILL_ID)] = fee
        self.require(fee == due - paid, f"order {order} pays {fee}, {due - paid} is due")
        self._fees[order] = (exact, due)
        if leaves == 0:
            self._forget(order)

    def received(self, frame: bytes) -> None:
        """Check that a maker gets its share of the taker's fee, and of no other's."""
        order = _i64(frame, layout.FEE_RECEIVED_ORDER_ID)
        if order == 0:
            return
        amount = _i64(frame, layout.FEE_RECEIVED_AMOUNT)
        fee = self._taker_fees.get(_i64(frame, layout.FEE_RECEIVED_FILL_ID), 0)
        self.require(0 < amount <= fee, f"order {order} receives {amount} of a fee of {fee}")

    def _forget(self, order: int) -> None:
        self._leave_level(order)
        self._leaves.pop(order, None)
        self._fees.pop(order, None)
        self._agreed.pop(order, None)

    def _leave_level(self, order: int) -> None:
        known = self._resting.pop(order, None)
        if known is not None:
            queue = self._levels[known.level]
            del queue[order]
            if not queue:
                del self._levels[known.level]


_TAKERS = {
    layout.MARKET_CREATED: FillsAreFair.created,
    layout.SCHEDULE_CHANGED: FillsAreFair.rescheduled,
    layout.FEE_RECEIVED: FillsAreFair.received,
    layout.ORDER_RESTED: FillsAreFair.rested,
    layout.ORDER_CLOSED: FillsAreFair.closed,
    layout.ORDER_REDUCED: FillsAreFair.reduced,
    layout.ORDER_AMENDED: FillsAreFair.amended,
    layout.MARKET_STATE: FillsAreFair.moved,
    layout.AUCTION_PRICED: FillsAreFair.priced,
    layout.FILL: FillsAreFair.filled_in_market,
    layout.ORDER_FILLED: FillsAreFair.filled,
}


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number


def _i64(frame: bytes, at: int) -> int:
    number: int = _I64.unpack_from(frame, at)[0]
    return number
