"""A client that does harm: `python -m chaos.real.pest_process KIND HOST PORT KEYFILE`.

It goes on until it is killed, and prints "ready" once it is at work.
"""

import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from nacl.signing import SigningKey

from cluster.deployment import read_key
from node.protocol import messages
from node.protocol.encoding import encode_login, encode_query, encode_subscribe
from node.protocol.login import login_statement
from node.protocol.versions import choose_version

SILENT: Final = "silent"
"""Holds many connections open and never logs in on any."""
SLOW_READER: Final = "slow-reader"
"""Logs in, subscribes to everything and asks queries, but never reads."""

_CHALLENGE: Final = struct.Struct("<8xhhi16s32sii")
_CONNECTIONS: Final = 150
_READERS: Final = 8
_RECEIVE_BYTES: Final = 4_096
_HALF_A_FRAME: Final = b"\x40\x00\x00"
_QUERIES_AT_ONCE: Final = 100
_PAUSE_SECONDS: Final = 0.1
_SECONDS: Final = 1.0


class Pest(Protocol):
    """One connection of a pest."""

    def annoy(self) -> bool:
        """Go on; return whether the node still bears it."""


class Silent:
    """Connects, says half a frame at most, and stays."""

    def __init__(self, address: tuple[str, int], number: int) -> None:
        """Connect. Raises OSError."""
        self._socket = socket.create_connection(address, _SECONDS)
        if number % 2:
            self._socket.send(_HALF_A_FRAME)
        self._socket.settimeout(0.0)

    def annoy(self) -> bool:
        """Do nothing; return whether the node has closed the connection."""
        try:
            while self._socket.recv(_RECEIVE_BYTES):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        self._socket.close()
        return False


class SlowReader:
    """Reads nothing behind its login."""

    def __init__(self, address: tuple[str, int], key: SigningKey) -> None:
        """Connect, log in and subscribe. Raises OSError."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        self._socket.settimeout(_SECONDS)
        self._socket.connect(address)
        challenge = self._socket.recv(_CHALLENGE.size, socket.MSG_WAITALL)
        if len(challenge) < _CHALLENGE.size:
            raise ConnectionError("no challenge")
        oldest, newest, node, cluster_id, nonce, _, _ = _CHALLENGE.unpack(challenge)
        version = choose_version(oldest, newest)
        public, purpose = bytes(key.verify_key), messages.READ
        statement = login_statement(cluster_id, node, nonce, version, purpose, 0, 0, public)
        signature = key.sign(statement).signature
        self._socket.send(encode_login(version, purpose, 0, 0, public, signature))
        for feed in (messages.MARKET_DATA, messages.VENUE):
            self._socket.send(encode_subscribe(feed, feed, 0, 0, 0, 0))
        self._socket.settimeout(0.0)

    def annoy(self) -> bool:
        """Ask more; return whether the node has closed the connection."""
        queries = b"".join(
            encode_query(number, messages.MARKETS, 0, 0, 0, 0, 0)
            for number in range(1, _QUERIES_AT_ONCE)
        )
        try:
            self._socket.send(queries)
        except BlockingIOError:
            return True
        except OSError:
            self._socket.close()
            return False
        return True


def _pester(make: Callable[[int], Pest], count: int) -> None:
    """Keep `count` pests at work for ever; one that the node throws out is replaced."""
    pests: list[Pest] = []
    ready = False
    while True:
        pests = [pest for pest in pests if pest.annoy()]
        while len(pests) < count:
            try:
                pests.append(make(len(pests)))
            except OSError:
                break
        if not ready:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            ready = True
        time.sleep(_PAUSE_SECONDS)


def main() -> None:
    """Be the pest that the arguments describe."""
    kind, host, port, key_file = sys.argv[1:]
    address = (host, int(port))
    if kind == SILENT:
        _pester(lambda number: Silent(address, number), _CONNECTIONS)
    else:
        key = read_key(Path(key_file))
        _pester(lambda _number: SlowReader(address, key), _READERS)


if __name__ == "__main__":
    main()
