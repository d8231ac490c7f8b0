"""The gateway over real sockets, with the real venue behind it.

What a client may do, and what ends it.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from nacl.signing import SigningKey

from node.domain.codes import Code
from node.domain.commands import MARKET_OPEN
from node.domain.replies import REPLY
from node.domain.terms import Role
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import LeaderAddress
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import (
    encode_heartbeat,
    encode_logout,
    encode_query,
    encode_subscribe,
    encode_unsubscribe,
)
from node.protocol.refusals import Refusal
from tests.raw_client import READ, RawClient, Reply, parse_reply
from tests.single_node import OPERATOR, TRADERS, History, SingleNode, single_node

BUY_YES, SELL_YES, BUY_NO, SELL_NO = 1, 2, 3, 4
GTC = 1


def on_a_node(**options: Any) -> Callable[..., Callable[[], None]]:
    """Run an asynchronous test against a fresh node, within a deadline that only a hang reaches."""

    def decorate(test: Callable[[SingleNode], Awaitable[None]]) -> Callable[[], None]:
        def run() -> None:
            async def body() -> None:
                async with asyncio.timeout(60), single_node(**options) as node:
                    try:
                        await test(node)
                    finally:
                        await RawClient.close_all()

            uvloop.run(body())  # The loop that a node runs on.

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate


async def set_up_market(node: SingleNode, traders: int = 3) -> RawClient:
    """Open accounts 1..n with 10,000 USDC each and market 1; return the operator's connection."""
    operator = await RawClient.trader(node.port, OPERATOR)
    frames = CommandFrames(1)
    for number in range(traders):
        key = bytes(TRADERS[number].verify_key)
        frames.account_open(1, bytes([number + 1]) * 20, key)
    for number in range(traders):
        frames.deposit(number + 1, 10_000_000_000, number + 1)
    frames.event_create(True, "an event")
    frames.market_create(1, 1, 0, 0, "a market")
    frames.lifecycle(MARKET_OPEN, 1, 0)
    count = frames.count
    operator.send(frames.take())
    for reply in await replies(operator, count):
        assert reply.code == Code.OK
    return operator


async def replies(client: RawClient, count: int) -> list[Reply]:
    """Return the next `count` frames, which are replies."""
    got = []
    for kind, frame in await client.frames(count):
        assert kind == REPLY, (kind, frame)
        got.append(parse_reply(frame))
    return got


def place(
    frames: CommandFrames, account: int, intent: int, price: int, lots: int, name: int = 0
) -> None:
    """Write a PLACE in market 1 with a client order id of its own."""
    frames.place(account, 1, name or frames.next_sequence, price, intent, GTC, lots)


