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
