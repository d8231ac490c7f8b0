"""Attempts to log in, or to trade without having logged in: each kind one function."""

import random as randomness
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from nacl.signing import SigningKey

from chaos.attack.knock import Answer, Knock, flip_bit
from chaos.attack.victim import Victim
from node.domain import commands
from node.protocol import encoding, messages
from node.protocol.command_frames import CommandFrames

Attempt = Callable[[Victim, randomness.Random], Awaitable[Answer]]
_CURVE_ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493
_HEAD = struct.Struct("<ihh")


def _somebody(victim: Victim, random: randomness.Random) -> SigningKey:
    return random.choice(victim.traders)


def _somewhere(victim: Victim, random: randomness.Random) -> int:
    return victim.client_port(random.choice((victim.leader, victim.follower)))


async def _at_leader(victim: Victim, frames: Callable[[Knock], bytes]) -> Answer:
    async with await Knock.at(victim.client_port(victim.leader)) as knock:
        knock.send(frames(knock))
        return await knock.answer()


async def wrong_key(victim: Victim, random: randomness.Random) -> Answer:
    """Name a trader's key and sign with another."""
    key, other = _somebody(victim, random), SigningKey.generate()
    return await _at_leader(victim, lambda knock: knock.login_frame(key, signer=other))


async def unregistered_key(victim: Victim, random: randomness.Random) -> Answer:
    """Log in with a key that the venue has never seen."""
    purpose = random.choice((messages.TRADE, messages.READ))
    window = 64 if purpose == messages.TRADE else 0
    key = SigningKey.generate()
    return await _at_leader(
        victim, lambda knock: knock.login_frame(key, purpose=purpose, window=window)
    )


async def revoked_key(victim: Victim, random: randomness.Random) -> Answer:
    """Log in with a key whose rights were taken away."""
    purpose = random.choice((messages.TRADE, messages.READ))
    window = 64 if purpose == messages.TRADE else 0
    return await _at_leader(
        victim, lambda knock: knock.login_frame(victim.revoked, purpose=purpose, window=window)
    )


async def replayed_login(victim: Victim, random: randomness.Random) -> Answer:
    """Send again what a trader signed for another connection to the same node."""
    key = _somebody(victim, random)
    port = _somewhere(victim, random)
    async with await Knock.at(port) as first:
        recorded = first.login_frame(key, purpose=messages.READ, window=0)
        if random.random() < 0.5:
            first.send(recorded)
            await first.frame()
    async with await Knock.at(port) as second:
        second.send(recorded)
        return await second.answer()


async def replayed_at_another_node(victim: Victim, random: randomness.Random) -> Answer:
    """Relay to the follower what a trader signed for the leader, nonce and all, or its node."""
    key = _somebody(victim, random)
    async with (
        await Knock.at(victim.client_port(victim.leader)) as leader,
        await Knock.at(victim.client_port(victim.follower)) as follower,
    ):
        nonce = random.choice((leader.nonce, follower.nonce))
        follower.send(leader.login_frame(key, purpose=messages.READ, window=0, nonce=nonce))
        return await follower.answer()


async def other_cluster(victim: Victim, random: randomness.Random) -> Answer:
    """Sign for another cluster."""
    key, cluster_id = _somebody(victim, random), random.randbytes(16)
    return await _at_leader(victim, lambda knock: knock.login_frame(key, cluster_id=cluster_id))


async def other_version(victim: Victim, random: randomness.Random) -> Answer:
    """Speak a version that the node does not, signed as such."""
    key = _somebody(victim, random)
    version = random.choice((0, 2, 3, -1, 0x7FFF, -0x8000))
    return await _at_leader(victim, lambda knock: knock.login_frame(key, version=version))


async def flipped_signature(victim: Victim, random: randomness.Random) -> Answer:
    """Flip one bit of a signature."""
    key = _somebody(victim, random)
    first, last = messages.LOGIN_SIGNATURE, messages.LOGIN_SIZE
    return await _at_leader(
        victim, lambda knock: flip_bit(random, knock.login_frame(key), first, last)
    )


async def malleated_signature(victim: Victim, random: randomness.Random) -> Answer:
    """Add the order of the curve to a signature's scalar: the same point, other bytes."""
    key = _somebody(victim, random)

    def malleated(knock: Knock) -> bytes:
        frame = knock.login_frame(key)
        scalar = int.from_bytes(frame[-32:], "little") + _CURVE_ORDER
        return frame[:-32] + (scalar % (1 << 256)).to_bytes(32, "little")

    return await _at_leader(victim, malleated)