async def seen(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    while not condition():
        await asyncio.sleep(0.001)


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


# Logins.


async def refusal_of(client: RawClient, frame: bytes) -> Refusal:
    """Send `frame`; return why the node ended the connection."""
    client.send(frame)
    refused = await client.refused()
    assert refused.closing
    assert await client.ended()
    return Refusal(refused.reason)


@on_a_node()
async def test_logins_that_are_not_right_are_refused_by_name(node: SingleNode) -> None:
    """Each way to get a login wrong has its own reason and ends only its own connection."""
    operator = await set_up_market(node)
    stranger = SigningKey(bytes(32))

    async def attempt(key: SigningKey = OPERATOR, **options: Any) -> Refusal:
        client = await RawClient.connect(node.port)
        return await refusal_of(client, client.login_frame(key, **options))

    assert await attempt(stranger) == Refusal.KEY_UNKNOWN
    assert await attempt(nonce=bytes(32)) == Refusal.SIGNATURE_INVALID
    assert await attempt(node=2) == Refusal.SIGNATURE_INVALID
    assert await attempt(session=999) == Refusal.SESSION_UNKNOWN
    assert await attempt(TRADERS[0], session=operator.session) == Refusal.SESSION_NOT_YOURS
    assert await attempt(window=15) == Refusal.WINDOW_INVALID
    assert await attempt(window=1 << 20) == Refusal.WINDOW_INVALID
    assert await attempt(purpose=3) == Refusal.PURPOSE_INVALID
    assert await attempt(purpose=READ, session=1) == Refusal.MESSAGE_INVALID
    client = await RawClient.connect(node.port)
    good = client.login_frame(OPERATOR)
    assert (
        await refusal_of(client, good[:8] + b"\x09\x00" + good[10:]) == Refusal.VERSION_UNSUPPORTED
    )
    client = await RawClient.connect(node.port)
    frames = bytearray(client.login_frame(OPERATOR))
    frames[-1] ^= 1
    assert await refusal_of(client, bytes(frames)) == Refusal.SIGNATURE_INVALID
    checkpoint = CommandFrames(10)
    checkpoint.checkpoint()
    operator.send(checkpoint.take())
    assert (await replies(operator, 1))[0].code == Code.OK


@on_a_node()
async def test_a_login_cannot_be_replayed(node: SingleNode) -> None:
    """What was signed for one connection is worthless on another: the challenge differs."""
    first = await RawClient.connect(node.port)
    signed = first.login_frame(OPERATOR)
    first.send(signed)
    assert (await first.frame())[0] == messages.LOGIN_ACCEPTED
    second = await RawClient.connect(node.port)
    assert second.nonce != first.nonce
    assert await refusal_of(second, signed) == Refusal.SIGNATURE_INVALID


@on_a_node()
async def test_a_revoked_key_is_cut_and_cannot_return(node: SingleNode) -> None:
    """When the log revokes a key, its connections end at once and new logins are refused."""
    operator = await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    reader = await RawClient.reader_of(node.port, TRADERS[0])
    frames = CommandFrames(10)
    frames.key_revoke(bytes(TRADERS[0].verify_key))
    operator.send(frames.take())
    assert (await replies(operator, 1))[0].code == Code.OK
    for client in (trader, reader):
        assert (await client.refused()).reason == Refusal.KEY_REVOKED
        assert await client.ended()
    again = await RawClient.connect(node.port)
    assert await refusal_of(again, again.login_frame(TRADERS[0])) == Refusal.KEY_REVOKED


@on_a_node()
async def test_a_session_that_the_log_refuses_is_refused_with_its_code(node: SingleNode) -> None:
    """SESSION_NOT_OPENED carries the venue's code."""
    node.venue.state.limits[15] = 64
    client = await RawClient.connect(node.port)
    client.send(client.login_frame(OPERATOR, window=128))
    refused = await client.refused()
    assert (refused.reason, refused.detail) == (
        Refusal.SESSION_NOT_OPENED,
        Code.WINDOW_OUT_OF_RANGE,
    )


@on_a_node(limits=GatewayLimits(login_ms=50))
async def test_a_half_open_login_has_a_deadline(node: SingleNode) -> None:
    """Whoever says nothing, or half a login, is told and cut.

    So is one whose session never opens.
    """
    silent = await RawClient.connect(node.port)
    half = await RawClient.connect(node.port)
    half.send(half.login_frame(OPERATOR)[:60])
    node.hold()
    waiting = await RawClient.connect(node.port)
    waiting.send(waiting.login_frame(OPERATOR))
    for client in (silent, half, waiting):
        assert (await client.refused()).reason == Refusal.LOGIN_TIMED_OUT
        assert await client.ended()
    assert node.gateway.counters.refusals[Refusal.LOGIN_TIMED_OUT] == 3


# Bytes that are not the protocol.


@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        (struct.pack("<ihhq", 48, 99, 0, 1) + bytes(32), Refusal.FRAME_TYPE_UNKNOWN),
        (struct.pack("<ihhq", 5, 1, 0, 1), Refusal.FRAME_LENGTH_INVALID),
        (struct.pack("<ihhq", 1 << 20, 1, 0, 1), Refusal.FRAME_LENGTH_INVALID),
        (struct.pack("<ihhq", 48, 1, 7, 1), Refusal.FRAME_FLAGS_INVALID),
        (struct.pack("<ihhq", 56, 1, 0, 1), Refusal.FRAME_SIZE_MISMATCH),
        (struct.pack("<ihhq", 48, 1, 0, -1) + bytes(32), Refusal.SEQUENCE_INVALID),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Refusal.FRAME_LENGTH_INVALID),
    ],
)
@pytest.mark.parametrize("logged_in", [False, True])
def test_bad_bytes_end_their_own_connection_only(
    noise: bytes, reason: Refusal, *, logged_in: bool
) -> None:
    """A typed refusal, then the end; a neighbour goes on trading."""

    @on_a_node()
    async def run(node: SingleNode) -> None:
        neighbour = await set_up_market(node)
        client = (
            await RawClient.trader(node.port, TRADERS[0])
            if logged_in
            else await RawClient.connect(node.port)
        )
        client.send(noise)
        refused = await client.refused()
        expected = reason
        if not logged_in and reason == Refusal.SEQUENCE_INVALID:
            expected = Refusal.STEP_INVALID  # Before a login no command is looked at.
        assert (refused.reason, refused.closing) == (expected, True)
        assert await client.ended()
        frames = CommandFrames(10)
        frames.checkpoint()
        neighbour.send(frames.take())
        assert (await replies(neighbour, 1))[0].code == Code.OK

    run()


