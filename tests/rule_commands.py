"""Commands that set what trading is bound to, laid out once more like those in `tests.commands`."""

import struct
from dataclasses import dataclass

from node.domain.terms import FeeShape
from tests.commands import Command


@dataclass(frozen=True)
class ScheduleCreate(Command):
    """Make a fee schedule, or find it."""

    kind = 45
    taker_bps: int = 0
    maker_bps: int = 0
    shape: int = FeeShape.SHAPED
    rebate_bps: int = 0
    cap: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        rates = (self.rebate_bps, self.taker_bps, self.maker_bps)
        return struct.pack("<iiiiq", self.shape, *rates, self.cap)


@dataclass(frozen=True)
class ScheduleAssign(Command):
    """Give a market a fee schedule."""

    kind = 46
    market: int
    schedule: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.market, self.schedule)


@dataclass(frozen=True)
class FeeAccountName(Command):
    """Have fees go to an account."""

    kind = 47
    account: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<i4x", self.account)


@dataclass(frozen=True)
class GridSet(Command):
    """Set which prices and sizes a market's orders may have."""

    kind = 48
    market: int
    tick: int
    edge: int = 0
    edge_tick: int = 0
    min_lots: int = 0
    min_value: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        grid = (self.market, self.tick, self.edge, self.edge_tick)
        return struct.pack("<iiiiqq", *grid, self.min_lots, self.min_value)


@dataclass(frozen=True)
class GuardsSet(Command):
    """Set how far a market's prices may go."""

    kind = 49
    market: int
    reference: int = 0
    band: int = 0
    move: int = 0
    window_ns: int = 0
    pause_ns: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        prices = (self.market, self.reference, self.band, self.move)
        return struct.pack("<iiiiqq", *prices, self.window_ns, self.pause_ns)
