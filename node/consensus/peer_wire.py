"""Frames between authenticated nodes: length, body, and a keyed hash over a counter and the body.

No I/O.
"""

import hmac
import struct
from typing import Final

from blake3 import blake3

from node.consensus.errors import WireError
from node.consensus.peer_handshake import SessionKeys
from node.consensus.peer_messages import Message, decode_message, encode_message

MAX_BODY: Final = (8 << 20) + (64 << 10)
"""A group of 8 MiB, the largest there is, with its headers."""
MAC_SIZE: Final = 16
_LENGTH = struct.Struct("<I")
_COUNTER = struct.Struct("<Q")


class PeerWire:
    """The two directions of one connection. A frame lost, repeated, moved or altered closes it."""

    def __init__(self, keys: SessionKeys) -> None:
        """Start both counters at zero, as the peer does."""
        self._keys = keys
        self._sent = 0
        self._received = 0
        self._buffer = bytearray()

    def seal(self, message: Message) -> list[bytes]:
        """Return the parts to send for `message`, in order."""
        parts = encode_message(message)
        size = 0
        mac = blake3(_COUNTER.pack(self._sent), key=self._keys.send)
        for part in parts:
            mac.update(part)
            size += len(part)
        assert size <= MAX_BODY, f"a message of {size} bytes"
        self._sent += 1
        return [_LENGTH.pack(size), *parts, mac.digest(length=MAC_SIZE)]

    def receive(self, data: bytes) -> list[Message]:
        """Take bytes and return the messages that they complete.

        Raise WireError for any other peer's bytes.
        """
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer, start)
            if not 0 < size <= MAX_BODY:
                raise WireError(f"a frame of {size} bytes")
            body_start = start + _LENGTH.size
            end = body_start + size + MAC_SIZE
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:
                body = bytes(view[body_start : body_start + size])
                mac = bytes(view[body_start + size : end])
            self._check(body, mac)
            messages.append(decode_message(body))
            start = end
        if start:
            del buffer[:start]
        return messages

    def _check(self, body: bytes, mac: bytes) -> None:
        expected = blake3(_COUNTER.pack(self._received), key=self._keys.receive)
        expected.update(body)
        if not hmac.compare_digest(mac, expected.digest(length=MAC_SIZE)):
            raise WireError(f"frame {self._received} fails its authentication")
        self._received += 1
