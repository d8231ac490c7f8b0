"""The layout of every record of state: what snapshots hold, digests cover and queries answer.

Little-endian, fixed size per kind. A *page* is up to 64 consecutive records of one kind (record
numbers `64 n` to `64 n + 63`), concatenated in order; its key is `kind i16, page number i64`,
big-endian so that keys sort.
"""

from typing import Final

PAGE_SHIFT: Final = 6
PAGE_SLOTS: Final = 1 << PAGE_SHIFT
PAGE_MASK: Final = PAGE_SLOTS - 1
PAGE_KEY_SIZE: Final = 10

VENUE: Final = 1
"""One record: what is neither money nor orders. Not in the ledger digest."""
VENUE_CHAIN_DIGEST: Final = 0
VENUE_LOG_INDEX: Final = 32
VENUE_STAMP: Final = 40
VENUE_RULES_VERSION: Final = 48
VENUE_SHARD: Final = 52
VENUE_STREAM_SEQUENCE: Final = 56
VENUE_CHECKPOINT_BYTES: Final = 64
VENUE_COMMANDS: Final = 72
VENUE_SWEEP_HEAD: Final = 80
VENUE_SWEEP_TAIL: Final = 88
VENUE_KEYS: Final = 96
VENUE_SESSIONS: Final = 104
VENUE_LIMITS: Final = 112

TREASURY: Final = 2
"""One record: the money that belongs to no account, and the counters of ids.

In the ledger digest.
"""
TREASURY_DEPOSITS: Final = 0
TREASURY_FEES: Final = 8
TREASURY_DEPOSIT_CURSOR: Final = 16
TREASURY_COLLATERAL: Final = 24
TREASURY_ORDERS: Final = 32
TREASURY_FILLS: Final = 40
TREASURY_ACCOUNTS: Final = 48
TREASURY_EVENTS: Final = 52
TREASURY_MARKETS: Final = 56
TREASURY_POSITIONS: Final = 60
TREASURY_FEE_ACCOUNT: Final = 64
TREASURY_SCHEDULES: Final = 68
TREASURY_WITHDRAWN: Final = 72
TREASURY_PENDING: Final = 80
TREASURY_WITHDRAWALS: Final = 88
TREASURY_SIZE: Final = 96

EVENT: Final = 3
EVENT_NUMBER: Final = 0
EVENT_EXCLUSIVE: Final = 4
EVENT_MARKETS: Final = 8
EVENT_SETTLED: Final = 12
EVENT_PRICE_SUM: Final = 16
EVENT_STARTED: Final = 20
EVENT_COLLATERAL: Final = 24
"""Behind the shares of an exclusive event's markets; else each market has its own."""
EVENT_NAME: Final = 32
EVENT_SIZE: Final = 96

MARKET: Final = 4
MARKET_NUMBER: Final = 0
MARKET_EVENT: Final = 4
MARKET_STATE: Final = 8
MARKET_TICK: Final = 12
MARKET_TAKER_FEE_BPS: Final = 16
MARKET_MAKER_FEE_BPS: Final = 20
MARKET_PRICE: Final = 24
MARKET_SWEEPS: Final = 28
MARKET_COLLATERAL: Final = 32
MARKET_STREAM_SEQUENCE: Final = 40
MARKET_ORDERS: Final = 48
MARKET_VOLUME: Final = 56
MARKET_NAME: Final = 64
MARKET_SIZE: Final = 128

ACCOUNT: Final = 5
ACCOUNT_NUMBER: Final = 0
ACCOUNT_MODE: Final = 4
ACCOUNT_ADDRESS: Final = 8
ACCOUNT_POSITIONS: Final = 28
ACCOUNT_CASH_FREE: Final = 32
ACCOUNT_CASH_LOCKED: Final = 40
ACCOUNT_STREAM_SEQUENCE: Final = 48
ACCOUNT_ORDERS: Final = 56
ACCOUNT_BID_WATERMARK: Final = 64
ACCOUNT_ASK_WATERMARK: Final = 72
ACCOUNT_SIZE: Final = 80

POSITION: Final = 6
POSITION_NUMBER: Final = 0
POSITION_ACCOUNT: Final = 8
POSITION_MARKET: Final = 12
POSITION_YES_FREE: Final = 16
POSITION_YES_LOCKED: Final = 24
POSITION_NO_FREE: Final = 32
POSITION_NO_LOCKED: Final = 40
POSITION_BID_WATERMARK: Final = 48
POSITION_ASK_WATERMARK: Final = 56
POSITION_PLACE: Final = 64
"""Where the position stands among the account's; a paid out one gives its place to the last."""
POSITION_SIZE: Final = 72

