"""An invariant of guarded markets, from the events alone."""

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import events as layout
from node.domain.terms import OPEN, UNCROSSING

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")


class Guard(NamedTuple):
    """How far fills of a market may be apart, and within which time that is certain."""

    move: int
    span_ns: int


class PricesPause(Invariant):
    """No two fills of a market are further apart than its move, within a window's seven eighths.

    Since it opened, or was guarded, last: a pause forgets what was before it.
    """

    name = "prices pause before they leap"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with no market guarded."""
        super().__init__(cluster)
        self._guards: dict[int, Guard] = {}
        self._fills: dict[int, list[tuple[int, int]]] = {}
        """For each guarded market: the time and price of its fills."""
        self._uncrossing: set[int] = set()
        """What a call clears at may be as far away as it likes."""

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the events of the group."""
        del host
        if not first:
            return
        frames, at = applied.events, 0
        while at < len(frames):
            length = _I32.unpack_from(frames, at)[0]
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            take = _TAKERS.get(kind)
            if take is not None:
                take(self, frames[at : at + length])
            at += length

    def guarded(self, frame: bytes) -> None:
        """Take down a market's guards."""
        market = _i32(frame, layout.EVENT_STREAM)
        window_ns = _I64.unpack_from(frame, layout.GUARDS_CHANGED_WINDOW)[0]
        guard = Guard(_i32(frame, layout.GUARDS_CHANGED_MOVE), window_ns // 8 * 7)
        self._guards[market] = guard
        self._fills[market] = []

    def moved(self, frame: bytes) -> None:
        """Forget the fills of a market that opens, and note one that is uncrossed."""
        market, state = _i32(frame, layout.EVENT_STREAM), _i32(frame, layout.MARKET_STATE_STATE)
        self._uncrossing.discard(market)
        if state == UNCROSSING:
            self._uncrossing.add(market)
        if state == OPEN:
            self._fills[market] = []

    def filled(self, frame: bytes) -> None:
        """Compare a fill with those that are not too old."""
        market, price = _i32(frame, layout.EVENT_STREAM), _i32(frame, layout.FILL_PRICE)
        guard = self._guards.get(market)
        if guard is None or guard.move == 0 or market in self._uncrossing:
            return
        now = _I64.unpack_from(frame, layout.EVENT_STAMP)[0]
        fills = [fill for fill in self._fills[market] if fill[0] > now - guard.span_ns]
        fills.append((now, price))
        self._fills[market] = fills
        prices = [one for _, one in fills]
        self.require(
            max(prices) - min(prices) <= guard.move,
            f"market {market} fills from {min(prices)} to {max(prices)} in {guard.span_ns} ns, "
            f"{guard.move} is too far",
        )


_TAKERS = {
    layout.GUARDS_CHANGED: PricesPause.guarded,
    layout.MARKET_STATE: PricesPause.moved,
    layout.FILL: PricesPause.filled,
}


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number
