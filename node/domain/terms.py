"""The closed vocabularies of the venue: what a field that is an enumeration may hold.

Each has two forms that share one source: bare `Final` integers, which compiled code compares for
free, and an `IntEnum` for people (`Intent(1).name`).
"""

from enum import IntEnum
from typing import Final

BUY_YES: Final = 1
SELL_YES: Final = 2
BUY_NO: Final = 3
SELL_NO: Final = 4


class Intent(IntEnum):
    """What the owner of an order wants. In the YES book 1 and 4 are bids, 2 and 3 are asks."""

    BUY_YES = BUY_YES
    SELL_YES = SELL_YES
    BUY_NO = BUY_NO
    SELL_NO = SELL_NO


BID: Final = 1
ASK: Final = 2


class Side(IntEnum):
    """The side of the YES book on which an order stands."""

    BID = BID
    ASK = ASK


GTC: Final = 1
IOC: Final = 2
FOK: Final = 3
POST_ONLY: Final = 4
GTD: Final = 5


class TimeInForce(IntEnum):
    """What becomes of the part of an order that does not match at once.

    A GTD order rests until its expiry, which is a time of the log; a POST_ONLY one may have one.
    """

    GTC = GTC
    IOC = IOC
    FOK = FOK
    POST_ONLY = POST_ONLY
    GTD = GTD


NET: Final = 1
HOLD: Final = 2


class AccountMode(IntEnum):
    """NET: free YES/NO pairs become cash at once. HOLD: pairs stay until merged."""

    NET = NET
    HOLD = HOLD


INDEPENDENT: Final = 0
EXCLUSIVE: Final = 1
AUGMENTED: Final = 2


class EventKind(IntEnum):
    """How the outcomes of an event depend on each other.

    EXCLUSIVE: exactly one wins. AUGMENTED: exclusive, its first outcome is Other, and outcomes may
    be created without a name and named later: Other wins when no named one does.
    """

    INDEPENDENT = INDEPENDENT
    EXCLUSIVE = EXCLUSIVE
    AUGMENTED = AUGMENTED


CREATED: Final = 1
OPEN: Final = 2
HALTED: Final = 3
CLOSED: Final = 4
RESOLVED: Final = 5
VOIDED: Final = 6
AUCTION: Final = 7
UNCROSSING: Final = 8


class MarketState(IntEnum):
    """The life of a market.

    Orders are taken when OPEN, and in the call phase of an AUCTION, in which they only rest until
    the auction is UNCROSSING; cancels also then, and when HALTED.
    """

    CREATED = CREATED
    OPEN = OPEN
    HALTED = HALTED
    CLOSED = CLOSED
    RESOLVED = RESOLVED
    VOIDED = VOIDED
    AUCTION = AUCTION
    UNCROSSING = UNCROSSING


NO_PAUSE: Final = 0
PAUSE_POST_ONLY: Final = 1
PAUSE_CANCEL_ONLY: Final = 2
PAUSE_HALTED: Final = 3


class PauseLevel(IntEnum):
    """What a pause still takes, from everything to nothing; the strictest that applies counts.

    POST_ONLY: orders that only rest, splits and conversions. CANCEL_ONLY: cancels, reductions,
    merges and redemptions. HALTED: nothing.
    """

    NONE = NO_PAUSE
    POST_ONLY = PAUSE_POST_ONLY
    CANCEL_ONLY = PAUSE_CANCEL_ONLY
    HALTED = PAUSE_HALTED


PAUSE_VENUE: Final = 1
PAUSE_EVENT: Final = 2
PAUSE_MARKET: Final = 3
PAUSE_ACCOUNT: Final = 4


class PauseScope(IntEnum):
    """What a pause covers."""

    VENUE = PAUSE_VENUE
    EVENT = PAUSE_EVENT
    MARKET = PAUSE_MARKET
    ACCOUNT = PAUSE_ACCOUNT


REDUCE_ONLY: Final = 1
CANCEL_ON_PAUSE: Final = 2


class OrderFlag(IntEnum):
    """What an order asks for besides its terms."""

    REDUCE_ONLY = REDUCE_ONLY
    CANCEL_ON_PAUSE = CANCEL_ON_PAUSE


ATTESTING: Final = 0
PROPOSED: Final = 1
DISPUTED: Final = 2


class ResolutionStage(IntEnum):
    """How far a closed market is from its price.

    ATTESTING: some resolvers have spoken. PROPOSED: final when the challenge window ends. DISPUTED:
    to be decided by an operator or a quorum of resolvers.
    """

    ATTESTING = ATTESTING
    PROPOSED = PROPOSED
    DISPUTED = DISPUTED


TRADER: Final = 1
BROKER: Final = 2
OPERATOR: Final = 3
RESOLVER: Final = 4


class Role(IntEnum):
    """What a key may do.

    TRADER: its own account; BROKER: orders of any account; OPERATOR: also administration. RESOLVER:
    nothing but to attest and dispute what markets come to.
    """

    TRADER = TRADER
    BROKER = BROKER
    OPERATOR = OPERATOR
    RESOLVER = RESOLVER


TRANSFER: Final = 1
MINT: Final = 2
MERGE: Final = 3


class MatchKind(IntEnum):
    """How a fill changes the number of complete sets.

    Not at all, one more a lot, or one less a lot.
    """

    TRANSFER = TRANSFER
    MINT = MINT
    MERGE = MERGE


SHAPED: Final = 1
FLAT: Final = 2


