"""Commands about the lives of markets and events, as values: layouts stated again."""

import struct
from dataclasses import dataclass

from tests.commands import Command


@dataclass(frozen=True)
class AuctionCall(Command):
    """Begin the call phase of a market: now at 0, never at a negative time."""

    kind = 50
    market: int
    begins_at_ns: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<i4xq", self.market, self.begins_at_ns)


@dataclass(frozen=True)
class MarketTimes(Command):
    """Say when a market opens and closes by itself."""

    kind = 51
    market: int
    opens_at_ns: int = 0
    closes_at_ns: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiqq", self.market, 0, self.opens_at_ns, self.closes_at_ns)


@dataclass(frozen=True)
class Pause(Command):
    """Set how strictly the venue, an event, a market or an account takes commands."""

    kind = 52
    scope: int
    subject: int = 0
    level: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiii", self.scope, self.subject, self.level, 0)


@dataclass(frozen=True)
class EventResolve(Command):
    """Say which market of an exclusive event has won."""

    kind = 53
    event: int
    winner: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.event, self.winner)


@dataclass(frozen=True)
class OutcomeName(Command):
    """Name a placeholder."""

    kind = 54
    market: int
    name: bytes

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii64s", self.market, 0, self.name)


@dataclass(frozen=True)
class Convert(Command):
    """Turn NO of some outcomes, named by their ordinals, into cash and YES of the others."""

    kind = 24
    account: int
    event: int
    lots: int
    ordinals: tuple[int, ...]

    def body(self) -> bytes:
        """Return what follows the sequence."""
        bits = sum(1 << ordinal for ordinal in set(self.ordinals))
        return struct.pack("<iiq", self.account, self.event, self.lots) + bits.to_bytes(
            128, "little"
        )


@dataclass(frozen=True)
class MergeOutcomes(Command):
    """Turn YES of all outcomes of an event into cash."""

    kind = 25
    account: int
    event: int
    lots: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.account, self.event, self.lots)


@dataclass(frozen=True)
class Propose(Command):
    """Propose what a closed market comes to."""

    kind = 55
    market: int
    price: int
    evidence: bytes = bytes(32)

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii32s", self.market, self.price, self.evidence)


@dataclass(frozen=True)
class Decide(Propose):
    """Decide a dispute."""

    kind = 56


@dataclass(frozen=True)
class Dispute(Command):
    """Dispute what is proposed."""

    kind = 26
    market: int
    evidence: bytes = bytes(32)

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii32s", self.market, 0, self.evidence)


@dataclass(frozen=True)
class Attest(Command):
    """A resolver's word; the engine does not look at the signature."""

    kind = 27
    market: int
    price: int
    public_key: bytes
    turn: int = 0
    evidence: bytes = bytes(32)

    def body(self) -> bytes:
        """Return what follows the sequence."""
        head = struct.pack("<iiii", self.market, self.turn, self.price, 0)
        return head + self.evidence + self.public_key + bytes(64)
