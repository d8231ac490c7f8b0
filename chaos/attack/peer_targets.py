"""Decoders at the peer port: the handshake, sealed frames, and the messages in them."""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from blake3 import blake3

from chaos.attack.door_targets import cut_of
from chaos.attack.target import BrokenPromiseError, Target
from node.consensus import peer_messages as said
from node.consensus.errors import ConsensusError, WireError
from node.consensus.peer_handshake import (
    MAX_HANDSHAKE_FRAME,
    Handshake,
    PeerIdentity,
    SessionKeys,
)
from node.consensus.peer_messages import Append, Message, decode_message, encode_message
from node.consensus.peer_wire import MAC_SIZE, PeerWire

_MEMBERS: Final = frozenset({1, 2, 3})
_LISTENER: Final = PeerIdentity(1, _MEMBERS, b"g" * 32, b"k" * 32)
_DIALER: Final = _LISTENER._replace(node=2)
_LENGTH = Struct("<I")
_COUNTER = Struct("<Q")

MESSAGES: Final[tuple[Message, ...]] = (
    Append(3, 1, 4, 2, 3, 99, [(b"abc", 5, 2), (b"x" * 600, 6, 3)]),
    Append(3, 1, 0, 0, 0, -1, []),
    said.Appended(1, 2, 3, accepted=True, recovering=False),
    said.VoteRequest(1, 2, 3),
    said.Vote(1),
    said.PreVoteRequest(1, 2, 3),
    said.PreVote(1, granted=False),
    said.NewerTerm(1),
    said.TimeoutNow(1),
    said.ReadProbe(1, 2),
    said.ReadProbed(1, 2),
    said.SnapshotOffer(1, 2, 3, 4, b"h" * 32),
    said.SnapshotChunk(1, 2, 3, b"bytes"),
    said.SnapshotTaken(1, 2, 3, 1),
    said.Gossip(-5, 6, b"d" * 32),
    said.RecoveryQuestion(1),
    said.RecoveryAnswer(1, 2, 3),
)


def _listener() -> Handshake:
    return Handshake(_LISTENER, None, lambda size: b"l" * size)


def _dialer() -> Handshake:
    return Handshake(_DIALER, 1, lambda size: b"d" * size)


def _transcript() -> tuple[bytes, bytes, bytes]:
    """Return hello, reply and proof of a handshake whose nonces are always the same."""
    dialer, listener = _dialer(), _listener()
    hello = dialer.start()
    reply = listener.receive(hello)
    proof = dialer.receive(reply)
    listener.receive(proof)
    assert listener.keys is not None
    return hello, reply, proof


HELLO, REPLY, PROOF = _transcript()


def judge_handshake(inputs: Sequence[bytes]) -> None:
    """Demand a refusal by name of both sides, and that none gets in without the key."""
    for data in inputs:
        cut = cut_of(data)
        if cut % 3 == 0:
            _shake(_dialer(), data, cut, REPLY)
        elif cut % 3 == 1:
            listener = _listener()
            listener.receive(HELLO)
            _shake(listener, data, cut, PROOF)
        else:
            _shake(_listener(), data, cut, HELLO + PROOF)


def _shake(side: Handshake, data: bytes, cut: int, expected: bytes) -> None:
    try:
        said_back = len(side.receive(data[:cut])) + len(side.receive(data[cut:]))
    except ConsensusError:
        if len(side.last_words) > MAX_HANDSHAKE_FRAME:
            raise BrokenPromiseError(f"last words of {len(side.last_words)} bytes") from None
        return
    if said_back > 2 * MAX_HANDSHAKE_FRAME:
        raise BrokenPromiseError(f"{said_back} bytes said to a stranger")
    if side.keys is not None and not data.startswith(expected):
        raise BrokenPromiseError("a handshake succeeded without the cluster's key")


def _wire_pair() -> tuple[PeerWire, bytes]:
    dialer, listener = _dialer(), _listener()
    listener.receive(dialer.receive(listener.receive(dialer.start())))
    assert dialer.keys is not None
    assert listener.keys is not None
    return PeerWire(dialer.keys), listener.keys.receive


def sealed_frames() -> list[bytes]:
    """Return each message as the first frame of a connection, and all as one run."""
    run, _ = _wire_pair()
    whole = b"".join(part for message in MESSAGES for part in run.seal(message))
    return [whole, *(b"".join(_wire_pair()[0].seal(message)) for message in MESSAGES)]


_KEYS: Final = _wire_pair()[1]


def seal_again(data: bytes) -> bytes:
    """Return `data` as the body of a frame with the right length and authentication.

    As a member that is broken, or turned, would send it.
    """
    body = data or b"\0"
    mac = blake3(_COUNTER.pack(0), key=_KEYS)
    mac.update(body)
    return _LENGTH.pack(len(body)) + body + mac.digest(length=MAC_SIZE)


def judge_wire(inputs: Sequence[bytes]) -> None:
    """Demand WireError or whole messages of a wire, and no memory for what was only said."""
    keys = _receiver_keys()
    for data in inputs:
        wire = PeerWire(keys)
        cut = cut_of(data)
        try:
            found = wire.receive(data[:cut])
            found += wire.receive(data[cut:])
        except WireError:
            continue
        if found and _LENGTH.unpack_from(data)[0] + _LENGTH.size + MAC_SIZE > len(data):
            raise BrokenPromiseError("a message was taken that had not arrived whole")


def _receiver_keys() -> SessionKeys:
    dialer, listener = _dialer(), _listener()
    listener.receive(dialer.receive(listener.receive(dialer.start())))
    assert listener.keys is not None
    return listener.keys


def judge_messages(inputs: Sequence[bytes]) -> None:
    """Demand that bytes are one whole message, or WireError."""
    for data in inputs:
        try:
            message = decode_message(data)
        except WireError:
            continue
        if isinstance(message, Append):
            size = sum(len(payload) for payload, _, _ in message.entries)
            if size > len(data):
                raise BrokenPromiseError("entries are longer than the message")


def peer_targets() -> list[Target]:
    """Return the decoders of the peer protocol."""
    bodies = [b"".join(encode_message(message)) for message in MESSAGES]
    handshake = [HELLO, REPLY, PROOF, HELLO + PROOF, HELLO + REPLY]
    return [
        Target(
            "peer-handshake",
            "the handshake of two nodes, both sides",
            ("node.consensus.peer_handshake",),
            handshake,
            judge_handshake,
        ),
        Target(
            "peer-wire",
            "sealed frames between nodes",
            ("node.consensus.peer_wire", "node.consensus.peer_messages"),
            sealed_frames() + bodies,
            judge_wire,
            repair=seal_again,
        ),
        Target(
            "peer-messages",
            "messages between nodes",
            ("node.consensus.peer_messages",),
            bodies,
            judge_messages,
        ),
    ]