async def altered_request(victim: Victim, random: randomness.Random) -> Answer:
    """Ask for another session or window, or for trade where reading was signed."""
    key = _somebody(victim, random)

    def altered(knock: Knock) -> bytes:
        if random.random() < 0.5:
            frame = bytearray(knock.login_frame(key, purpose=messages.READ))
            struct.pack_into("<h", frame, messages.LOGIN_PURPOSE, messages.TRADE)
        else:
            frame = bytearray(knock.login_frame(key, window=64))
            struct.pack_into("<i", frame, messages.LOGIN_WINDOW, random.randrange(65, 1_024))
        return bytes(frame)

    return await _at_leader(victim, altered)


async def unknown_session(victim: Victim, random: randomness.Random) -> Answer:
    """Resume a session that was never opened."""
    key, session = _somebody(victim, random), random.randrange(1 << 20, 1 << 31)
    return await _at_leader(victim, lambda knock: knock.login_frame(key, session=session))


async def trading_before_login(victim: Victim, random: randomness.Random) -> Answer:
    """Send orders, cancels or an operator's commands without any login."""
    frames = CommandFrames(random.choice((1, 2, 1 << 40)))
    kind = random.randrange(4)
    if kind == 0:
        frames.place(1, 1, random.getrandbits(62) + 1, 5_000, 1, 1, 100)
    elif kind == 1:
        frames.cancel_all(1, 0, 0, 0)
    elif kind == 2:
        frames.deposit(1, 1_000_000, 1)
    else:
        frames.key_grant(3, 0, random.randbytes(32))
    sent = frames.take()
    return await _at_leader(victim, lambda _: sent)


async def asking_before_login(victim: Victim, random: randomness.Random) -> Answer:
    """Ask, subscribe or unsubscribe without any login."""
    said = random.choice(
        (
            encoding.encode_query(1, messages.STATUS, 0, 0, 0, 0, 0),
            encoding.encode_query(1, messages.ACCOUNTS, 0, 0, messages.LINEARIZABLE, 0, 0),
            encoding.encode_subscribe(1, messages.EXECUTIONS, 0, 0, 0, 0),
            encoding.encode_subscribe(1, messages.VENUE, 0, 0, 1, 1),
            encoding.encode_unsubscribe(1, messages.VENUE, 0),
        )
    )
    return await _at_leader(victim, lambda _: said)


async def injected_record(victim: Victim, random: randomness.Random) -> Answer:
    """Send a log record, session in front, where frames are expected."""
    frames = CommandFrames(1)
    frames.place(1, 1, 1, 5_000, 1, 1, 100)
    session = random.randrange(0, 40)
    record = struct.pack("<ii", session, 0) + frames.take()
    return await _at_leader(victim, lambda _: record)


async def injected_session_open(victim: Victim, random: randomness.Random) -> Answer:
    """Send the command by which a leader opens sessions, whole, cut or in a log record."""
    key = bytes(_somebody(victim, random).verify_key)
    record = encoding.encode_session_open(key, 64, random.randbytes(32), random.randbytes(64))
    frame = bytearray(record[commands.RECORD_FRAME :])
    if random.random() < 0.3:
        struct.pack_into("<q", frame, commands.COMMAND_SEQUENCE, random.randrange(3))
    elif random.random() < 0.3:
        frame = bytearray(flip_bit(random, bytes(frame), 8, len(frame)))
    return await _at_leader(victim, lambda _: bytes(frame))


async def node_frames(victim: Victim, random: randomness.Random) -> Answer:
    """Say what only nodes say: an acceptance, a challenge, a reply, an event."""
    said = random.choice(
        (
            encoding.encode_login_accepted(1, 64, 1, 1, 1, 1, 1, messages.TRADE, 1),
            encoding.encode_challenge(1, 1, 1, bytes(16), bytes(32), 1, 1),
            encoding.encode_refused(1, closing=True),
            _HEAD.pack(48, 128, 0) + bytes(40),
            _HEAD.pack(48, random.randrange(160, 240), 0) + bytes(40),
        )
    )
    return await _at_leader(victim, lambda _: said)


LOGIN_ATTEMPTS: Final[dict[str, Attempt]] = {
    "wrong key": wrong_key,
    "unregistered key": unregistered_key,
    "revoked key": revoked_key,
    "replayed login": replayed_login,
    "login relayed to another node": replayed_at_another_node,
    "login for another cluster": other_cluster,
    "other protocol version": other_version,
    "bit-flipped signature": flipped_signature,
    "malleated signature": malleated_signature,
    "request altered behind its signature": altered_request,
    "unknown session": unknown_session,
    "trading before login": trading_before_login,
    "asking before login": asking_before_login,
    "injected log record": injected_record,
    "injected SESSION_OPEN": injected_session_open,
    "what only nodes say": node_frames,
}
