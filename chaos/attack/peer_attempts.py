"""Attempts at the peer port, of strangers and of insiders that hold the cluster's key."""

import asyncio
import random as randomness
import struct
from collections.abc import Awaitable, Callable
from os import urandom
from typing import Final

from blake3 import blake3

from chaos.attack.knock import CLOSED, PATIENCE_SECONDS, Answer, flip_bit
from chaos.attack.login_attempts import Attempt
from chaos.attack.victim import Victim
from node.consensus.peer_handshake import MAGIC, Handshake, PeerIdentity
from node.consensus.peer_messages import NewerTerm, PreVoteRequest
from node.consensus.peer_wire import MAC_SIZE, MAX_BODY, PeerWire

_HELLO = struct.Struct("<8sHHii32s32s")
_LENGTH = struct.Struct("<I")
_LOGGED: Final = CLOSED._replace(peer_logged=1)
_HIGH_TERM: Final = 1 << 40
"""Were such a message taken, the cluster's term would show it."""


class PeerKnock:
    """A socket at a node's peer port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wrap an open connection."""
        self.reader = reader
        self.writer = writer

    async def framed(self) -> bytes:
        """Return the body of the next handshake frame. Raises IncompleteReadError at the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            (size,) = _LENGTH.unpack(await self.reader.readexactly(_LENGTH.size))
            return await self.reader.readexactly(size)

    async def ended(self, answer: Answer) -> Answer:
        """Return `answer` once the node has closed; an acceptance when it does not."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await self.reader.read(1 << 16):
                    pass
        except TimeoutError:
            return Answer("the connection stays", accepted=True)
        except ConnectionError:
            return answer
        return answer


Talk = Callable[[PeerKnock, int], Awaitable[Answer]]
"""What is done on a connection to a node of that number."""


async def _at(victim: Victim, random: randomness.Random, talk: Talk) -> Answer:
    node = random.choice((victim.leader, victim.follower))
    member = victim.deployment.member(node)
    knock = PeerKnock(*await asyncio.open_connection(member.host, member.peer_port))
    try:
        return await talk(knock, node)
    finally:
        knock.writer.transport.abort()


def _hello(
    victim: Victim,
    random: randomness.Random,
    receiver: int,
    *,
    sender: int | None = None,
    version: int = 1,
    genesis: bytes | None = None,
    magic: bytes = MAGIC,
) -> bytes:
    own = victim.absent if sender is None else sender
    hashed = victim.secrets.genesis_hash if genesis is None else genesis
    body = _HELLO.pack(magic, version, 0, own, receiver, random.randbytes(32), hashed)
    return _LENGTH.pack(len(body)) + body


# Strangers.


async def no_handshake(victim: Victim, random: randomness.Random) -> Answer:
    """Speak HTTP, TLS or nothing at all to the peer port."""
    said = random.choice(
        (
            b"GET /status HTTP/1.1\r\nHost: node\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(300),
            random.randbytes(3) + b"\xff" + random.randbytes(60),
        )
    )

    async def talk(knock: PeerKnock, node: int) -> Answer:
        del node
        knock.writer.write(said)
        return await knock.ended(CLOSED)

    return await _at(victim, random, talk)


async def _hello_only(
    victim: Victim, random: randomness.Random, make: Callable[[int], bytes], answer: Answer
) -> Answer:
    async def talk(knock: PeerKnock, node: int) -> Answer:
        knock.writer.write(make(node))
        return await knock.ended(answer)

    return await _at(victim, random, talk)


async def not_our_protocol(victim: Victim, random: randomness.Random) -> Answer:
    """Begin with other magic bytes."""
    magic = random.randbytes(8)
    return await _hello_only(
        victim, random, lambda node: _hello(victim, random, node, magic=magic), CLOSED
    )


async def other_peer_version(victim: Victim, random: randomness.Random) -> Answer:
    """Speak another version of the peer protocol."""
    version = random.choice((0, 2, 3, 0xFFFF))
    return await _hello_only(
        victim, random, lambda node: _hello(victim, random, node, version=version), _LOGGED
    )


async def wrong_genesis(victim: Victim, random: randomness.Random) -> Answer:
    """Be of another cluster."""
    genesis = random.randbytes(32)
    return await _hello_only(
        victim, random, lambda node: _hello(victim, random, node, genesis=genesis), _LOGGED
    )


async def wrong_number(victim: Victim, random: randomness.Random) -> Answer:
    """Claim a number that is no member's, or the node's own, or ask for another node."""
    kind = random.randrange(3)

    def make(node: int) -> bytes:
        if kind == 0:
            return _hello(victim, random, node, sender=random.choice((0, -1, 4, 9, 1 << 30)))
        if kind == 1:
            return _hello(victim, random, node, sender=node)
        return _hello(victim, random, node % 3 + 1)

    return await _hello_only(victim, random, make, _LOGGED)


async def _with_proof(
    victim: Victim, random: randomness.Random, prove: Callable[[bytes, bytes], bytes]
) -> Answer:
    """Claim any member's number and answer the node's reply with what `prove` makes of it."""

    async def talk(knock: PeerKnock, node: int) -> Answer:
        sender = random.choice([number for number in (1, 2, 3) if number != node])
        hello = _hello(victim, random, node, sender=sender)
        knock.writer.write(hello)
        reply = await knock.framed()
        body, proof = reply[: _HELLO.size], reply[_HELLO.size :]
        said = prove(blake3(hello[_LENGTH.size :] + body).digest(), proof)
        knock.writer.write(_LENGTH.pack(len(said)) + said)
        return await knock.ended(_LOGGED)

    return await _at(victim, random, talk)