class FeeShape(IntEnum):
    """What a fee is a share of.

    SHAPED: price x (1 - price) a share, least where the outcome is nearly certain. FLAT: the price.
    """

    SHAPED = SHAPED
    FLAT = FLAT


CANCEL_RESTING: Final = 0
CANCEL_TAKER: Final = 1
CANCEL_BOTH: Final = 2


class SelfTrade(IntEnum):
    """What becomes of an order that meets another one of its account's.

    CANCEL_RESTING: the one in the book goes, and the order goes on. CANCEL_TAKER: what is left of
    the order goes, what it has filled stays. CANCEL_BOTH: both.
    """

    CANCEL_RESTING = CANCEL_RESTING
    CANCEL_TAKER = CANCEL_TAKER
    CANCEL_BOTH = CANCEL_BOTH


MAKER: Final = 1
TAKER: Final = 2
CALLED: Final = 3


class Liquidity(IntEnum):
    """Whether an order rested (MAKER) or arrived (TAKER) when it filled, or both were CALLED.

    Orders that meet in a call auction all rest, and pay what makers pay.
    """

    MAKER = MAKER
    TAKER = TAKER
    CALLED = CALLED


CLOSE_BY_USER: Final = 1
CLOSE_BY_CANCEL_ALL: Final = 2
CLOSE_BY_REDUCE: Final = 3
CLOSE_BY_SELF_TRADE: Final = 4
CLOSE_BY_IMMEDIATE: Final = 5
CLOSE_BY_FILL_LIMIT: Final = 6
CLOSE_BY_MARKET: Final = 7
CLOSE_BY_EXPIRY: Final = 8
CLOSE_BY_AMEND: Final = 9
CLOSE_BY_REPLACE: Final = 10
CLOSE_BY_SPENDING: Final = 11
CLOSE_BY_ORDER_GROUP: Final = 12
CLOSE_BY_GRID: Final = 13
CLOSE_BY_HALT: Final = 14
CLOSE_BY_PAUSE: Final = 17


CLOSE_BY_KEY_STOP: Final = 21
CLOSE_BY_ACCOUNT_STOP: Final = 22
CLOSE_BY_MARKET_STOP: Final = 23
CLOSE_BY_DEADLINE: Final = 24
CLOSE_BY_DISCONNECT: Final = 25
CLOSE_BY_REDUCE_ONLY: Final = 26


class CloseReason(IntEnum):
    """Why an order left the book other than by filling."""

    USER = CLOSE_BY_USER
    CANCEL_ALL = CLOSE_BY_CANCEL_ALL
    REDUCED_TO_ZERO = CLOSE_BY_REDUCE
    SELF_TRADE = CLOSE_BY_SELF_TRADE
    IMMEDIATE = CLOSE_BY_IMMEDIATE
    FILL_LIMIT = CLOSE_BY_FILL_LIMIT
    MARKET_CLOSED = CLOSE_BY_MARKET
    EXPIRED = CLOSE_BY_EXPIRY
    AMENDED_TO_ZERO = CLOSE_BY_AMEND
    REPLACED = CLOSE_BY_REPLACE
    SPENT = CLOSE_BY_SPENDING
    ORDER_GROUP = CLOSE_BY_ORDER_GROUP
    OFF_GRID = CLOSE_BY_GRID
    MARKET_PAUSED = CLOSE_BY_HALT
    KEY_STOPPED = CLOSE_BY_KEY_STOP
    ACCOUNT_STOPPED = CLOSE_BY_ACCOUNT_STOP
    MARKET_STOPPED = CLOSE_BY_MARKET_STOP
    DEADLINE_PASSED = CLOSE_BY_DEADLINE
    DISCONNECTED = CLOSE_BY_DISCONNECT
    REDUCE_ONLY = CLOSE_BY_REDUCE_ONLY
    PAUSED = CLOSE_BY_PAUSE


GROUP_ACTIVE: Final = 1
GROUP_TRIGGERED: Final = 2
GROUP_DELETED: Final = 3


class OrderGroupState(IntEnum):
    """What a group of orders does: take orders, refuse them until it is reset, or nothing more."""

    ACTIVE = GROUP_ACTIVE
    TRIGGERED = GROUP_TRIGGERED
    DELETED = GROUP_DELETED


REQUESTED: Final = 1
CONFIRMED: Final = 2
REJECTED: Final = 3


class WithdrawalState(IntEnum):
    """What became of a request to withdraw: money locked, gone, or free again."""

    REQUESTED = REQUESTED
    CONFIRMED = CONFIRMED
    REJECTED = REJECTED


SCOPE_KEY: Final = 1
SCOPE_ACCOUNT: Final = 2
SCOPE_MARKET: Final = 3
SCOPE_VENUE: Final = 4


class Scope(IntEnum):
    """What a stop or bounds are about; 0 is nothing."""

    KEY = SCOPE_KEY
    ACCOUNT = SCOPE_ACCOUNT
    MARKET = SCOPE_MARKET
    VENUE = SCOPE_VENUE


STOP_ON_REQUEST: Final = 1
STOP_FOR_RISK: Final = 2
STOP_FOR_FAULT: Final = 3
STOP_FOR_SECURITY: Final = 4
STOP_BY_RULE: Final = 5


class StopReason(IntEnum):
    """Why something is stopped, or let go again.

    Its owner wishes so; it loses too much; a program or a feed is wrong; a key is in wrong hands;
    a rule or an authority says so.
    """

    REQUEST = STOP_ON_REQUEST
    RISK = STOP_FOR_RISK
    FAULT = STOP_FOR_FAULT
    SECURITY = STOP_FOR_SECURITY
    RULE = STOP_BY_RULE
