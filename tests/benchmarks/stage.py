"""A venue to be measured: accounts with money, open markets, and groups of frames at once."""

from node.consensus.log_group import build_group
from node.domain import commands, terms
from node.domain.genesis import Genesis, default_limits
from node.engine.venue import Venue
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_session_open

OPERATOR_KEY = bytes(range(32))
SESSION = (1).to_bytes(8, "little")
DEPOSIT_MICRO_USDC = 10_000_000_000_000
STAMP_NS = 1_700_000_000_000_000_000
GROUP_COMMANDS = 500


class Stage:
    """A venue whose operator's session sends everything."""

    def __init__(self, accounts: int, markets: int) -> None:
        """Fund so many accounts and open so many markets, at most 200 in an event."""
        self.venue = Venue(Genesis(b"benchmark-engine", 0, OPERATOR_KEY, default_limits()))
        self.frames = CommandFrames(1)
        opening = encode_session_open(OPERATOR_KEY, 8_192, bytes(32), bytes(64))
        self.venue.apply(1, build_group([opening], 1, STAMP_NS))
        for number in range(1, accounts + 1):
            identity = number.to_bytes(32, "big")
            self.frames.account_open(terms.NET, identity[12:], identity)
            self.frames.deposit(number, DEPOSIT_MICRO_USDC, number)
        for number in range(1, markets + 1):
            if number % 200 == 1:
                self.frames.event_create(False, f"event {number}")
            self.frames.market_create((number + 199) // 200, 1, 0, 0, f"market {number}")
            self.frames.lifecycle(commands.MARKET_OPEN, number, 0)
        self.run()
        assert sum(self.venue.rejections) == 0  # The stage stands before anything is measured.

    def groups(self) -> list[bytes]:
        """Return what was written since, as groups of at most so many commands."""
        frames = self.frames.take()
        records, at = [], 0
        while at < len(frames):
            length = int.from_bytes(frames[at : at + 4], "little")
            records.append(SESSION + frames[at : at + length])
            at += length
        parts = [records[at : at + GROUP_COMMANDS] for at in range(0, len(records), GROUP_COMMANDS)]
        return [build_group(part, len(part), self.venue.stamp_ns + 1) for part in parts]

    def apply(self, group: bytes) -> None:
        """Apply one group behind the last."""
        self.venue.apply(self.venue.log_index + 1, group)

    def run(self) -> None:
        """Apply all that was written."""
        for group in self.groups():
            self.apply(group)
