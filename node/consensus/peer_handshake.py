"""How two nodes prove to each other that they hold the cluster's key, without any I/O.

dialer -> HELLO, listener -> REPLY with its proof, dialer -> PROOF. Both proofs and the keys that
follow cover both hellos whole: protocol version, both node numbers, both nonces and the genesis
hash. All nodes share one key, so this keeps strangers and other clusters out; it does not tell
members apart beyond their word.
"""

import hmac
import struct
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from blake3 import blake3

from node.consensus.errors import GenesisMismatchError, PeerRefusedError, WireError

PROTOCOL_VERSION: Final = 1
MAGIC: Final = b"QBPEER\r\n"
NONCE_SIZE: Final = 32
KEY_SIZE: Final = 32
_HELLO = struct.Struct("<8sHHii32s32s")
_PROOF_SIZE: Final = 32
_REPLY_SIZE: Final = _HELLO.size + _PROOF_SIZE
_LENGTH = struct.Struct("<I")
MAX_HANDSHAKE_FRAME: Final = 256


class PeerIdentity(NamedTuple):
    """Who this node is, and what it shares with its peers."""

    node: int
    members: Collection[int]
    genesis_hash: bytes
    cluster_key: bytes


class SessionKeys(NamedTuple):
    """The keys of one connection, one a direction."""

    send: bytes
    receive: bytes


class _Hello(NamedTuple):
    magic: bytes
    version: int
    zero: int
    sender: int
    receiver: int
    nonce: bytes
    genesis_hash: bytes


def _proof(identity: PeerIdentity, side: bytes, transcript: bytes) -> bytes:
    return blake3(side + transcript, key=identity.cluster_key).digest()


def _session_key(identity: PeerIdentity, direction: str, transcript: bytes) -> bytes:
    context = f"quorumbook peer session 1 {direction}"
    return blake3(identity.cluster_key + transcript, derive_key_context=context).digest()


class Handshake:
    """One side of a handshake: feed it what arrives, send what it returns, until `keys` is set.

    A listener passes no `peer` and learns it. Raises PeerRefusedError or WireError; the connection
    must then be closed, after sending `last_words`.
    """

    def __init__(
        self,
        identity: PeerIdentity,
        peer: int | None,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Prepare to dial `peer`, or to listen when it is None."""
        assert len(identity.cluster_key) == KEY_SIZE
        self.peer = peer
        self.keys: SessionKeys | None = None
        self.rest = b""
        """Bytes that arrived behind the handshake."""
        self.last_words = b""
        self._identity = identity
        self._dials = peer is not None
        self._nonce = random_bytes(NONCE_SIZE)
        self._hello = self._make_hello(peer) if peer is not None else b""
        self._transcript = b""
        self._buffer = b""

    def _make_hello(self, peer: int) -> bytes:
        identity = self._identity
        return _HELLO.pack(
            MAGIC, PROTOCOL_VERSION, 0, identity.node, peer, self._nonce, identity.genesis_hash
        )

    def start(self) -> bytes:
        """Return what to send first: a hello from the dialer, nothing from the listener."""
        return _frame(self._hello) if self._dials else b""

    def receive(self, data: bytes) -> bytes:
        """Take bytes and return what to send back."""
        self._buffer += data
        answer = b""
        while self.keys is None and len(self._buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._buffer)
            if size > MAX_HANDSHAKE_FRAME:
                raise WireError(f"a handshake frame of {size} bytes")
            end = _LENGTH.size + size
            if len(self._buffer) < end:
                break
            frame, self._buffer = self._buffer[_LENGTH.size : end], self._buffer[end:]
            answer += self._take(frame)
        if self.keys is not None:
            self.rest, self._buffer = self._buffer, b""
        return answer

    def _take(self, frame: bytes) -> bytes:
        if self._dials:
            return self._take_reply(frame)
        if not self._transcript:
            return self._take_hello(frame)
        return self._take_proof(frame)

    def _check(self, hello: _Hello) -> None:
        identity = self._identity
        if hello.magic != MAGIC or hello.zero:
            raise WireError("not a peer of ours")
        if hello.version != PROTOCOL_VERSION:
            raise PeerRefusedError(
                f"node {hello.sender} speaks peer protocol {hello.version}, "
                f"this node {PROTOCOL_VERSION}"
            )
        if hello.genesis_hash != identity.genesis_hash:
            raise GenesisMismatchError(identity.genesis_hash, hello.genesis_hash)
        if hello.receiver != identity.node:
            raise PeerRefusedError(
                f"node {hello.sender} wants node {hello.receiver}, this is {identity.node}"
            )
        if hello.sender not in identity.members or hello.sender == identity.node:
            raise PeerRefusedError(f"node {hello.sender} is not a peer")

    def _take_hello(self, frame: bytes) -> bytes:
        if len(frame) != _HELLO.size:
            raise WireError(f"a hello of {len(frame)} bytes")
        hello = _Hello(*_HELLO.unpack(frame))
        reply = self._make_hello(hello.sender)
        # A dialer of another cluster should learn why: our hello names our genesis, without any
        # proof.
        self.last_words = _frame(reply) if hello.magic == MAGIC else b""
        self._check(hello)
        self.last_words = b""
        self.peer = hello.sender
        self._transcript = blake3(frame + reply).digest()
        return _frame(reply + _proof(self._identity, b"listener", self._transcript))

    def _take_reply(self, frame: bytes) -> bytes:
        if len(frame) not in {_HELLO.size, _REPLY_SIZE}:
            raise WireError(f"a reply of {len(frame)} bytes")
        reply, proof = frame[: _HELLO.size], frame[_HELLO.size :]
        hello = _Hello(*_HELLO.unpack(reply))
        self._check(hello)
        if hello.sender != self.peer:
            raise PeerRefusedError(f"node {hello.sender} answers where node {self.peer} should")
        if not proof:
            raise PeerRefusedError(f"node {self.peer} refuses this node")
        self._transcript = blake3(self._hello + reply).digest()
        if not hmac.compare_digest(proof, _proof(self._identity, b"listener", self._transcript)):
            raise PeerRefusedError(f"node {self.peer} does not hold the cluster key")
        self._set_keys("dialer to listener", "listener to dialer")
        return _frame(_proof(self._identity, b"dialer", self._transcript))

    def _take_proof(self, frame: bytes) -> bytes:
        if not hmac.compare_digest(frame, _proof(self._identity, b"dialer", self._transcript)):
            raise PeerRefusedError(f"node {self.peer} does not hold the cluster key")
        self._set_keys("listener to dialer", "dialer to listener")
        return b""

    def _set_keys(self, send: str, receive: str) -> None:
        self.keys = SessionKeys(
            _session_key(self._identity, send, self._transcript),
            _session_key(self._identity, receive, self._transcript),
        )


def _frame(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body
