"""The layout of every command: fixed offsets, little-endian, signed integers.

A command frame is `length i32, type i16, flags i16, sequence i64` and a body of fixed size.
`length` counts the whole frame, itself included; `flags` is 0; `sequence` is the session's client
sequence. In the log each frame is preceded by the number of the session that sent it. All reserved
bytes are 0.
"""

from enum import IntEnum
from typing import Final

FRAME_LENGTH: Final = 0
FRAME_TYPE: Final = 4
FRAME_FLAGS: Final = 6
FRAME_HEADER_SIZE: Final = 8

COMMAND_SEQUENCE: Final = 8
COMMAND_BODY: Final = 16

RECORD_SESSION: Final = 0
RECORD_FRAME: Final = 8
"""A logged record is `session i32, reserved i32`, then the frame."""

# Orders: a trader for its own account, a broker or operator for any.
ACCOUNT: Final = 16
MARKET: Final = 20

PLACE: Final = 1
PLACE_CLIENT_ORDER_ID: Final = 24
PLACE_PRICE: Final = 32
PLACE_INTENT: Final = 36
PLACE_TIME_IN_FORCE: Final = 38
PLACE_LOTS: Final = 40
PLACE_SIZE: Final = 48

CANCEL: Final = 2
TARGET_ORDER_ID: Final = 24
TARGET_CLIENT_ORDER_ID: Final = 32
CANCEL_SIZE: Final = 40

REDUCE: Final = 3
REDUCE_LOTS: Final = 40
REDUCE_SIZE: Final = 48

CANCEL_ALL: Final = 4
CANCEL_ALL_SIZE: Final = 24

SPLIT: Final = 5
MERGE_SETS: Final = 6
SETS_LOTS: Final = 24
SETS_SIZE: Final = 32

REDEEM: Final = 7
REDEEM_SIZE: Final = 24

PLACE_WITH_TERMS: Final = 8
"""A PLACE with more to say; what both have is at the same offsets."""
TERMS_EXPIRY: Final = 48
TERMS_ACCEPT_BY: Final = 56
TERMS_SPEND: Final = 64
TERMS_FLAGS: Final = 72
TERMS_GROUP: Final = 76
TERMS_SELF_TRADE: Final = 80
TERMS_SIZE: Final = 88

# Administration: an operator only.
ACCOUNT_OPEN: Final = 32
ACCOUNT_OPEN_MODE: Final = 16
ACCOUNT_OPEN_ADDRESS: Final = 24
ACCOUNT_OPEN_PUBLIC_KEY: Final = 48
ACCOUNT_OPEN_SIZE: Final = 80

DEPOSIT: Final = 33
DEPOSIT_AMOUNT: Final = 24
DEPOSIT_CURSOR: Final = 32
DEPOSIT_SIZE: Final = 40

EVENT_CREATE: Final = 34
EVENT_CREATE_EXCLUSIVE: Final = 16
EVENT_CREATE_NAME: Final = 24
EVENT_CREATE_SIZE: Final = 88

MARKET_CREATE: Final = 35
MARKET_CREATE_EVENT: Final = 16
MARKET_CREATE_TICK: Final = 20
MARKET_CREATE_TAKER_FEE_BPS: Final = 24
MARKET_CREATE_MAKER_FEE_BPS: Final = 28
MARKET_CREATE_NAME: Final = 32
MARKET_CREATE_SIZE: Final = 96

MARKET_OPEN: Final = 36
MARKET_HALT: Final = 37
MARKET_CLOSE: Final = 38
MARKET_RESOLVE: Final = 39
MARKET_VOID: Final = 40
LIFECYCLE_MARKET: Final = 16
LIFECYCLE_PRICE: Final = 20
LIFECYCLE_SIZE: Final = 24

KEY_GRANT: Final = 41
KEY_REVOKE: Final = 42
KEY_ROLE: Final = 16
KEY_ACCOUNT: Final = 20
KEY_PUBLIC_KEY: Final = 24
KEY_SIZE: Final = 56

CONFIGURE: Final = 43
CONFIGURE_LIMIT: Final = 16
CONFIGURE_VALUE: Final = 24
CONFIGURE_SIZE: Final = 32

CHECKPOINT: Final = 44
CHECKPOINT_SIZE: Final = 16

# From the leader itself, with session 0 and sequence 0; never accepted from a socket.
SESSION_OPEN: Final = 64
SESSION_OPEN_PUBLIC_KEY: Final = 16
SESSION_OPEN_WINDOW: Final = 48
SESSION_OPEN_NONCE: Final = 56
SESSION_OPEN_SIGNATURE: Final = 88
SESSION_OPEN_SIZE: Final = 152


class CommandType(IntEnum):
    """The commands a log may hold."""

    PLACE = PLACE
    CANCEL = CANCEL
    REDUCE = REDUCE
    CANCEL_ALL = CANCEL_ALL
    SPLIT = SPLIT
    MERGE = MERGE_SETS
    REDEEM = REDEEM
    PLACE_WITH_TERMS = PLACE_WITH_TERMS
    ACCOUNT_OPEN = ACCOUNT_OPEN
    DEPOSIT = DEPOSIT
    EVENT_CREATE = EVENT_CREATE
    MARKET_CREATE = MARKET_CREATE
    MARKET_OPEN = MARKET_OPEN
    MARKET_HALT = MARKET_HALT
    MARKET_CLOSE = MARKET_CLOSE
    MARKET_RESOLVE = MARKET_RESOLVE
    MARKET_VOID = MARKET_VOID
    KEY_GRANT = KEY_GRANT
    KEY_REVOKE = KEY_REVOKE
    CONFIGURE = CONFIGURE
    CHECKPOINT = CHECKPOINT
    SESSION_OPEN = SESSION_OPEN


COMMAND_SIZES: Final[dict[int, int]] = {
    PLACE: PLACE_SIZE,
    CANCEL: CANCEL_SIZE,
    REDUCE: REDUCE_SIZE,
    CANCEL_ALL: CANCEL_ALL_SIZE,
    SPLIT: SETS_SIZE,
    MERGE_SETS: SETS_SIZE,
    REDEEM: REDEEM_SIZE,
    PLACE_WITH_TERMS: TERMS_SIZE,
    ACCOUNT_OPEN: ACCOUNT_OPEN_SIZE,
    DEPOSIT: DEPOSIT_SIZE,
    EVENT_CREATE: EVENT_CREATE_SIZE,
    MARKET_CREATE: MARKET_CREATE_SIZE,
    MARKET_OPEN: LIFECYCLE_SIZE,
    MARKET_HALT: LIFECYCLE_SIZE,
    MARKET_CLOSE: LIFECYCLE_SIZE,
    MARKET_RESOLVE: LIFECYCLE_SIZE,
    MARKET_VOID: LIFECYCLE_SIZE,
    KEY_GRANT: KEY_SIZE,
    KEY_REVOKE: KEY_SIZE,
    CONFIGURE: CONFIGURE_SIZE,
    CHECKPOINT: CHECKPOINT_SIZE,
    SESSION_OPEN: SESSION_OPEN_SIZE,
}
MAX_COMMAND_SIZE: Final = SESSION_OPEN_SIZE
MAX_CLIENT_COMMAND: Final = 63
"""Command types from 1 to this one may come from a socket; higher ones only from the leader."""
