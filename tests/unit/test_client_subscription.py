"""Subscriptions as the SDK asks for them again, on a new connection."""

import asyncio
import random

import pytest
from nacl.signing import SigningKey

from client.connection import Address
from client.reader import Reader
from client.subscription import Subscription
from client.timing import ClientTiming
from node.protocol import messages
from node.protocol.encoding import encode_subscribed
from node.protocol.fields import field_i64


@pytest.mark.parametrize(("confirmed_index", "asked_index"), [(0, 1), (1, 1), (2, 1), (9, 8)])
def test_all_streams_never_resume_from_now_on(confirmed_index: int, asked_index: int) -> None:
    """Begun before the first event and cut off, a subscription asks for the beginning.

    An index of 0 means from now on: what happened meanwhile would be passed over in silence.
    """
    assert asyncio.run(resumed_behind(confirmed_index)) == asked_index


async def resumed_behind(confirmed_index: int) -> int:
    """Return the index from which a subscription resumes that was confirmed at another."""
    reader = Reader(
        [Address("127.0.0.1", 1)],
        SigningKey(bytes(32)),
        timing=ClientTiming(),
        random=random.Random(1),
    )
    subscription = Subscription(reader, messages.EXECUTIONS, 0)
    begun = subscription.request_frame()
    assert field_i64(begun, messages.SUBSCRIBE_FROM_LOG_INDEX) == 0

    confirmation = encode_subscribed(0, messages.EXECUTIONS, 0, 0, confirmed_index, 0)
    subscription.take_message(messages.SUBSCRIBED, confirmation)

    return field_i64(subscription.request_frame(), messages.SUBSCRIBE_FROM_LOG_INDEX)
