"""A client that is gone gives up its orders if its session says so; one that returns does not."""

import asyncio

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import SCOPE_ACCOUNT
from node.protocol.command_frames import CommandFrames
from tests.gateway_node import BUY_YES, on_a_node, place, replies, seen, set_up_market
from tests.raw_client import RawClient
from tests.single_node import TRADERS, SingleNode

GRACE_MS = 300


async def resting_trader(node: SingleNode, *, gives_up: bool) -> tuple[RawClient, RawClient]:
    """Return an operator, and a trader with one resting order on a venue with a short grace."""
    operator = await set_up_market(node)
    frames = CommandFrames(operator_sequence(node))
    frames.configure(Limit.DISCONNECT_MS, GRACE_MS)
    operator.send(frames.take())
    assert (await replies(operator, 1))[0].code == Code.OK
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    if gives_up:
        frames.on_disconnect(1, SCOPE_ACCOUNT)
    place(frames, 1, BUY_YES, 4_000, 100)
    count = frames.count
    trader.send(frames.take())
    assert {reply.code for reply in await replies(trader, count)} == {Code.OK}
    return operator, trader


def operator_sequence(node: SingleNode) -> int:
    """Return the next sequence of the operator's session, the first that was opened."""
    session = node.venue.session(1)
    assert session is not None
    return int(session.next_sequence)


def open_orders(node: SingleNode) -> int:
    """Return how many orders account 1 has in the books."""
    account = node.venue.account(1)
    assert account is not None
    return int(account.order_count)


@on_a_node()
async def test_orders_of_a_lost_client_are_closed_after_the_grace(node: SingleNode) -> None:
    """They rest while the grace lasts, and are gone when nobody has come back."""
    _, trader = await resting_trader(node, gives_up=True)
    loop = asyncio.get_running_loop()
    lost = loop.time()
    trader.writer.transport.abort()
    await asyncio.sleep(GRACE_MS / 3_000)
    assert open_orders(node) == 1
    await seen(lambda: open_orders(node) == 0)
    assert loop.time() - lost >= GRACE_MS / 1_000


@on_a_node()
async def test_a_client_that_returns_in_time_keeps_its_orders(node: SingleNode) -> None:
    """The session resumed within the grace is as good as never lost."""
    _, trader = await resting_trader(node, gives_up=True)
    trader.writer.transport.abort()
    await asyncio.sleep(GRACE_MS / 3_000)
    back = await RawClient.trader(node.port, TRADERS[0], session=trader.session)
    await asyncio.sleep(2 * GRACE_MS / 1_000)
    assert open_orders(node) == 1
    assert back.session == trader.session


@on_a_node()
async def test_a_session_that_says_nothing_keeps_its_orders(node: SingleNode) -> None:
    """Without the attribute a lost connection changes nothing."""
    _, trader = await resting_trader(node, gives_up=False)
    trader.writer.transport.abort()
    await asyncio.sleep(2 * GRACE_MS / 1_000)
    assert open_orders(node) == 1