@on_a_node()
async def test_messages_out_of_step_are_refused(node: SingleNode) -> None:
    """Subscribing or asking before a login, or logging in twice, breaks the handshake's table."""
    for early in (encode_query(1, 12, 0, 0, 0, 0, 0), encode_subscribe(1, 2, 0, 0, 0, 0)):
        client = await RawClient.connect(node.port)
        assert await refusal_of(client, early) == Refusal.STEP_INVALID
    client = await RawClient.trader(node.port, OPERATOR)
    assert await refusal_of(client, client.login_frame(OPERATOR)) == Refusal.STEP_INVALID


@on_a_node()
async def test_a_logout_is_answered_and_ends_the_connection(node: SingleNode) -> None:
    """LOGOUT comes back, then the end; the session can be resumed."""
    client = await RawClient.trader(node.port, OPERATOR)
    client.send(encode_logout())
    assert (await client.frame())[0] == messages.LOGOUT
    assert await client.ended()
    again = await RawClient.trader(node.port, OPERATOR, session=client.session)
    assert again.session == client.session


# Bounds.


@on_a_node(limits=GatewayLimits(connections=3))
async def test_connections_are_capped(node: SingleNode) -> None:
    """One too many is told so and closed; when one leaves there is room again."""
    clients = [await RawClient.connect(node.port) for _ in range(3)]
    extra = await RawClient.connect(node.port)
    assert extra.nonce == b""  # It got no challenge.
    assert await extra.ended()
    assert node.gateway.counters.refusals[Refusal.TOO_MANY_CONNECTIONS] == 1
    await clients[0].close()
    await seen(lambda: node.gateway.counters.connections_open == 2)
    assert len((await RawClient.connect(node.port)).nonce) == 32


@on_a_node(limits=GatewayLimits(connections_per_address=2))
async def test_connections_of_one_address_are_capped(node: SingleNode) -> None:
    """One address cannot take all connections."""
    clients = [await RawClient.connect(node.port) for _ in range(3)]
    assert [len(client.nonce) for client in clients] == [32, 32, 0]
    assert node.gateway.counters.refusals[Refusal.TOO_MANY_FROM_ADDRESS] == 1


