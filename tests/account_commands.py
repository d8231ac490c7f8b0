"""Commands about accounts and what they may do, as values: see `tests.commands`."""

import struct
from dataclasses import dataclass

from node.domain.terms import AccountMode
from tests.commands import Command


@dataclass(frozen=True)
class SubaccountOpen(Command):
    """Open another account of the same owner."""

    kind = 16
    account: int
    mode: int = AccountMode.NET

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.account, self.mode)


@dataclass(frozen=True)
class Transfer(Command):
    """Move free cash to another account of the owner; `number` grows from one to the next."""

    kind = 17
    account: int
    to: int
    amount: int
    number: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiqq", self.account, self.to, self.amount, self.number)


@dataclass(frozen=True)
class WithdrawRequest(Command):
    """Set free cash aside to leave the venue."""

    kind = 18
    account: int
    amount: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.account, 0, self.amount)


@dataclass(frozen=True)
class WithdrawConfirm(Command):
    """Say that a withdrawal was paid."""

    kind = 57
    withdrawal: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<q", self.withdrawal)


@dataclass(frozen=True)
class WithdrawReject(WithdrawConfirm):
    """Say that a withdrawal will not be paid."""

    kind = 58


@dataclass(frozen=True)
class AgentSet(Command):
    """Grant a key to an agent, or change its budget."""

    kind = 19
    account: int
    public_key: bytes
    order_value: int = 10**18
    spend: int = 10**18
    window_ns: int = 3_600 * 10**9
    exposure: int = 10**18
    expiry_ns: int = 1 << 62
    rate: int = 1_000_000
    times_in_force: int = 0b111110
    allowed: tuple[int, ...] = ()

    def body(self) -> bytes:
        """Return what follows the sequence."""
        entries = (*self.allowed, *(0,) * 8)[:8]
        amounts = (self.order_value, self.spend, self.window_ns, self.exposure, self.expiry_ns)
        head = struct.pack("<ii32s", self.account, 0, self.public_key)
        rest = struct.pack("<qqqqqii8i", *amounts, self.rate, self.times_in_force, *entries)
        return head + rest


@dataclass(frozen=True)
class AgentRevoke(Command):
    """End an agent's key."""

    kind = 20
    account: int
    public_key: bytes

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii32s", self.account, 0, self.public_key)


@dataclass(frozen=True)
class Stop(Command):
    """Stop a key (scope 1), an account (2), a market (3) or the venue (4)."""

    kind = 21
    account: int
    scope: int
    subject: int
    reason: int = 1
    reference: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        what = (self.account, self.scope, self.subject, self.reason)
        return struct.pack("<iiiiq", *what, self.reference)


@dataclass(frozen=True)
class StopLift(Stop):
    """Let what was stopped go on."""

    kind = 22


@dataclass(frozen=True)
class DeadlineSet(Command):
    """Close all orders of the account at a time, unless set anew; 0 for never."""

    kind = 23
    account: int
    deadline_ns: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.account, 0, self.deadline_ns)


@dataclass(frozen=True)
class OnDisconnect(Command):
    """Say whose orders go when this session's client does."""

    kind = 28
    account: int
    scope: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.account, self.scope)


@dataclass(frozen=True)
class BoundsSet(Command):
    """Set the limits of an account (scope 2) or a market (3)."""

    kind = 59
    scope: int
    subject: int
    reduce_only: int = 0
    open_orders: int = 0
    positions: int = 0
    order_lots: int = 0
    order_value: int = 0
    position_lots: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        counts = (self.reduce_only, self.open_orders, self.positions)
        sizes = (self.order_lots, self.order_value, self.position_lots)
        return struct.pack("<iiiii4xqqq", self.scope, self.subject, *counts, *sizes)


@dataclass(frozen=True)
class SessionGone(Command):
    """Say that a session's client is gone; said by the leader, in session 0."""

    kind = 65
    session: int
    next_sequence: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.session, 0, self.next_sequence)