ORDER: Final = 7
"""Prices are in the owner's terms; the fee so far is whole + 1 if rest > 0 (see fees), its
schedule's cap at most.

What has filled is lots - leaves, always. Of two orders at a price the one with the smaller priority
is first: an order's id, or once it has given up its place a later number of the same sequence.
"""
ORDER_ID: Final = 0
ORDER_CLIENT_ORDER_ID: Final = 8
ORDER_ACCOUNT: Final = 16
ORDER_MARKET: Final = 20
ORDER_PRICE: Final = 24
ORDER_INTENT: Final = 28
ORDER_TIME_IN_FORCE: Final = 30
ORDER_LOTS: Final = 32
ORDER_LEAVES: Final = 40
ORDER_FEE_WHOLE: Final = 48
ORDER_FEE_REST: Final = 56
ORDER_REBATE_REST: Final = 60
ORDER_EXPIRY: Final = 64
ORDER_KEY: Final = 72
ORDER_GROUP: Final = 76
ORDER_FLAGS: Final = 80
ORDER_SCHEDULE: Final = 84
ORDER_PRIORITY: Final = 88
ORDER_SIZE: Final = 96

KEY: Final = 8
KEY_NUMBER: Final = 0
KEY_ROLE: Final = 4
KEY_ACCOUNT: Final = 8
KEY_REVOKED: Final = 12
KEY_PUBLIC_KEY: Final = 16
KEY_SIZE: Final = 48

SESSION: Final = 9
SESSION_NUMBER: Final = 0
SESSION_KEY: Final = 4
SESSION_WINDOW: Final = 8
SESSION_ON_DISCONNECT: Final = 12
SESSION_NEXT_SEQUENCE: Final = 16
SESSION_LAST_INDEX: Final = 24
SESSION_SIZE: Final = 32

WINDOW: Final = 10
"""Page number = session << 10 | slot >> 6.

A record is the stored reply of sequence `slot mod window`.
"""
WINDOW_PAGE_SHIFT: Final = 10
STORED_CODE: Final = 0
STORED_LOG_INDEX: Final = 8
STORED_RESULT: Final = 16
STORED_FILLED: Final = 24
STORED_SIZE: Final = 32

SWEEP: Final = 11
SWEEP_NUMBER: Final = 0
SWEEP_KIND: Final = 8
SWEEP_ACCOUNT: Final = 12
SWEEP_MARKET: Final = 16
SWEEP_CURSOR: Final = 24
SWEEP_SIZE: Final = 32

TIMER: Final = 12
"""Record number = kind << 32 | subject: what happens, and to which account, market or other."""
TIMER_NUMBER: Final = 0
TIMER_DUE: Final = 8
TIMER_SIZE: Final = 16

GROUP: Final = 13
"""A group of an account's orders; record number = account << 32 | the group's number."""
GROUP_NUMBER: Final = 0
GROUP_ACCOUNT: Final = 4
GROUP_LIMIT: Final = 8
GROUP_STATE: Final = 16
GROUP_WATERMARK: Final = 24
GROUP_NEWEST: Final = 32
GROUP_BUCKETS: Final = 40
"""Of its fills; see `node.engine.rolling_sum`."""
GROUP_SIZE: Final = 168

SCHEDULE: Final = 14
"""What orders cost. It never changes: a market gets another one."""
SCHEDULE_NUMBER: Final = 0
SCHEDULE_SHAPE: Final = 4
SCHEDULE_TAKER_BPS: Final = 8
SCHEDULE_MAKER_BPS: Final = 12
SCHEDULE_REBATE_BPS: Final = 16
SCHEDULE_CAP: Final = 24
SCHEDULE_SIZE: Final = 32

RULES: Final = 15
"""What trading in a market is bound to; the record number is the market's."""
RULES_MARKET: Final = 0
RULES_SCHEDULE: Final = 4
RULES_EDGE: Final = 8
RULES_EDGE_TICK: Final = 12
RULES_MIN_LOTS: Final = 16
RULES_MIN_VALUE: Final = 24
RULES_BAND: Final = 32
RULES_MOVE: Final = 36
RULES_WINDOW: Final = 40
RULES_PAUSE: Final = 48
RULES_SIZE: Final = 56

WATCH: Final = 16
"""Recent prices of a market with guards, by eighths of the window; not in the ledger digest."""
WATCH_MARKET: Final = 0
WATCH_REFERENCE: Final = 4
WATCH_SLICE: Final = 8
WATCH_RANGES: Final = 16
"""For each slice (its number mod 8): the lowest and the highest price, 0 for none."""
WATCH_SLICES: Final = 8
WATCH_SIZE: Final = WATCH_RANGES + 8 * WATCH_SLICES

KINSHIP: Final = 20
"""Of an owner with subaccounts (its owner is 0) and of each of these."""
KINSHIP_ACCOUNT: Final = 0
KINSHIP_OWNER: Final = 4
KINSHIP_ORDINAL: Final = 8
KINSHIP_SUBACCOUNTS: Final = 12
KINSHIP_LAST_TRANSFER: Final = 16
KINSHIP_SIZE: Final = 24

