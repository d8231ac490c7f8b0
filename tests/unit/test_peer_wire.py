"""The wire between nodes: only holders of key and genesis get in, only whole frames through."""

import contextlib
from os import urandom
from random import Random

import pytest

from node.consensus.errors import ConsensusError, GenesisMismatchError, PeerRefusedError, WireError
from node.consensus.peer_handshake import Handshake, PeerIdentity
from node.consensus.peer_messages import (
    Append,
    Appended,
    Gossip,
    Message,
    NewerTerm,
    PreVote,
    PreVoteRequest,
    ReadProbe,
    ReadProbed,
    RecoveryAnswer,
    RecoveryQuestion,
    SnapshotChunk,
    SnapshotOffer,
    SnapshotTaken,
    TimeoutNow,
    Vote,
    VoteRequest,
    decode_message,
    encode_message,
)
from node.consensus.peer_wire import MAX_BODY, PeerWire

MEMBERS = frozenset({1, 2, 3})
ONE = PeerIdentity(1, MEMBERS, b"g" * 32, b"k" * 32)
TWO = ONE._replace(node=2)
MESSAGES: tuple[Message, ...] = (
    Append(3, 1, 4, 2, 3, 99, [(b"abc", 5, 2), (b"x" * 70_000, 6, 3)]),
    Append(3, 1, 0, 0, 0, -1, []),
    Appended(1, 2, 3, accepted=True, recovering=False),
    VoteRequest(1, 2, 3),
    Vote(1),
    PreVoteRequest(1, 2, 3),
    PreVote(1, granted=False),
    NewerTerm(1),
    TimeoutNow(1),
    ReadProbe(1, 2),
    ReadProbed(1, 2),
    SnapshotOffer(1, 2, 3, 4, b"h" * 32),
    SnapshotChunk(1, 2, 3, b"bytes"),
    SnapshotTaken(1, 2, 3, 1),
    Gossip(-5, 6, b"d" * 32),
    RecoveryQuestion(1),
    RecoveryAnswer(1, 2, 3),
)


def shake(dialer: Handshake, listener: Handshake) -> None:
    """Let two sides talk to the end."""
    listener.receive(dialer.receive(listener.receive(dialer.start())))


def wires() -> tuple[PeerWire, PeerWire]:
    """Return both ends of a connection: node 2's, which dialled, and node 1's."""
    dialer, listener = Handshake(TWO, 1, urandom), Handshake(ONE, None, urandom)
    shake(dialer, listener)
    assert dialer.keys is not None
    assert listener.keys is not None
    assert listener.peer == 2
    return PeerWire(dialer.keys), PeerWire(listener.keys)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_arrives_as_it_was_sent(message: Message) -> None:
    """Whatever pieces the bytes arrive in."""
    sender, receiver = wires()
    data = b"".join(sender.seal(message))
    step = max(1, len(data) // 7)

    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    got = [said for chunk in chunks for said in receiver.receive(chunk)]

    assert got == [message]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_no_prefix_of_a_message_is_a_message(message: Message) -> None:
    """A body that is too short, or too long, is refused and never misread."""
    body = b"".join(encode_message(message))
    assert decode_message(body) == message
    sizes = [size for size in range(0, len(body), max(1, len(body) // 50)) if size < len(body)]
    for size in sizes:
        try:
            shorter = decode_message(body[:size])
        except WireError:
            continue
        assert isinstance(shorter, SnapshotChunk)
    with pytest.raises(WireError):
        decode_message(body + b"\x00" if not isinstance(message, SnapshotChunk) else b"")


def test_random_bytes_never_raise_anything_else() -> None:
    """A decoder of bytes from outside has one way to say no."""
    random = Random(5)
    for _ in range(20_000):
        body = bytes([random.randint(0, 20)]) + random.randbytes(random.randint(0, 90))
        with contextlib.suppress(WireError):
            decode_message(body)


@pytest.mark.parametrize("at", [0, 5, -1, -20])
def test_an_altered_frame_closes_the_connection(at: int) -> None:
    """A flipped bit in length, body or authentication is noticed."""
    sender, receiver = wires()
    data = bytearray(b"".join(sender.seal(NewerTerm(7))))
    data[at] ^= 1
    with pytest.raises(WireError):
        receiver.receive(bytes(data) + bytes(300))


def test_a_repeated_or_missing_frame_closes_the_connection() -> None:
    """The counter in the authentication allows one order only."""
    sender, receiver = wires()
    first, second = (b"".join(sender.seal(NewerTerm(term))) for term in (1, 2))
    assert receiver.receive(first)
    with pytest.raises(WireError):
        receiver.receive(first)

    _sender, other = wires()
    with pytest.raises(WireError):
        other.receive(second)


def test_a_frame_cannot_be_sent_back() -> None:
    """Each direction has a key of its own."""
    sender, _receiver = wires()
    with pytest.raises(WireError):
        sender.receive(b"".join(sender.seal(NewerTerm(1))))


def test_an_oversized_frame_is_refused_before_it_is_buffered() -> None:
    """The length alone is enough to say no."""
    _sender, receiver = wires()
    with pytest.raises(WireError, match="frame of"):
        receiver.receive((MAX_BODY + 1).to_bytes(4, "little"))
    with pytest.raises(WireError, match="frame of"):
        Handshake(ONE, None, urandom).receive((1 << 20).to_bytes(4, "little"))


def test_nodes_of_two_clusters_refuse_each_other_by_name() -> None:
    """Both sides raise the error that names both genesis hashes."""
    dialer, listener = (
        Handshake(TWO._replace(genesis_hash=b"x" * 32), 1, urandom),
        Handshake(ONE, None, urandom),
    )
    with pytest.raises(GenesisMismatchError):
        listener.receive(dialer.start())
    with pytest.raises(GenesisMismatchError, match="two clusters"):
        dialer.receive(listener.last_words)
    assert listener.keys is None
    assert dialer.keys is None


@pytest.mark.parametrize(
    ("dialer", "dialled"),
    [
        (TWO._replace(cluster_key=b"z" * 32), 1),
        (TWO, 3),
        (TWO._replace(node=9), 1),
        (TWO._replace(node=1), 1),
    ],
    ids=["wrong key", "wrong address", "not a member", "ourselves"],
)
def test_strangers_are_refused(dialer: PeerIdentity, dialled: int) -> None:
    """Neither side gets session keys."""
    ours, theirs = Handshake(dialer, dialled, urandom), Handshake(ONE, None, urandom)
    with pytest.raises(ConsensusError):
        shake(ours, theirs)
    assert theirs.keys is None
    assert ours.keys is None


def test_a_recorded_handshake_opens_nothing() -> None:
    """Fresh nonces on both sides: the proof of one handshake is none in another."""
    dialer, listener = Handshake(TWO, 1, urandom), Handshake(ONE, None, urandom)
    hello = dialer.start()
    proof = dialer.receive(listener.receive(hello))
    listener.receive(proof)
    assert listener.keys is not None

    again = Handshake(ONE, None, urandom)
    again.receive(hello)
    with pytest.raises(PeerRefusedError, match="cluster key"):
        again.receive(proof)


def test_a_listener_without_the_key_learns_nothing_that_opens_a_session() -> None:
    """The dialer checks the listener's proof before it gives its own."""
    dialer, listener = (
        Handshake(TWO, 1, urandom),
        Handshake(ONE._replace(cluster_key=b"z" * 32), None, urandom),
    )
    with pytest.raises(PeerRefusedError, match="cluster key"):
        dialer.receive(listener.receive(dialer.start()))
