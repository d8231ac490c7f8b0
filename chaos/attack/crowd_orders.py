"""What clients of an overload trade: orders that never meet, each cancelled at once."""

from random import Random
from typing import Final

from node.domain.terms import BUY_YES, POST_ONLY
from node.protocol.command_frames import CommandFrames

MARKET: Final = 1
LOTS: Final = 100


def orders(first: int, account: int, count: int, random: Random) -> bytes:
    """Return `count` commands from sequence `first` on, half of them cancels."""
    frames = CommandFrames(first)
    for _ in range(count // 2):  # Down: pairs.
        name = random.getrandbits(62) + 1
        price = 1_000 + random.randrange(1_000)
        frames.place(account, MARKET, name, price, BUY_YES, POST_ONLY, LOTS)
        frames.cancel(account, MARKET, 0, name)
    return frames.take()
