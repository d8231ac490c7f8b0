"""The layout of every event: the bytes that `apply` writes are the bytes that subscribers receive.

Header: `length i32, type i16, flags i16, log_index i64, ordinal i32, stream i32, stream_sequence
i64, stamp_ns i64`. (log_index, ordinal) names an event uniquely. A stream is an account's
executions (types 160..191, `stream` is the account), a market's public feed (192..223, the market),
or the venue's (224..255, 0); each has its own gapless `stream_sequence` from 1, identical on every
replica. Prices in private events are in the owner's terms (a NO price for a NO intent); prices in
public events are in YES terms.
"""

from enum import IntEnum
from typing import Final

EVENT_LOG_INDEX: Final = 8
EVENT_ORDINAL: Final = 16
EVENT_STREAM: Final = 20
EVENT_STREAM_SEQUENCE: Final = 24
EVENT_STAMP: Final = 32
EVENT_HEADER_SIZE: Final = 40

FIRST_PRIVATE_EVENT: Final = 160
FIRST_PUBLIC_EVENT: Final = 192
FIRST_VENUE_EVENT: Final = 224

# Private, one stream an account. The four about orders begin alike.
ORDER_ID: Final = 40
ORDER_CLIENT_ORDER_ID: Final = 48
ORDER_MARKET: Final = 56

ORDER_RESTED: Final = 160
RESTED_PRICE: Final = 60
RESTED_LEAVES: Final = 64
RESTED_INTENT: Final = 72
RESTED_SIZE: Final = 80

ORDER_FILLED: Final = 161
FILLED_PRICE: Final = 60
FILLED_LOTS: Final = 64
FILLED_LEAVES: Final = 72
FILLED_FILL_ID: Final = 80
FILLED_FEE: Final = 88
FILLED_INTENT: Final = 96
FILLED_LIQUIDITY: Final = 100
FILLED_SIZE: Final = 104

ORDER_REDUCED: Final = 162
REDUCED_BY: Final = 64
REDUCED_LEAVES: Final = 72
REDUCED_SIZE: Final = 80

ORDER_CLOSED: Final = 163
CLOSED_REASON: Final = 60
CLOSED_LEAVES: Final = 64
CLOSED_SIZE: Final = 72

DEPOSITED: Final = 164
DEPOSITED_AMOUNT: Final = 40
DEPOSITED_CASH_FREE: Final = 48
DEPOSITED_CURSOR: Final = 56
DEPOSITED_SIZE: Final = 64

SETS_CHANGED: Final = 165
"""A split (lots > 0) or a merge on request (lots < 0)."""
SETS_CHANGED_MARKET: Final = 40
SETS_CHANGED_LOTS: Final = 48
SETS_CHANGED_CASH_FREE: Final = 56
SETS_CHANGED_SIZE: Final = 64

REDEEMED: Final = 166
REDEEMED_MARKET: Final = 40
REDEEMED_PRICE: Final = 44
REDEEMED_YES: Final = 48
REDEEMED_NO: Final = 56
REDEEMED_AMOUNT: Final = 64
REDEEMED_SIZE: Final = 72

# Public, one stream a market.
FILL: Final = 192
FILL_ID: Final = 40
FILL_PRICE: Final = 48
FILL_KIND: Final = 52
FILL_LOTS: Final = 56
FILL_TAKER_SIDE: Final = 64
FILL_MAKER_ORDER_ID: Final = 72
FILL_TAKER_ORDER_ID: Final = 80
FILL_SIZE: Final = 88

DEPTH: Final = 193
DEPTH_PRICE: Final = 40
DEPTH_SIDE: Final = 44
DEPTH_LOTS: Final = 48
DEPTH_SIZE: Final = 56

MARKET_STATE: Final = 194
MARKET_STATE_STATE: Final = 40
MARKET_STATE_PRICE: Final = 44
MARKET_STATE_SIZE: Final = 48

MARKET_CREATED: Final = 195
MARKET_CREATED_EVENT: Final = 40
MARKET_CREATED_TICK: Final = 44
MARKET_CREATED_TAKER_FEE_BPS: Final = 48
MARKET_CREATED_MAKER_FEE_BPS: Final = 52
MARKET_CREATED_NAME: Final = 56
MARKET_CREATED_SIZE: Final = 120

# The venue's own stream.
ACCOUNT_OPENED: Final = 224
ACCOUNT_OPENED_ACCOUNT: Final = 40
ACCOUNT_OPENED_MODE: Final = 44
ACCOUNT_OPENED_ADDRESS: Final = 48
ACCOUNT_OPENED_SIZE: Final = 72

EVENT_CREATED: Final = 225
EVENT_CREATED_EVENT: Final = 40
EVENT_CREATED_EXCLUSIVE: Final = 44
EVENT_CREATED_NAME: Final = 48
EVENT_CREATED_SIZE: Final = 112

KEY_GRANTED: Final = 226
KEY_REVOKED: Final = 227
KEY_EVENT_KEY: Final = 40
KEY_EVENT_ROLE: Final = 44
KEY_EVENT_ACCOUNT: Final = 48
KEY_EVENT_PUBLIC_KEY: Final = 56
KEY_EVENT_SIZE: Final = 88

CONFIGURED: Final = 228
CONFIGURED_LIMIT: Final = 40
CONFIGURED_VALUE: Final = 48
CONFIGURED_SIZE: Final = 56

SESSION_OPENED: Final = 229
SESSION_REFUSED: Final = 230
SESSION_EVENT_SESSION: Final = 40
SESSION_EVENT_CODE: Final = 44
SESSION_EVENT_WINDOW: Final = 48
SESSION_EVENT_NONCE: Final = 56
SESSION_EVENT_SIZE: Final = 88

SESSION_EVICTED: Final = 231
SESSION_EVICTED_SESSION: Final = 40
SESSION_EVICTED_SIZE: Final = 48

CHECKPOINT_TAKEN: Final = 232
CHECKPOINT_TAKEN_SIZE: Final = 40


class EventType(IntEnum):
    """What can happen at the venue."""

    ORDER_RESTED = ORDER_RESTED
    ORDER_FILLED = ORDER_FILLED
    ORDER_REDUCED = ORDER_REDUCED
    ORDER_CLOSED = ORDER_CLOSED
    DEPOSITED = DEPOSITED
    SETS_CHANGED = SETS_CHANGED
    REDEEMED = REDEEMED
    FILL = FILL
    DEPTH = DEPTH
    MARKET_STATE = MARKET_STATE
    MARKET_CREATED = MARKET_CREATED
    ACCOUNT_OPENED = ACCOUNT_OPENED
    EVENT_CREATED = EVENT_CREATED
    KEY_GRANTED = KEY_GRANTED
    KEY_REVOKED = KEY_REVOKED
    CONFIGURED = CONFIGURED
    SESSION_OPENED = SESSION_OPENED
    SESSION_REFUSED = SESSION_REFUSED
    SESSION_EVICTED = SESSION_EVICTED
    CHECKPOINT_TAKEN = CHECKPOINT_TAKEN
