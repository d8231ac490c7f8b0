"""Orders over real sockets: replies, resends, sessions and windows."""

import struct

from node.domain.codes import Code
from node.domain.terms import Role
from node.protocol.command_frames import CommandFrames
from node.protocol.refusals import Refusal
from tests.gateway_node import BUY_NO, BUY_YES, on_a_node, place, replies, seen, set_up_market
from tests.raw_client import RawClient
from tests.single_node import OPERATOR, TRADERS, SingleNode

# Trading.


@on_a_node()
async def test_orders_trade_and_replies_carry_the_log_index(node: SingleNode) -> None:
    """Two traders' orders match.

    Each reply names its sequence and the log entry that executed it.
    """
    await set_up_market(node)
    maker = await RawClient.trader(node.port, TRADERS[0])
    taker = await RawClient.trader(node.port, TRADERS[1])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    maker.send(frames.take())
    first = (await replies(maker, 1))[0]
    frames = CommandFrames(1)
    place(frames, 2, BUY_NO, 6_000, 30)
    taker.send(frames.take())
    second = (await replies(taker, 1))[0]
    assert (first.code, first.sequence, first.filled) == (Code.OK, 1, 0)
    assert (second.code, second.sequence, second.filled) == (Code.OK, 1, 30)
    assert second.log_index == node.venue.log_index > first.log_index


@on_a_node()
async def test_a_trader_cannot_act_for_others_or_administer(node: SingleNode) -> None:
    """The venue rejects foreign accounts and operator commands of a trader.

    The rejections are replies.
    """
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 2, BUY_YES, 4_000, 100)
    frames.deposit(1, 5, 4)
    trader.send(frames.take())
    assert [reply.code for reply in await replies(trader, 2)] == [Code.NOT_PERMITTED] * 2


@on_a_node()
async def test_a_pipeline_gets_every_reply_in_order(node: SingleNode) -> None:
    """Thousands of commands written at once are answered once each, in order."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0], window=4_096)
    frames = CommandFrames(1)
    for _ in range(4_000):
        place(frames, 1, BUY_YES, 100, 1)
    trader.send(frames.take())
    got = await replies(trader, 4_000)
    assert [reply.sequence for reply in got] == list(range(1, 4_001))
    assert {reply.code for reply in got} == {Code.OK}


# Exactly once.


@on_a_node()
async def test_a_resend_after_a_cut_gets_the_original_reply_and_no_second_order(
    node: SingleNode,
) -> None:
    """A command whose reply was lost with its connection is answered again.

    With the same log index and order id.
    """
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    place(frames, 1, BUY_YES, 4_001, 50)
    sent = frames.take()
    trader.send(sent)
    original = await replies(trader, 2)
    trader.writer.transport.abort()
    again = await RawClient.trader(node.port, TRADERS[0], session=trader.session)
    assert again.session == trader.session
    again.send(sent)
    assert await replies(again, 2) == original
    account = node.venue.account(1)
    assert account is not None
    assert account.order_count == 2


@on_a_node()
async def test_commands_in_the_log_when_the_client_is_cut_are_not_executed_twice(
    node: SingleNode,
) -> None:
    """Sent, cut, resumed and sent again before anything is committed.

    Executed once, answered with one outcome.
    """
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    sent = frames.take()
    node.hold()
    trader.send(sent)
    await seen(lambda: node.gateway.admission.count == 1)
    taken = node.gateway.take(1 << 20)  # In the log now, not committed.
    assert taken is not None
    trader.writer.transport.abort()
    await seen(lambda: node.gateway.counters.connections_open == 1)
    again = await RawClient.trader(node.port, TRADERS[0], session=trader.session)
    again.send(sent)
    await seen(lambda: node.gateway.admission.count == 1)
    node.commit(*taken)
    node.release()
    first, second = await replies(again, 2)
    assert first == second
    account = node.venue.account(1)
    assert account is not None
    assert account.order_count == 1


@on_a_node()
async def test_login_tells_a_resuming_client_where_it_stands(node: SingleNode) -> None:
    """LOGIN_ACCEPTED carries the session, its window and the next sequence."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0], window=64)
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    trader.send(frames.take())
    await replies(trader, 1)
    await trader.close()
    again = await RawClient.connect(node.port)
    accepted = await again.login(TRADERS[0], session=trader.session)
    assert accepted is not None
    fields = struct.unpack_from("<iiqqiihhhh", accepted, 8)
    assert fields == (trader.session, 64, 2, node.venue.log_index, 2, 1, Role.TRADER, 1, 1, 0)


@on_a_node()
async def test_a_session_has_one_connection(node: SingleNode) -> None:
    """A second login with the same session takes it over; the first connection is told."""
    await set_up_market(node)
    first = await RawClient.trader(node.port, TRADERS[0])
    second = await RawClient.trader(node.port, TRADERS[0], session=first.session)
    assert (await first.refused()).reason == Refusal.SESSION_TAKEN_OVER
    assert await first.ended()
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    second.send(frames.take())
    assert (await replies(second, 1))[0].code == Code.OK


@on_a_node()
async def test_a_gap_at_the_door_consumes_nothing(node: SingleNode) -> None:
    """A missing sequence is refused, named, and the connection stays.

    The resend is executed in order.
    """
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    sent = []
    for _ in range(4):
        place(frames, 1, BUY_YES, 4_000, 1)
        sent.append(frames.take())
    trader.send(sent[0] + sent[2] + sent[3])
    refused = await trader.refused()  # At once: it does not wait for the log.
    assert (refused.reason, refused.closing, refused.resend_from, refused.detail) == (
        Refusal.SEQUENCE_GAP,
        False,
        2,
        3,
    )
    assert (await replies(trader, 1))[0].sequence == 1
    trader.send(b"".join(sent[1:]))
    assert [reply.sequence for reply in await replies(trader, 3)] == [2, 3, 4]


@on_a_node()
async def test_more_than_the_window_is_refused_until_replies_make_room(node: SingleNode) -> None:
    """The 17th command of a window of 16 is refused without harm, and taken once there is room."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0], window=16)
    frames = CommandFrames(1)
    sent = []
    for _ in range(20):
        place(frames, 1, BUY_YES, 4_000, 1)
        sent.append(frames.take())
    node.hold()
    trader.send(b"".join(sent))
    refused = await trader.refused()
    assert (refused.reason, refused.resend_from, refused.detail) == (
        Refusal.WINDOW_EXCEEDED,
        17,
        16,
    )
    node.release()
    assert [reply.sequence for reply in await replies(trader, 16)] == list(range(1, 17))
    trader.send(b"".join(sent[16:]))
    assert [reply.sequence for reply in await replies(trader, 4)] == [17, 18, 19, 20]


@on_a_node()
async def test_an_evicted_session_is_told_and_gone(node: SingleNode) -> None:
    """The 17th session of a key evicts the least recently used one.

    Its connection ends, its resume is refused.
    """
    first = await RawClient.trader(node.port, OPERATOR)
    others = [await RawClient.trader(node.port, OPERATOR) for _ in range(16)]
    assert (await first.refused()).reason == Refusal.SESSION_EVICTED
    assert await first.ended()
    late = await RawClient.connect(node.port)
    assert await late.login(OPERATOR, session=first.session) is None
    assert len(others) == 16
