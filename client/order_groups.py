"""Order groups: orders that together fill so many lots within fifteen seconds, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.domain import commands

if TYPE_CHECKING:
    from client.order_entry import CommandSender
    from client.replies import Reply


class OrderGroups:
    """Groups of an account's orders; replies and errors are as in order entry.

    An order joins a group as it is placed (`orders.place(..., group=1)`). What its fills come to
    within fifteen seconds of the log's time never passes the limit; the fill that reaches it
    triggers the group: all its orders are cancelled, and none are taken until it is reset.
    """

    def __init__(self, sender: CommandSender) -> None:
        """Send with `sender`."""
        self._sender = sender

    async def limit(self, number: int, lots: int, *, account: int | None = None) -> Reply:
        """Let a group fill `lots` within fifteen seconds; make it if there is none.

        Numbers are 1 to the venue's limit of groups an account. A limit that is reached already
        triggers the group.
        """
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.order_group_set(owner, number, lots)
        )

    async def delete(self, number: int, *, account: int | None = None) -> Reply:
        """Cancel the orders of a group and forget it."""
        return await self.limit(number, 0, account=account)

    async def reset(self, number: int, *, account: int | None = None) -> Reply:
        """Forget what a group has filled, and let it take orders (again)."""
        return await self._execute(commands.ORDER_GROUP_RESET, number, account)

    async def trigger(self, number: int, *, account: int | None = None) -> Reply:
        """Cancel the orders of a group, and let it take none until it is reset."""
        return await self._execute(commands.ORDER_GROUP_TRIGGER, number, account)

    async def _execute(self, kind: int, number: int, account: int | None) -> Reply:
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.order_group(kind, owner, number))