async def wrong_cluster_key(victim: Victim, random: randomness.Random) -> Answer:
    """Prove to hold a key that is not the cluster's."""
    key = random.randbytes(32)
    return await _with_proof(
        victim, random, lambda transcript, _: blake3(b"dialer" + transcript, key=key).digest()
    )


async def no_cluster_key(victim: Victim, random: randomness.Random) -> Answer:
    """Prove nothing: zeros, noise, too little or too much."""
    said = random.choice((bytes(32), random.randbytes(32), b"", bytes(31), bytes(64)))
    return await _with_proof(victim, random, lambda *_: said)


async def reflected_proof(victim: Victim, random: randomness.Random) -> Answer:
    """Send the node's own proof back to it."""
    return await _with_proof(victim, random, lambda _, proof: proof)


async def replayed_handshake(victim: Victim, random: randomness.Random) -> Answer:
    """Say again what a real peer said, hello and proof, on a new connection."""

    async def record(knock: PeerKnock, node: int) -> tuple[bytes, bytes]:
        handshake = _insider(victim, node)
        hello = handshake.start()
        knock.writer.write(hello)
        reply = await knock.framed()
        return hello, handshake.receive(_LENGTH.pack(len(reply)) + reply)

    async def talk(knock: PeerKnock, node: int) -> Answer:
        member = victim.deployment.member(node)
        first = PeerKnock(*await asyncio.open_connection(member.host, member.peer_port))
        try:
            hello, proof = await record(first, node)
        finally:
            first.writer.transport.abort()
        knock.writer.write(hello + proof)
        return await knock.ended(_LOGGED)

    return await _at(victim, random, talk)


# Insiders: who holds the key is in, and must still keep to the protocol.


def _insider(victim: Victim, node: int) -> Handshake:
    secrets = victim.secrets
    identity = PeerIdentity(victim.absent, (1, 2, 3), secrets.genesis_hash, secrets.cluster_key)
    return Handshake(identity, node, urandom)


async def _inside(
    victim: Victim,
    random: randomness.Random,
    say: Callable[[PeerWire, PeerWire], bytes],
    *,
    logged: bool = True,
) -> Answer:
    """Get in as the node that does not run, then say what `say` makes of two such connections."""

    async def talk(knock: PeerKnock, node: int) -> Answer:
        other = await _wire(victim, node, None)
        wire = await _wire(victim, node, knock)
        knock.writer.write(say(wire, other))
        return await knock.ended(_LOGGED if logged else CLOSED)

    async with victim.insiders:  # One at a time: a second would put an end to the first.
        return await _at(victim, random, talk)


async def _wire(victim: Victim, node: int, knock: PeerKnock | None) -> PeerWire:
    """Return the wire of a handshake that succeeds; without `knock` it is left at once."""
    member = victim.deployment.member(node)
    used = knock or PeerKnock(*await asyncio.open_connection(member.host, member.peer_port))
    handshake = _insider(victim, node)
    used.writer.write(handshake.start())
    reply = await used.framed()
    used.writer.write(handshake.receive(_LENGTH.pack(len(reply)) + reply))
    assert handshake.keys is not None
    if knock is None:
        used.writer.transport.abort()
    return PeerWire(handshake.keys)


def _sealed(wire: PeerWire) -> bytes:
    return b"".join(wire.seal(PreVoteRequest(_HIGH_TERM, _HIGH_TERM, _HIGH_TERM)))


async def wrong_authentication(victim: Victim, random: randomness.Random) -> Answer:
    """Flip a bit of a sealed frame, in its body or its authentication."""
    return await _inside(
        victim,
        random,
        lambda wire, _: flip_bit(random, sealed := _sealed(wire), _LENGTH.size, len(sealed)),
    )


async def repeated_frame(victim: Victim, random: randomness.Random) -> Answer:
    """Send a good frame twice: its counter has passed."""
    return await _inside(victim, random, lambda wire, _: b"".join(wire.seal(NewerTerm(0))) * 2)


async def skipped_frame(victim: Victim, random: randomness.Random) -> Answer:
    """Leave a frame out: the next one's counter is ahead."""

    def say(wire: PeerWire, other: PeerWire) -> bytes:
        del other
        wire.seal(NewerTerm(0))
        return _sealed(wire)

    return await _inside(victim, random, say)


async def frame_of_another_connection(victim: Victim, random: randomness.Random) -> Answer:
    """Send what was sealed for another connection of the same two nodes."""
    return await _inside(victim, random, lambda _, other: _sealed(other))


async def impossible_frame(victim: Victim, random: randomness.Random) -> Answer:
    """Say a length that no frame has, or seal bytes that are no message."""
    length = random.choice((0, MAX_BODY + 1, (1 << 32) - 1))
    return await _inside(
        victim, random, lambda *_: _LENGTH.pack(length) + random.randbytes(MAC_SIZE)
    )


PEER_ATTEMPTS: Final[dict[str, Attempt]] = {
    "peer: no handshake": no_handshake,
    "peer: not our protocol": not_our_protocol,
    "peer: other version": other_peer_version,
    "peer: wrong genesis": wrong_genesis,
    "peer: wrong or foreign number": wrong_number,
    "peer: wrong cluster key": wrong_cluster_key,
    "peer: no cluster key": no_cluster_key,
    "peer: reflected proof": reflected_proof,
}
INSIDER_ATTEMPTS: Final[dict[str, Attempt]] = {
    "peer: replayed handshake": replayed_handshake,
    "peer: wrong authentication": wrong_authentication,
    "peer: repeated frame": repeated_frame,
    "peer: skipped frame": skipped_frame,
    "peer: frame of another connection": frame_of_another_connection,
    "peer: impossible frame": impossible_frame,
}
