"""Accounts of one owner: subaccounts, and money that moves without a trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from node.domain import commands
from node.domain.terms import AccountMode, Scope, StopReason
from node.domain.units import MAX_SUPPLY

if TYPE_CHECKING:
    from client.order_entry import CommandSender
    from client.replies import Reply


class Budget(NamedTuple):
    """What an agent may do: money in micro-USDC, times in ns, of the log.

    `spend` is what it may pay within any `window_ns`, `exposure` what its open orders may lock,
    `rate` how many orders a second. `times_in_force` has bit n set for time in force n. `allowed`
    has up to eight markets, or events with EVENT_ENTRY added; empty means all.
    """

    order_value: int = MAX_SUPPLY
    spend: int = MAX_SUPPLY
    window_ns: int = 86_400_000_000_000
    exposure: int = MAX_SUPPLY
    expiry_ns: int = 1 << 62
    rate: int = 1_000
    times_in_force: int = 0b111110
    allowed: tuple[int, ...] = ()


class Accounts:
    """What an owner's key does with its accounts; replies and errors are as in order entry."""

    def __init__(self, sender: CommandSender) -> None:
        """Send with `sender`."""
        self._sender = sender

    async def open_subaccount(
        self, mode: AccountMode = AccountMode.NET, *, account: int | None = None
    ) -> Reply:
        """Open another account of the same owner; `result` is its number."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.subaccount_open(owner, mode))

    async def transfer(
        self, to: int, micro_usdc: int, number: int, *, account: int | None = None
    ) -> Reply:
        """Move free cash to another account of the owner, as its transfer `number`.

        Numbers grow. One that was used is rejected with TRANSFER_ALREADY_DONE, so a transfer whose
        outcome is unknown may be said again.
        """
        giver = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.transfer(giver, to, micro_usdc, number)
        )

    async def request_withdrawal(self, micro_usdc: int, *, account: int | None = None) -> Reply:
        """Lock free cash until it is paid outside; `result` is the withdrawal."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.withdraw_request(owner, micro_usdc))

    async def set_agent(
        self, public_key: bytes, budget: Budget, *, account: int | None = None
    ) -> Reply:
        """Let a key trade within a budget, or change it; `result` is the key's number.

        The agent itself may say this, too, if nothing in the budget allows more than before.
        """
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.agent_set(owner, public_key, *budget)
        )

    async def revoke_agent(self, public_key: bytes, *, account: int | None = None) -> Reply:
        """End an agent's key for ever; its orders stay."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.agent_revoke(owner, public_key))

    async def stop(
        self,
        scope: Scope,
        subject: int,
        reason: StopReason = StopReason.REQUEST,
        *,
        reference: int = 0,
        account: int | None = None,
    ) -> Reply:
        """Let nothing in that adds risk, and close what works, of a key, account or market.

        An owner stops its account and its keys; an operator anything (for the venue: subject 0).
        """
        what = (self._sender.account if account is None else account, scope, subject)
        return await self._sender.execute(
            lambda frames: frames.stop(commands.STOP, *what, reason, reference)
        )

    async def lift_stop(
        self,
        scope: Scope,
        subject: int,
        reason: StopReason = StopReason.REQUEST,
        *,
        reference: int = 0,
        account: int | None = None,
    ) -> Reply:
        """Let what was stopped go on; rejected with STOP_SWEEPING while orders are being closed."""
        what = (self._sender.account if account is None else account, scope, subject)
        return await self._sender.execute(
            lambda frames: frames.stop(commands.STOP_LIFT, *what, reason, reference)
        )

    async def set_deadline(self, deadline_ns: int, *, account: int | None = None) -> Reply:
        """Have all the account's orders closed at a time of the log; 0 takes it back.

        Said again in time it is a dead-man's switch.
        """
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.deadline_set(owner, deadline_ns))

    async def on_disconnect(self, scope: Scope | None, *, account: int | None = None) -> Reply:
        """Say whose orders go when this client does: nobody's, its key's, its account's."""
        owner = self._sender.account if account is None else account
        return await self._sender.execute(
            lambda frames: frames.on_disconnect(owner, scope.value if scope else 0)
        )
