"""What a trader does who knows only its own orders: every trader's command of the registry."""

from random import Random
from typing import Final

from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import TRADER, write_one
from node.domain.replies import REPLY_SIZE
from node.protocol.command_frames import CommandFrames


class RegisteredMix:
    """Draws commands by their weights and learns the ids of its orders from the replies."""

    def __init__(self, random: Random, account: int, accounts: int, markets: int) -> None:
        """Trade as `account`, one of so many, on so many markets."""
        self._random: Final = random
        self._known: Final = Knowledge(account, accounts, markets)

    def write(self, out: CommandFrames, count: int) -> None:
        """Write `count` commands."""
        for _ in range(count):
            write_one(TRADER, out, self._random, self._known)

    def take_replies(self, replies: bytes) -> None:
        """Learn from replies as they came."""
        for offset in range(0, len(replies), REPLY_SIZE):
            self._known.note_reply(replies[offset : offset + REPLY_SIZE])
