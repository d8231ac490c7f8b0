"""The names of the commands, for whoever tells of them."""

from enum import IntEnum

from node.domain import commands


class CommandType(IntEnum):
    """The commands a log may hold."""

    PLACE = commands.PLACE
    CANCEL = commands.CANCEL
    REDUCE = commands.REDUCE
    CANCEL_ALL = commands.CANCEL_ALL
    SPLIT = commands.SPLIT
    MERGE = commands.MERGE_SETS
    REDEEM = commands.REDEEM
    PLACE_WITH_TERMS = commands.PLACE_WITH_TERMS
    AMEND = commands.AMEND
    REPLACE = commands.REPLACE
    QUOTE = commands.QUOTE
    ORDER_GROUP_SET = commands.ORDER_GROUP_SET
    ORDER_GROUP_RESET = commands.ORDER_GROUP_RESET
    ORDER_GROUP_TRIGGER = commands.ORDER_GROUP_TRIGGER
    SUBACCOUNT_OPEN = commands.SUBACCOUNT_OPEN
    TRANSFER = commands.TRANSFER
    WITHDRAW_REQUEST = commands.WITHDRAW_REQUEST
    AGENT_SET = commands.AGENT_SET
    AGENT_REVOKE = commands.AGENT_REVOKE
    STOP = commands.STOP
    STOP_LIFT = commands.STOP_LIFT
    DEADLINE_SET = commands.DEADLINE_SET
    ON_DISCONNECT = commands.ON_DISCONNECT
    ACCOUNT_OPEN = commands.ACCOUNT_OPEN
    DEPOSIT = commands.DEPOSIT
    EVENT_CREATE = commands.EVENT_CREATE
    MARKET_CREATE = commands.MARKET_CREATE
    MARKET_OPEN = commands.MARKET_OPEN
    MARKET_HALT = commands.MARKET_HALT
    MARKET_CLOSE = commands.MARKET_CLOSE
    MARKET_RESOLVE = commands.MARKET_RESOLVE
    MARKET_VOID = commands.MARKET_VOID
    KEY_GRANT = commands.KEY_GRANT
    KEY_REVOKE = commands.KEY_REVOKE
    CONFIGURE = commands.CONFIGURE
    CHECKPOINT = commands.CHECKPOINT
    SCHEDULE_CREATE = commands.SCHEDULE_CREATE
    SCHEDULE_ASSIGN = commands.SCHEDULE_ASSIGN
    FEE_ACCOUNT_NAME = commands.FEE_ACCOUNT_NAME
    GRID_SET = commands.GRID_SET
    GUARDS_SET = commands.GUARDS_SET
    WITHDRAW_CONFIRM = commands.WITHDRAW_CONFIRM
    WITHDRAW_REJECT = commands.WITHDRAW_REJECT
    BOUNDS_SET = commands.BOUNDS_SET
    AUCTION_CALL = commands.AUCTION_CALL
    MARKET_TIMES = commands.MARKET_TIMES
    PAUSE = commands.PAUSE
    EVENT_RESOLVE = commands.EVENT_RESOLVE
    OUTCOME_NAME = commands.OUTCOME_NAME
    PROPOSE = commands.PROPOSE
    DECIDE = commands.DECIDE
    DISPUTE = commands.DISPUTE
    ATTEST = commands.ATTEST
    CONVERT = commands.CONVERT
    MERGE_OUTCOMES = commands.MERGE_OUTCOMES
    SESSION_OPEN = commands.SESSION_OPEN
    SESSION_GONE = commands.SESSION_GONE