CONDUCT: Final = 21
"""Of an account or a key; its number is `scope << 32 | subject`, like those of bounds and stops."""
CONDUCT_NUMBER: Final = 0
CONDUCT_WATERMARK: Final = 8
CONDUCT_REASON: Final = 16
CONDUCT_BUSY_UNTIL: Final = 24
CONDUCT_SIZE: Final = 32

WITHDRAWAL: Final = 22
"""A request that waits for an answer."""
WITHDRAWAL_ID: Final = 0
WITHDRAWAL_ACCOUNT: Final = 8
WITHDRAWAL_AMOUNT: Final = 16
WITHDRAWAL_SIZE: Final = 24

AGENT: Final = 23
"""The record number is the key's."""
AGENT_KEY: Final = 0
AGENT_TIMES_IN_FORCE: Final = 4
AGENT_ORDER_VALUE: Final = 8
AGENT_SPEND: Final = 16
AGENT_WINDOW: Final = 24
AGENT_EXPOSURE: Final = 32
AGENT_EXPIRY: Final = 40
AGENT_RATE: Final = 48
AGENT_ALLOWED: Final = 56
AGENT_NEWEST: Final = 88
AGENT_BUCKETS: Final = 96
AGENT_SIZE: Final = 224

BOUNDS: Final = 24
BOUNDS_NUMBER: Final = 0
BOUNDS_REDUCE_ONLY: Final = 8
BOUNDS_OPEN_ORDERS: Final = 16
BOUNDS_POSITIONS: Final = 20
BOUNDS_ORDER_LOTS: Final = 24
BOUNDS_ORDER_VALUE: Final = 32
BOUNDS_POSITION_LOTS: Final = 40
BOUNDS_SIZE: Final = 48

STOP: Final = 25
STOP_NUMBER: Final = 0
STOP_REASON: Final = 8
STOP_BY: Final = 12
STOP_REFERENCE: Final = 16
STOP_SWEEP: Final = 24
STOP_SIZE: Final = 32

TIMES: Final = 17
"""When a market opens and closes by itself; there is none once both are past or cleared."""
TIMES_MARKET: Final = 0
TIMES_OPENS_AT: Final = 8
TIMES_CLOSES_AT: Final = 16
TIMES_SIZE: Final = 24

PAUSE: Final = 18
"""Record number = scope << 32 | subject; it stays, with level 0, when the pause is over."""
PAUSE_NUMBER: Final = 0
PAUSE_LEVEL: Final = 8
PAUSE_WATERMARK: Final = 16
PAUSE_SIZE: Final = 24


RESOLUTION: Final = 19
"""What a closed market may come to, until it is final; the record number is the market's."""
RESOLUTION_MARKET: Final = 0
RESOLUTION_STAGE: Final = 4
RESOLUTION_ROUND: Final = 8
RESOLUTION_PRICE: Final = 12
RESOLUTION_FINAL_AT: Final = 16
RESOLUTION_EVIDENCE: Final = 24
RESOLUTION_COUNT: Final = 56
RESOLUTION_ATTESTATIONS: Final = 64
MOST_ATTESTATIONS: Final = 16
"""Each is `key i32, price i32`, then 32 bytes of evidence; the slots behind `count` are 0."""
ATTESTATION_SIZE: Final = 40
RESOLUTION_SIZE: Final = RESOLUTION_ATTESTATIONS + MOST_ATTESTATIONS * ATTESTATION_SIZE


CLEARING_PRICE: Final = 0
CLEARING_LOTS: Final = 8
CLEARING_SURPLUS: Final = 16
CLEARING_SIZE: Final = 24
"""Where a market would clear. Not state."""

PREVIEWED_CODE: Final = 0
PREVIEWED_FILLS: Final = 4
PREVIEWED_STAMP: Final = 8
PREVIEWED_FILLED: Final = 16
PREVIEWED_RESTED: Final = 24
PREVIEWED_VALUE: Final = 32
PREVIEWED_FEE: Final = 40
PREVIEWED_CASH_FREE: Final = 48
PREVIEWED_SIZE: Final = 56
"""What an order would come to; then its fills, 16 bytes each. Not state."""
FILLS_PER_PREVIEW: Final = 4_000
"""What one answer holds; the sums count those that are not listed, too."""

LEDGER_KINDS: Final = (
    TREASURY,
    EVENT,
    MARKET,
    ACCOUNT,
    POSITION,
    ORDER,
    SCHEDULE,
    RULES,
    WITHDRAWAL,
)

LEVEL_PRICE: Final = 0
LEVEL_SIDE: Final = 4
LEVEL_LOTS: Final = 8
LEVEL_SIZE: Final = 16
"""One level of an answer about depth; not state, but derived from the orders."""
