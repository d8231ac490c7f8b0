"""Every bound that `apply` reads.

Replicated, set by genesis, changed only by a logged `configure` command.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from node.domain.records import MOST_ATTESTATIONS
from node.domain.units import MAX_LOTS, MAX_SUPPLY

SWEEP_ITEMS_PER_GROUP: Final = 0
CANCELS_PER_COMMAND: Final = 1
FILLS_PER_ORDER: Final = 2
OPEN_ORDERS_PER_ACCOUNT: Final = 3
POSITIONS_PER_ACCOUNT: Final = 4
LOTS_PER_ORDER: Final = 5
DEPOSIT_AMOUNT: Final = 6
FEE_BPS: Final = 7
ACCOUNTS: Final = 8
EVENTS: Final = 9
MARKETS: Final = 10
MARKETS_PER_EVENT: Final = 11
KEYS: Final = 12
SESSIONS: Final = 13
SESSIONS_PER_KEY: Final = 14
REPLIES_PER_SESSION: Final = 15
CHECKPOINT_BYTES: Final = 16
SCHEDULES: Final = 17
SUBACCOUNTS_PER_OWNER: Final = 18
WITHDRAWALS_PER_ACCOUNT: Final = 19
AGENTS_PER_ACCOUNT: Final = 20
RATE_REFILL: Final = 21
RATE_BURST: Final = 22
RATE_COST_PLACE: Final = 23
RATE_COST_AMEND: Final = 24
RATE_COST_CANCEL: Final = 25
DEADLINE_MS: Final = 26
DISCONNECT_MS: Final = 27
CHALLENGE_SECONDS: Final = 28
RESOLVER_QUORUM: Final = 29
ORDER_GROUPS_PER_ACCOUNT: Final = 30


class Limit(IntEnum):
    """The names of the limits, as `configure` and genesis give them (in lower case)."""

    SWEEP_ITEMS_PER_GROUP = SWEEP_ITEMS_PER_GROUP
    CANCELS_PER_COMMAND = CANCELS_PER_COMMAND
    FILLS_PER_ORDER = FILLS_PER_ORDER
    OPEN_ORDERS_PER_ACCOUNT = OPEN_ORDERS_PER_ACCOUNT
    POSITIONS_PER_ACCOUNT = POSITIONS_PER_ACCOUNT
    LOTS_PER_ORDER = LOTS_PER_ORDER
    DEPOSIT_AMOUNT = DEPOSIT_AMOUNT
    FEE_BPS = FEE_BPS
    ACCOUNTS = ACCOUNTS
    EVENTS = EVENTS
    MARKETS = MARKETS
    MARKETS_PER_EVENT = MARKETS_PER_EVENT
    KEYS = KEYS
    SESSIONS = SESSIONS
    SESSIONS_PER_KEY = SESSIONS_PER_KEY
    REPLIES_PER_SESSION = REPLIES_PER_SESSION
    CHECKPOINT_BYTES = CHECKPOINT_BYTES
    SCHEDULES = SCHEDULES
    SUBACCOUNTS_PER_OWNER = SUBACCOUNTS_PER_OWNER
    WITHDRAWALS_PER_ACCOUNT = WITHDRAWALS_PER_ACCOUNT
    AGENTS_PER_ACCOUNT = AGENTS_PER_ACCOUNT
    RATE_REFILL = RATE_REFILL
    RATE_BURST = RATE_BURST
    RATE_COST_PLACE = RATE_COST_PLACE
    RATE_COST_AMEND = RATE_COST_AMEND
    RATE_COST_CANCEL = RATE_COST_CANCEL
    DEADLINE_MS = DEADLINE_MS
    DISCONNECT_MS = DISCONNECT_MS
    CHALLENGE_SECONDS = CHALLENGE_SECONDS
    RESOLVER_QUORUM = RESOLVER_QUORUM
    ORDER_GROUPS_PER_ACCOUNT = ORDER_GROUPS_PER_ACCOUNT


class LimitRange(NamedTuple):
    """What a limit may be set to, and what it is when genesis does not say."""

    least: int
    most: int
    default: int


LIMIT_RANGES: Final[tuple[LimitRange, ...]] = (
    LimitRange(16, 100_000, 2_000),  # SWEEP_ITEMS_PER_GROUP: orders or positions
    LimitRange(1, 10_000, 256),  # CANCELS_PER_COMMAND: the rest of a cancel-all is swept
    LimitRange(1, 10_000, 1_000),  # FILLS_PER_ORDER: makers touched on arrival
    LimitRange(1, 1_000_000, 100_000),
    LimitRange(1, 100_000, 10_000),
    LimitRange(1, MAX_LOTS, 1_000_000_000),
    LimitRange(1, MAX_SUPPLY, 1_000_000_000_000_000),  # DEPOSIT_AMOUNT: micro-USDC
    LimitRange(0, 1_000, 1_000),
    LimitRange(1, 10_000_000, 1_000_000),
    LimitRange(1, 1_000_000, 100_000),
    LimitRange(1, 1_000_000, 100_000),
    LimitRange(1, 1_024, 256),
    LimitRange(1, 10_000_000, 1_000_000),
    LimitRange(1, 100_000, 10_000),
    LimitRange(1, 256, 16),
    LimitRange(16, 65_536, 8_192),
    LimitRange(65_536, 1 << 40, 64 << 20),  # CHECKPOINT_BYTES: log bytes between checkpoints
    LimitRange(1, 1_000_000, 10_000),  # SCHEDULES: of fees
    LimitRange(0, 1_024, 64),  # SUBACCOUNTS_PER_OWNER
    LimitRange(1, 1_024, 16),  # WITHDRAWALS_PER_ACCOUNT: requests that wait for an answer
    LimitRange(0, 1_024, 16),  # AGENTS_PER_ACCOUNT
    LimitRange(0, 1_000_000, 0),  # RATE_REFILL: tokens an account gets a second; 0 for no limit
    LimitRange(1, 100_000_000, 1_000),  # RATE_BURST: tokens that an account can have
    LimitRange(0, 1_000, 10),  # RATE_COST_PLACE, in tokens
    LimitRange(0, 1_000, 5),  # RATE_COST_AMEND
    LimitRange(0, 1_000, 2),  # RATE_COST_CANCEL
    LimitRange(1, 3_600_000, 1_000),  # DEADLINE_MS: how far ahead a dead-man's deadline lies
    LimitRange(1, 3_600_000, 5_000),  # DISCONNECT_MS: how long a client may be gone
    LimitRange(0, 2_592_000, 0),  # CHALLENGE_SECONDS: 0 lets operators resolve at once
    LimitRange(1, MOST_ATTESTATIONS, 2),  # RESOLVER_QUORUM: resolvers that must attest the same
    LimitRange(0, 1_024, 63),  # ORDER_GROUPS_PER_ACCOUNT: their largest number
)
LIMIT_COUNT: Final = 31
