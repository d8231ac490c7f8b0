"""Accounts of one owner: subaccounts, and money that moves without a trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.domain.terms import AccountMode

if TYPE_CHECKING:
    from client.order_entry import CommandSender
    from client.replies import Reply


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