@on_a_node(limits=GatewayLimits(pending_bytes=10_000))
async def test_a_client_that_floods_is_not_read_until_its_commands_go(node: SingleNode) -> None:
    """What waits of one connection stays near its bound, nothing is lost.

    Others are served meanwhile.
    """
    operator = await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0], window=8_192)
    frames = CommandFrames(1)
    for _ in range(8_000):
        place(frames, 1, BUY_YES, 4_000, 1)
    node.hold()
    trader.send(frames.take())
    await seen(lambda: node.gateway.counters.readings_paused == 1)
    chunk = 8_000 * 56
    assert 10_000 < node.gateway.admission.size <= chunk
    checkpoint = CommandFrames(10)
    checkpoint.checkpoint()
    operator.send(checkpoint.take())
    node.release()
    assert (await replies(operator, 1))[0].code == Code.OK
    got = await replies(trader, 8_000)
    assert [reply.sequence for reply in got] == list(range(1, 8_001))


@on_a_node(limits=GatewayLimits(output_bytes=65_536, linger_ms=200))
async def test_a_reader_that_does_not_read_is_cut(node: SingleNode) -> None:
    """Output that a client does not take is bounded.

    The client is told when it reads again, or just cut.
    """
    await set_up_market(node)
    slow = await RawClient.reader_of(node.port, TRADERS[1])
    slow.send(encode_subscribe(1, messages.MARKET_DATA, 1, 0, 0, 0))
    assert (await slow.frame())[0] == messages.SUBSCRIBED
    trader = await RawClient.trader(node.port, TRADERS[0], window=8_192)
    slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
    sequence = 1
    while node.gateway.counters.refusals[Refusal.READER_TOO_SLOW] == 0:
        frames = CommandFrames(sequence)
        for _ in range(2_000):
            place(frames, 1, BUY_YES, 4_000, 1)
        sequence = frames.next_sequence
        trader.send(frames.take())
        await replies(trader, 2_000)
    await seen(lambda: node.gateway.counters.connections_open == 2)


@on_a_node(limits=GatewayLimits(output_bytes=1_024, linger_ms=50))
async def test_a_reader_cut_in_the_middle_of_a_group_harms_nobody(node: SingleNode) -> None:
    """The only follower of two streams is cut by the first of them; the group goes on to others."""
    operator = await set_up_market(node)
    slow = await RawClient.reader_of(node.port, OPERATOR)
    quick = await RawClient.reader_of(node.port, TRADERS[0])
    quick.send(encode_subscribe(1, messages.EXECUTIONS, 1, 0, 0, 0))
    assert (await quick.frame())[0] == messages.SUBSCRIBED
    for feed, stream in ((messages.MARKET_DATA, 0), (messages.EXECUTIONS, 0), (messages.VENUE, 0)):
        slow.send(encode_subscribe(1, feed, stream, 0, 0, 0))
        assert (await slow.frame())[0] == messages.SUBSCRIBED
    slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
    sequence = 10
    while node.gateway.counters.refusals[Refusal.READER_TOO_SLOW] == 0:
        frames = CommandFrames(sequence)
        for _ in range(500):
            place(frames, 1, BUY_YES, 4_000, 1)
            frames.checkpoint()
        sequence = frames.next_sequence
        operator.send(frames.take())
        await replies(operator, 1_000)
        assert len(await quick.frames(500)) == 500


@on_a_node(limits=GatewayLimits(heartbeat_ms=20, idle_ms=100))
async def test_a_client_that_falls_silent_is_cut_and_one_that_beats_is_not(
    node: SingleNode,
) -> None:
    """Heartbeats go both ways: the node's carry its log index, the client's keep the connection."""
    silent = await RawClient.trader(node.port, OPERATOR)
    lively = await RawClient.reader_of(node.port, OPERATOR)

    async def beat() -> None:
        while True:
            lively.send(encode_heartbeat())
            await asyncio.sleep(0.01)

    beating = asyncio.ensure_future(beat())
    assert (await silent.refused()).reason == Refusal.IDLE_TIMED_OUT
    lively.send(encode_query(1, messages.STATUS, 0, 0, 0, 0, 0))
    assert (await lively.frame())[0] == messages.ANSWER
    head = await lively.reader.readexactly(24)
    kind, index = struct.unpack_from("<4xhxxq", head)
    assert (kind, index) == (messages.HEARTBEAT, node.venue.log_index)
    beating.cancel()


