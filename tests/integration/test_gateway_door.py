"""The gateway's door: who and what it refuses, cuts or makes wait."""

import asyncio
import socket
import struct
import time
from typing import Any

import pytest
from nacl.signing import SigningKey

from node.domain.codes import Code
from node.gateway.gateway_limits import GatewayLimits
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import (
    encode_heartbeat,
    encode_logout,
    encode_query,
    encode_subscribe,
)
from node.protocol.refusals import Refusal
from tests.gateway_node import (
    BUY_YES,
    on_a_node,
    place,
    refusal_of,
    replies,
    seen,
    set_up_market,
)
from tests.raw_client import READ, RawClient
from tests.single_node import OPERATOR, TRADERS, SingleNode


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


@on_a_node(limits=GatewayLimits(heartbeat_ms=100, idle_ms=10_000))
async def test_a_lone_connection_gets_one_heartbeat_a_period(node: SingleNode) -> None:
    """Being the only client brings neither more heartbeats nor an earlier end."""
    alone = await RawClient.reader_of(node.port, OPERATOR)
    begun = time.monotonic()
    for _ in range(4):
        head = await alone.reader.readexactly(24)
        assert struct.unpack_from("<4xh", head) == (messages.HEARTBEAT,)
    elapsed = time.monotonic() - begun
    assert elapsed > 0.25  # Three whole periods lie between four heartbeats.


@on_a_node(limits=GatewayLimits(heartbeat_ms=20, idle_ms=200))
async def test_idleness_is_counted_in_time(node: SingleNode) -> None:
    """A lone client stays for as long as the limit says; the refusal tells how long it was mute."""
    begun = time.monotonic()
    alone = await RawClient.reader_of(node.port, OPERATOR)
    refused = await alone.refused()
    assert refused.reason == Refusal.IDLE_TIMED_OUT
    assert refused.detail > 200
    assert time.monotonic() - begun > 0.2


@on_a_node(limits=GatewayLimits(heartbeat_ms=20, idle_ms=100))
async def test_a_stall_of_the_node_is_not_blamed_on_its_clients(node: SingleNode) -> None:
    """What a client said while the node was busy is read before the client is called silent."""
    client = await RawClient.reader_of(node.port, OPERATOR)
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def stall() -> None:
        """Stand still where sockets are served: timers come before what is to be read next."""
        loop.remove_reader(ours)
        client.send(encode_query(1, messages.STATUS, 0, 0, 0, 0, 0))
        time.sleep(0.3)

    with ours, theirs:
        loop.add_reader(ours, stall)
        theirs.send(b"now")
        assert (await client.frame())[0] == messages.ANSWER


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
