"""Accounts, agents, stops and presence through the typed client, against three nodes."""

import asyncio

import pytest
from nacl.signing import SigningKey

from client import RejectedError
from client.accounts import Budget
from client.administration import Bounds
from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import Intent, Scope, StopReason
from tests.integration.test_client import client_of, seen, with_nodes
from tests.single_node import OPERATOR, TRADERS, SingleNode, follow

BOT = SigningKey(bytes([77]) * 32)


def open_orders(node: SingleNode) -> int:
    """Return how many orders account 1 has in the books."""
    account = node.venue.account(1)
    assert account is not None
    return int(account.order_count)


async def rejection(call: object) -> Code:
    """Return why a call was rejected."""
    with pytest.raises(RejectedError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


@with_nodes
async def test_money_moves_among_an_owner_s_accounts_and_out(nodes: list[SingleNode]) -> None:
    """A subaccount is opened, funded and seen by its owner's key; a withdrawal is paid."""
    async with client_of(nodes, TRADERS[0]) as owner, client_of(nodes, OPERATOR) as operator:
        side = (await owner.accounts.open_subaccount()).result
        await owner.accounts.transfer(side, 1_000_000, 1)
        again = owner.accounts.transfer(side, 1_000_000, 1)
        assert await rejection(again) == Code.TRANSFER_ALREADY_DONE
        await owner.orders.place(1, Intent.BUY_YES, 4_000, 100, account=side)
        found = await owner.queries.account(side)
        assert found is not None
        assert (found.cash_free, found.cash_locked) == (600_000, 400_000)
        first = await owner.accounts.request_withdrawal(500_000)
        second = await owner.accounts.request_withdrawal(500_000)
        await operator.admin.confirm_withdrawal(first.result)
        await operator.admin.reject_withdrawal(second.result)
        treasury = await operator.queries.treasury()
        assert (treasury.withdrawn, treasury.pending) == (500_000, 0)


@with_nodes
async def test_an_agent_keeps_its_budget_and_is_stopped(nodes: list[SingleNode]) -> None:
    """Granted, limited, stopped and let go, bounded, and ended: all by the client."""
    async with client_of(nodes, TRADERS[0]) as owner, client_of(nodes, OPERATOR) as operator:
        key = (
            await owner.accounts.set_agent(bytes(BOT.verify_key), Budget(exposure=500_000))
        ).result
        async with client_of(nodes, BOT) as bot:
            await bot.orders.place(1, Intent.BUY_YES, 4_000, 100)
            more = bot.orders.place(1, Intent.BUY_YES, 4_000, 100)
            assert await rejection(more) == Code.AGENT_EXPOSURE_EXCEEDED
            await owner.accounts.stop(Scope.KEY, key, StopReason.FAULT, reference=7)
            await seen(lambda: open_orders(nodes[0]) == 0)
            stopped = bot.orders.place(1, Intent.BUY_YES, 4_000, 100)
            assert await rejection(stopped) == Code.KEY_STOPPED
            await owner.accounts.lift_stop(Scope.KEY, key)
            await operator.admin.set_bounds(Scope.ACCOUNT, 1, Bounds(order_lots=50))
            large = bot.orders.place(1, Intent.BUY_YES, 4_000, 100)
            assert await rejection(large) == Code.ORDER_TOO_LARGE
            await owner.accounts.revoke_agent(bytes(BOT.verify_key))
        late = owner.accounts.set_deadline(1)
        assert await rejection(late) == Code.DEADLINE_INVALID


@with_nodes
async def test_a_new_leader_gives_up_orders_of_clients_that_do_not_return(
    nodes: list[SingleNode],
) -> None:
    """It waits for the whole grace, and then says that the client is gone."""
    async with client_of(nodes, OPERATOR) as operator:
        await operator.admin.configure(Limit.DISCONNECT_MS, 300)
    async with client_of(nodes, TRADERS[0]) as trader:
        await trader.accounts.on_disconnect(Scope.ACCOUNT)
        await trader.orders.place(1, Intent.BUY_YES, 4_000, 100)
    follow(nodes, nodes[1])
    begun = asyncio.get_running_loop().time()
    await seen(lambda: open_orders(nodes[2]) == 0)
    assert asyncio.get_running_loop().time() - begun >= 0.3