@on_a_node(limits=GatewayLimits(turn_bytes=560))
async def test_groups_take_turns_across_connections(node: SingleNode) -> None:
    """A thousand commands of one connection do not keep another's out of the next group."""
    operator = await set_up_market(node)
    flood = await RawClient.trader(node.port, TRADERS[0], window=4_096)
    frames = CommandFrames(1)
    for _ in range(1_000):
        place(frames, 1, BUY_YES, 4_000, 1)
    node.hold()
    flood.send(frames.take())
    await seen(lambda: node.gateway.admission.count == 1_000)
    single = CommandFrames(10)
    single.checkpoint()
    operator.send(single.take())
    await seen(lambda: node.gateway.admission.count == 1_001)
    taken = node.gateway.take(2_000)
    assert taken is not None
    parts, count = taken
    assert sum(map(len, parts)) <= 2_000
    assert struct.unpack_from("<i", parts[1])[0] == operator.session
    assert count > 11
    node.commit(*taken)
    node.release()
    assert (await replies(operator, 1))[0].code == Code.OK
    assert len(await replies(flood, 1_000)) == 1_000


# Leadership.


@on_a_node()
async def test_a_follower_redirects_traders_and_serves_readers(node: SingleNode) -> None:
    """Trade logins are sent to the leader; reads that may be stale, and feeds, work on any node."""
    await set_up_market(node)
    node.lose_leadership(LeaderAddress(2, "node-2.example", 7_420))
    client = await RawClient.connect(node.port)
    client.send(client.login_frame(OPERATOR))
    kind, frame = await client.frame()
    assert kind == messages.REDIRECT
    assert struct.unpack_from("<ii", frame, 8) == (2, 7_420)
    assert frame[16:].rstrip(b"\x00") == b"node-2.example"
    assert await client.ended()
    reader = await RawClient.reader_of(node.port, TRADERS[0])
    reader.send(encode_query(1, messages.ACCOUNT, 1, 0, 0, 0, 0))
    assert (await reader.frame())[0] == messages.ANSWER
    reader.send(encode_query(2, messages.ACCOUNT, 1, 0, messages.LINEARIZABLE, 0, 0))
    refused = await reader.refused()
    assert (refused.reason, refused.detail, refused.request) == (Refusal.NOT_LEADER, 2, 2)


