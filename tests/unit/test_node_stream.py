"""What a client takes for a node's frames, and what it never does."""

import struct

import pytest

from node.protocol import messages
from node.protocol.encoding import encode_logout
from node.protocol.stream import NodeStream


@pytest.mark.parametrize("kind", [messages.LOGIN, messages.SUBSCRIBE, messages.QUERY])
@pytest.mark.parametrize("length", [-1, 0, 8, 40, 120])
def test_what_only_clients_say_is_no_message_of_a_node(kind: int, length: int) -> None:
    """At no length: not even at -1, which once passed for the right one."""
    one = NodeStream()
    one.feed(encode_logout() + struct.pack("<ihh", length, kind, 0) + bytes(200))

    assert (one.messages, one.failed) == ([encode_logout()], True)


def test_an_event_is_whole_words_long() -> None:
    """Those who route events copy words: what is cut otherwise is not this protocol."""
    for length in range(41, 48):
        one = NodeStream()
        one.feed(struct.pack("<ihh", length, 192, 0) + bytes(60))
        assert (one.events, one.failed) == (b"", True)
