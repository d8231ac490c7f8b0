"""The outcome of a command: `OK` or one of the rejections, with numbers that never change."""

from enum import IntEnum


class Code(IntEnum):
    """Outcome of one command; a number, once released, is never reused.

    When several rejections apply, the one with the smallest number is given, except that the means
    to pay (INSUFFICIENT_FUNDS, INSUFFICIENT_SHARES) are looked at last.
    """

    OK = 0

    # The record itself.
    MALFORMED = 1
    UNKNOWN_COMMAND = 2
    RULES_VERSION_MISMATCH = 3

    # The session that sent it.
    UNKNOWN_SESSION = 100
    SEQUENCE_GAP = 101
    REPLY_FORGOTTEN = 102
    KEY_REVOKED = 103
    NOT_PERMITTED = 104
    UNKNOWN_KEY = 105
    TOO_MANY_SESSIONS = 106
    WINDOW_OUT_OF_RANGE = 107
    KEY_EXISTS = 108
    TOO_MANY_KEYS = 109
    ROLE_INVALID = 110
    LAST_OPERATOR_KEY = 111

    # Accounts and money.
    UNKNOWN_ACCOUNT = 200
    ACCOUNT_EXISTS = 201
    TOO_MANY_ACCOUNTS = 202
    MODE_INVALID = 203
    AMOUNT_OUT_OF_RANGE = 204
    DEPOSIT_ALREADY_CREDITED = 205
    DEPOSIT_GAP = 206
    SUPPLY_EXCEEDED = 207
    INSUFFICIENT_FUNDS = 208
    INSUFFICIENT_SHARES = 209
    SPLIT_IN_NET_MODE = 210
    NOTHING_TO_REDEEM = 211
    SUBACCOUNT_OF_SUBACCOUNT = 212
    TOO_MANY_SUBACCOUNTS = 213
    OWNERS_DIFFER = 214
    TRANSFER_ID_INVALID = 215
    TRANSFER_ALREADY_DONE = 216
    TRANSFER_TO_ITSELF = 217
    TOO_MANY_WITHDRAWALS = 218
    UNKNOWN_WITHDRAWAL = 219

    # Events and markets.
    UNKNOWN_EVENT = 300
    UNKNOWN_MARKET = 301
    TOO_MANY_EVENTS = 302
    TOO_MANY_MARKETS = 303
    EVENT_FULL = 304
    EVENT_STARTED = 305
    NAME_INVALID = 306
    TICK_INVALID = 307
    FEE_OUT_OF_RANGE = 308
    MARKET_NOT_OPEN = 309
    MARKET_STATE_INVALID = 310
    RESOLUTION_PRICE_OUT_OF_RANGE = 311
    RESOLUTION_SUM_INVALID = 312
    MARKET_SWEEPING = 313
    MARKET_NOT_RESOLVED = 314

    # What trading in a market costs and is bound to.
    FEE_SHAPE_INVALID = 350
    REBATE_OUT_OF_RANGE = 351
    FEE_CAP_OUT_OF_RANGE = 352
    TOO_MANY_SCHEDULES = 353
    UNKNOWN_SCHEDULE = 354
    EDGE_INVALID = 355
    MINIMUM_OUT_OF_RANGE = 356
    REFERENCE_OUT_OF_RANGE = 357
    BAND_OUT_OF_RANGE = 358
    PAUSE_INVALID = 359

    # Orders: their own terms,
    INTENT_INVALID = 400
    TIME_IN_FORCE_INVALID = 401
    PRICE_OUT_OF_RANGE = 402
    PRICE_OFF_TICK = 403
    SIZE_OUT_OF_RANGE = 404
    FLAGS_INVALID = 405
    EXPIRY_INVALID = 406
    ACCEPT_BY_PASSED = 407
    SELF_TRADE_INVALID = 420
    SIZE_BELOW_MINIMUM = 421
    PRICE_OUTSIDE_BAND = 422

    # what their account already has,
    CLIENT_ORDER_ID_INVALID = 430
    CLIENT_ORDER_ID_IN_USE = 431
    TOO_MANY_OPEN_ORDERS = 432
    TOO_MANY_POSITIONS = 433

    # what rests in the book,
    WOULD_CROSS = 450
    CANNOT_FILL = 451
    VALUE_BELOW_MINIMUM = 456

    # and orders that a command names.
    UNKNOWN_ORDER = 470

    # The replicated configuration.
    UNKNOWN_LIMIT = 500
    LIMIT_OUT_OF_RANGE = 501