@on_a_node()
async def test_when_leadership_is_lost_traders_are_redirected_and_feeds_stay(
    node: SingleNode,
) -> None:
    """Traders and those waiting for a session get REDIRECT and the end.

    Subscribers get the next events.
    """
    operator = await set_up_market(node)
    reader = await RawClient.reader_of(node.port, OPERATOR)
    reader.send(encode_subscribe(1, messages.VENUE, 0, 0, 0, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    node.hold()
    waiting = await RawClient.connect(node.port)
    waiting.send(waiting.login_frame(OPERATOR))
    await seen(lambda: node.gateway.admission.count == 1)
    node.lose_leadership(None)
    assert node.gateway.admission.count == 0
    for client in (operator, waiting):
        kind, frame = await client.frame()
        assert kind == messages.REDIRECT
        assert struct.unpack_from("<ii", frame, 8) == (0, 0)
        assert await client.ended()
    frames = CommandFrames(10)
    frames.checkpoint()
    record = struct.pack("<ii", operator.session, 0) + frames.take()
    node.commit([record], 1)  # What the new leader has proposed arrives here.
    assert (await reader.frame())[0] == 232


@on_a_node()
async def test_a_replaced_state_ends_the_feeds(node: SingleNode) -> None:
    """After a snapshot took the state's place subscribers must start over; others stay."""
    operator = await set_up_market(node)
    reader = await RawClient.reader_of(node.port, TRADERS[0])
    reader.send(encode_subscribe(1, messages.MARKET_DATA, 1, 0, 0, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    node.gateway.state_replaced()
    assert (await reader.refused()).reason == Refusal.STATE_REPLACED
    operator.send(encode_query(1, messages.STATUS, 0, 0, 0, 0, 0))
    assert (await operator.frame())[0] == messages.ANSWER


# Feeds.


def event_fields(frame: bytes) -> tuple[int, int, int]:
    """Return (type, stream, stream sequence) of an event frame."""
    kind, stream, sequence = struct.unpack_from("<4xh14xiq", frame)
    return kind, stream, sequence


@on_a_node()
async def test_depth_comes_as_of_a_sequence_and_then_what_changes(node: SingleNode) -> None:
    """A subscriber with depth gets SUBSCRIBED, the levels as of S, and the events from S + 1."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    place(frames, 1, BUY_YES, 3_900, 50)
    place(frames, 1, BUY_NO, 5_500, 20)
    trader.send(frames.take())
    await replies(trader, 3)
    reader = await RawClient.reader_of(node.port, TRADERS[1])
    reader.send(encode_subscribe(9, messages.MARKET_DATA, 1, messages.WITH_DEPTH, 0, 0))
    (_, subscribed), (kind, levels) = await reader.frames(2)
    request, _, _, _, index, sequence = struct.unpack_from("<qhhiqq", subscribed, 8)
    assert (request, index) == (9, node.venue.log_index)
    assert kind == messages.DEPTH_LEVELS
    assert struct.unpack_from("<qiiqqq", levels, 8) == (9, 1, 0, index, sequence, 3)
    assert list(struct.iter_unpack("<iiq", levels[48:])) == [
        (4_000, 1, 100),
        (3_900, 1, 50),
        (4_500, 2, 20),
    ]
    place(frames, 1, BUY_YES, 4_100, 7)
    trader.send(frames.take())
    _, change = await reader.frame()
    assert event_fields(change) == (193, 1, sequence + 1)


@on_a_node()
async def test_streams_resume_from_a_sequence_without_gap_or_repetition(node: SingleNode) -> None:
    """From any sequence that is held, the past follows and then the present, each event once."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for _ in range(10):
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
    account = node.venue.account(1)
    assert account is not None
    newest = account.stream_sequence
    for start in (1, 4, newest, newest + 1):
        reader = await RawClient.reader_of(node.port, TRADERS[0])
        reader.send(encode_subscribe(3, messages.EXECUTIONS, 1, 0, 0, start))
        _, subscribed = await reader.frame()
        assert struct.unpack_from("<q", subscribed, 32)[0] == start - 1
        past = [event_fields(frame)[2] for _, frame in await reader.frames(newest - start + 1)]
        assert past == list(range(start, newest + 1))
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
        assert event_fields((await reader.frame())[1])[2] == newest + 1
        newest += 1
    ahead = await RawClient.reader_of(node.port, TRADERS[0])
    ahead.send(encode_subscribe(4, messages.EXECUTIONS, 1, 0, 0, newest + 2))
    assert (await ahead.refused()).reason == Refusal.NOT_YET_APPLIED


@on_a_node(history=History(most=5), limits=GatewayLimits(replay_bytes=64))
async def test_a_past_that_is_gone_is_refused_with_the_oldest_index(node: SingleNode) -> None:
    """TOO_OLD names the oldest index that is held; what is held is served, slice by slice."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for _ in range(10):
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
    oldest = node.history.oldest_index
    reader = await RawClient.reader_of(node.port, OPERATOR)
    for request in (
        encode_subscribe(1, messages.EXECUTIONS, 1, 0, 0, 1),
        encode_subscribe(1, messages.EXECUTIONS, 0, 0, oldest - 2, 0),
        encode_subscribe(1, messages.MARKET_DATA, 1, 0, 1, 2),
    ):
        reader.send(request)
        refused = await reader.refused()
        assert (refused.reason, refused.detail) == (Refusal.TOO_OLD, oldest)
    reader.send(encode_subscribe(2, messages.EXECUTIONS, 0, 0, oldest - 1, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    got = [struct.unpack_from("<q", frame, 8)[0] for _, frame in await reader.frames(5)]
    assert got == list(range(oldest, oldest + 5))


@on_a_node(limits=GatewayLimits(subscriptions=2))
async def test_who_may_follow_what(node: SingleNode) -> None:
    """Executions are for their owner, brokers and operators.

    Other ways to ask wrongly have their reasons.
    """
    await set_up_market(node)
    trader = await RawClient.reader_of(node.port, TRADERS[0])
    for feed, stream, reason in (
        (messages.EXECUTIONS, 2, Refusal.NOT_PERMITTED),
        (messages.EXECUTIONS, 0, Refusal.NOT_PERMITTED),
        (messages.VENUE, 0, Refusal.NOT_PERMITTED),
        (9, 1, Refusal.NOT_PERMITTED),
        (messages.MARKET_DATA, 77, Refusal.STREAM_UNKNOWN),
    ):
        trader.send(encode_subscribe(5, feed, stream, 0, 0, 0))
        refused = await trader.refused()
        assert (refused.reason, refused.closing, refused.request) == (reason, False, 5)
    for feed, stream in ((messages.EXECUTIONS, 1), (messages.MARKET_DATA, 0)):
        trader.send(encode_subscribe(6, feed, stream, 0, 0, 0))
        assert (await trader.frame())[0] == messages.SUBSCRIBED
    trader.send(encode_subscribe(7, messages.MARKET_DATA, 0, 0, 0, 0))
    assert (await trader.refused()).reason == Refusal.ALREADY_SUBSCRIBED
    trader.send(encode_subscribe(7, messages.MARKET_DATA, 1, 0, 0, 0))
    assert (await trader.refused()).reason == Refusal.TOO_MANY_SUBSCRIPTIONS
    trader.send(encode_unsubscribe(8, messages.EXECUTIONS, 1))
    assert (await trader.frame())[0] == messages.UNSUBSCRIBED
    trader.send(encode_unsubscribe(8, messages.EXECUTIONS, 1))
    assert (await trader.refused()).reason == Refusal.NOT_SUBSCRIBED


@pytest.mark.parametrize(
    "message",
    [
        encode_subscribe(5, messages.MARKET_DATA, 1, 8, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 0, messages.WITH_DEPTH, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, messages.WITH_DEPTH, 0, 1),
        encode_subscribe(5, messages.MARKET_DATA, 0, 0, 0, 5),
        encode_subscribe(5, messages.MARKET_DATA, -1, 0, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, 0, -1, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, 0, 0, -1),
        encode_query(5, messages.MARKET, 1, 0, 6, 0, 0),
        encode_query(5, messages.MARKET, -1, 0, 0, 0, 0),
        encode_query(5, messages.MARKETS, 0, 0, 0, -1, 0),
    ],
)
def test_messages_that_contradict_themselves_end_the_connection(message: bytes) -> None:
    """A message whose fields make no sense together is an error of the client's.

    Like a bad frame.
    """

    @on_a_node()
    async def run(node: SingleNode) -> None:
        client = await RawClient.reader_of(node.port, OPERATOR)
        client.send(message)
        refused = await client.refused()
        assert (refused.reason, refused.closing, refused.request) == (
            Refusal.MESSAGE_INVALID,
            True,
            5,
        )
        assert await client.ended()

    run()


# Queries.


@on_a_node()
async def test_answers_are_the_canonical_records(node: SingleNode) -> None:
    """Every subject answers with records of its layout, as of the index it says."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100, name=55)
    trader.send(frames.take())
    order = (await replies(trader, 1))[0].result
    operator = await RawClient.reader_of(node.port, OPERATOR)
    for subject, number, identifier, size, count in (
        (messages.ACCOUNT, 1, 0, 72, 1),
        (messages.POSITIONS, 1, 0, 56, 1),
        (messages.OPEN_ORDERS, 1, 0, 64, 1),
        (messages.ORDER, 1, order, 64, 1),
        (messages.ORDER_BY_CLIENT_ID, 1, 55, 64, 1),
        (messages.MARKET, 1, 0, 128, 1),
        (messages.MARKETS, 0, 0, 128, 1),
        (messages.EVENT, 1, 0, 88, 1),
        (messages.EVENTS, 0, 0, 88, 1),
        (messages.DEPTH, 1, 0, 16, 1),
        (messages.TREASURY, 0, 0, 64, 1),
        (messages.STATUS, 0, 0, 248, 1),
        (messages.ACCOUNTS, 0, 0, 72, 3),
    ):
        for options in (0, messages.LINEARIZABLE):
            operator.send(encode_query(8, subject, number, identifier, options, 0, 0))
            kind, frame = await operator.frame()
            assert kind == messages.ANSWER, subject
            assert struct.unpack_from("<qhhiqqq", frame, 8) == (
                8,
                subject,
                options,
                size,
                node.venue.log_index,
                0,
                count,
            )
            assert len(frame) == 48 + size * count


@on_a_node(limits=GatewayLimits(answer_bytes=1_024))
async def test_long_answers_continue_with_a_cursor(node: SingleNode) -> None:
    """More records than fit come in several answers, each once."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for name in range(1, 41):
        place(frames, 1, BUY_YES, 4_000 + name, 1, name=name)
    trader.send(frames.take())
    await replies(trader, 40)
    names: list[int] = []
    cursor = 0
    answers = 0
    while True:
        trader.send(encode_query(1, messages.OPEN_ORDERS, 1, 0, 0, cursor, 0))
        _, frame = await trader.frame()
        names += [struct.unpack_from("<q", frame, at + 8)[0] for at in range(48, len(frame), 64)]
        answers += 1
        cursor = struct.unpack_from("<q", frame, 32)[0]
        if not cursor:
            break
    assert names == list(range(1, 41))
    assert answers == 3


@on_a_node(limits=GatewayLimits(queries=2))
async def test_questions_that_cannot_be_answered_have_their_reasons(node: SingleNode) -> None:
    """Foreign accounts, unknown things, future indexes, lost leadership.

    Refused by name, connection kept.
    """
    await set_up_market(node)
    trader = await RawClient.reader_of(node.port, TRADERS[0])
    for subject, number, options, at_least, reason in (
        (messages.ACCOUNT, 2, 0, 0, Refusal.NOT_PERMITTED),
        (messages.ORDER, 0, 0, 0, Refusal.NOT_PERMITTED),
        (messages.ACCOUNTS, 0, 0, 0, Refusal.NOT_PERMITTED),
        (messages.MARKET, 99, 0, 0, Refusal.NOT_FOUND),
        (99, 1, 0, 0, Refusal.SUBJECT_UNKNOWN),
        (messages.MARKET, 1, 0, 1_000_000, Refusal.NOT_YET_APPLIED),
    ):
        trader.send(encode_query(4, subject, number, 1, options, 0, at_least))
        refused = await trader.refused()
        assert (refused.reason, refused.closing, refused.request) == (reason, False, 4)
    node.barriers_fail = True
    trader.send(encode_query(4, messages.MARKET, 1, 0, messages.LINEARIZABLE, 0, 0))
    assert (await trader.refused()).reason == Refusal.NOT_LEADER
