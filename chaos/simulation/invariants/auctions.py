"""An invariant of call auctions, from the public feed alone."""

from struct import Struct
from typing import TYPE_CHECKING

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import events as layout
from node.domain.terms import AUCTION, BID, OPEN, UNCROSSING

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")


class CallsClear(Invariant):
    """A called market clears where its depth says: most volume, least surplus, then its side.

    Nothing fills in the call phase, or before the price is published; and a market that opens is
    not crossed.
    """

    name = "called markets clear where they should"

    def __init__(self, cluster: "Cluster") -> None:
        """Start without markets."""
        super().__init__(cluster)
        self._depth: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
        """For each market: lots by price, of bids and of asks."""
        self._ticks: dict[int, int] = {}
        self._states: dict[int, int] = {}
        self._is_priced: dict[int, bool] = {}

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the events of the group."""
        del host
        if not first:
            return
        frames, at = applied.events, 0
        while at < len(frames):
            length = _i32(frames, at)
            take = _TAKERS.get(int.from_bytes(frames[at + 4 : at + 6], "little"))
            if take is not None:
                take(self, _i32(frames, at + layout.EVENT_STREAM), frames[at : at + length])
            at += length

    def created(self, market: int, frame: bytes) -> None:
        """Note a market's tick."""
        self._ticks[market] = _i32(frame, layout.MARKET_CREATED_TICK)
        self._depth[market] = ({}, {})

    def regridded(self, market: int, frame: bytes) -> None:
        """Note a market's new tick."""
        self._ticks[market] = _i32(frame, layout.GRID_CHANGED_TICK)

    def deepened(self, market: int, frame: bytes) -> None:
        """Note the lots at a price."""
        side = self._depth[market][_i32(frame, layout.DEPTH_SIDE) != BID]
        price, lots = _i32(frame, layout.DEPTH_PRICE), _i64(frame, layout.DEPTH_LOTS)
        side[price] = lots
        if not lots:
            del side[price]

    def moved(self, market: int, frame: bytes) -> None:
        """Note a market's state; when it opens, no bid may meet an ask."""
        self._states[market] = _i32(frame, layout.MARKET_STATE_STATE)
        self._is_priced[market] = False
        bids, asks = self._depth[market]
        if self._states[market] == OPEN and bids and asks:
            self.require(max(bids) < min(asks), f"market {market} opens and is crossed")

    def priced(self, market: int, frame: bytes) -> None:
        """Compare a price with what the depth gives."""
        said = (
            _i64(frame, layout.AUCTION_PRICED_PRICE),
            _i64(frame, layout.AUCTION_PRICED_LOTS),
            _i64(frame, layout.AUCTION_PRICED_SURPLUS),
        )
        found = clearing(*self._depth[market], self._ticks[market])
        self.require(said == found, f"market {market} clears at {said}, its depth at {found}")
        self._is_priced[market] = True

    def filled(self, market: int, frame: bytes) -> None:
        """Check that a called market fills nothing before it has a price."""
        del frame
        state = self._states.get(market)
        allowed = state != AUCTION and (state != UNCROSSING or self._is_priced[market])
        self.require(allowed, f"market {market} fills in state {state}")


def clearing(bids: dict[int, int], asks: dict[int, int], tick: int) -> tuple[int, int, int]:
    """Return price, lots and surplus by trying every price that can differ from its neighbours."""
    standing = set(bids) | set(asks)
    near = {price - price % tick + step for price in standing for step in (-tick, 0, tick)}
    prices = [price for price in sorted(standing | near) if min(asks) <= price <= max(bids)]
    wanted = {one: sum(lots for at, lots in bids.items() if at >= one) for one in prices}
    offered = {one: sum(lots for at, lots in asks.items() if at <= one) for one in prices}
    most = max(min(wanted[one], offered[one]) for one in prices)
    prices = [one for one in prices if min(wanted[one], offered[one]) == most]
    least = min(abs(wanted[one] - offered[one]) for one in prices)
    best = [one for one in prices if abs(wanted[one] - offered[one]) == least]
    price = max(best[0], (best[0] + best[-1]) // 2 // tick * tick)
    if all(wanted[one] > offered[one] for one in best):
        price = best[-1]
    elif all(wanted[one] < offered[one] for one in best):
        price = best[0]
    demand = sum(lots for at, lots in bids.items() if at >= price)
    supply = sum(lots for at, lots in asks.items() if at <= price)
    return price, min(demand, supply), demand - supply


_TAKERS = {
    layout.MARKET_CREATED: CallsClear.created,
    layout.GRID_CHANGED: CallsClear.regridded,
    layout.DEPTH: CallsClear.deepened,
    layout.MARKET_STATE: CallsClear.moved,
    layout.AUCTION_PRICED: CallsClear.priced,
    layout.FILL: CallsClear.filled,
}


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number


def _i64(frame: bytes, at: int) -> int:
    number: int = _I64.unpack_from(frame, at)[0]
    return number
