"""The layout of every session-layer message (types from 256).

Fixed offsets, little-endian, signed integers.

They share the header of commands, replies and events: `length i32, type i16, flags i16`. All
reserved bytes are 0. DEPTH_LEVELS and ANSWER end in a number of records; every other message has
one size.
"""

from enum import IntEnum
from typing import Final

FIRST_MESSAGE: Final = 256

# A node to a client, first thing on a connection.
CHALLENGE: Final = 256
CHALLENGE_OLDEST_VERSION: Final = 8
CHALLENGE_NEWEST_VERSION: Final = 10
CHALLENGE_NODE: Final = 12
CHALLENGE_CLUSTER_ID: Final = 16
CHALLENGE_NONCE: Final = 32
CHALLENGE_LOGIN_MS: Final = 64
CHALLENGE_HEARTBEAT_MS: Final = 68
CHALLENGE_SIZE: Final = 72

LOGIN: Final = 257
LOGIN_VERSION: Final = 8
LOGIN_PURPOSE: Final = 10
LOGIN_SESSION: Final = 12
LOGIN_WINDOW: Final = 16
LOGIN_PUBLIC_KEY: Final = 24
LOGIN_SIGNATURE: Final = 56
LOGIN_SIZE: Final = 120

LOGIN_ACCEPTED: Final = 258
ACCEPTED_SESSION: Final = 8
ACCEPTED_WINDOW: Final = 12
ACCEPTED_NEXT_SEQUENCE: Final = 16
ACCEPTED_LOG_INDEX: Final = 24
ACCEPTED_KEY: Final = 32
ACCEPTED_ACCOUNT: Final = 36
ACCEPTED_ROLE: Final = 40
ACCEPTED_PURPOSE: Final = 42
ACCEPTED_VERSION: Final = 44
ACCEPTED_SIZE: Final = 48

REFUSED: Final = 259
"""`detail` depends on the reason; `resend_from` is 0 unless a command was refused.

`request` names a query or feed.
"""
REFUSED_REASON: Final = 8
REFUSED_CLOSING: Final = 12
REFUSED_RESEND_FROM: Final = 16
REFUSED_DETAIL: Final = 24
REFUSED_REQUEST: Final = 32
REFUSED_SIZE: Final = 40

REDIRECT: Final = 260
"""Node 0 and port 0 when no leader is known: try again, anywhere, after a pause.

The host is padded with 0.
"""
REDIRECT_NODE: Final = 8
REDIRECT_PORT: Final = 12
REDIRECT_HOST: Final = 16
REDIRECT_HOST_SIZE: Final = 64
REDIRECT_SIZE: Final = 80

HEARTBEAT: Final = 261
"""From a node: its applied log index and that group's stamp. From a client: both 0."""
HEARTBEAT_LOG_INDEX: Final = 8
HEARTBEAT_STAMP: Final = 16
HEARTBEAT_SIZE: Final = 24

LOGOUT: Final = 262
LOGOUT_SIZE: Final = 8

SUBSCRIBE: Final = 263
SUBSCRIBE_REQUEST: Final = 8
SUBSCRIBE_FEED: Final = 16
SUBSCRIBE_OPTIONS: Final = 18
SUBSCRIBE_STREAM: Final = 20
SUBSCRIBE_FROM_LOG_INDEX: Final = 24
SUBSCRIBE_FROM_SEQUENCE: Final = 32
SUBSCRIBE_SIZE: Final = 40

WITH_DEPTH: Final = 1
"""Option of SUBSCRIBE to a market: send the whole depth first."""

UNSUBSCRIBE: Final = 264
UNSUBSCRIBED: Final = 266
UNSUBSCRIBE_REQUEST: Final = 8
UNSUBSCRIBE_FEED: Final = 16
UNSUBSCRIBE_STREAM: Final = 20
UNSUBSCRIBE_SIZE: Final = 24

SUBSCRIBED: Final = 265
"""Events after `stream_sequence` (0 for all streams of a feed) follow.

`log_index` is where they begin.
"""
SUBSCRIBED_REQUEST: Final = 8
SUBSCRIBED_FEED: Final = 16
SUBSCRIBED_OPTIONS: Final = 18
SUBSCRIBED_STREAM: Final = 20
SUBSCRIBED_LOG_INDEX: Final = 24
SUBSCRIBED_STREAM_SEQUENCE: Final = 32
SUBSCRIBED_SIZE: Final = 40

DEPTH_LEVELS: Final = 267
"""The whole depth of a market as of `stream_sequence`, best price first, bids then asks.

Levels as in records.LEVEL.
"""
LEVELS_REQUEST: Final = 8
LEVELS_MARKET: Final = 16
LEVELS_MORE: Final = 20
LEVELS_LOG_INDEX: Final = 24
LEVELS_STREAM_SEQUENCE: Final = 32
LEVELS_COUNT: Final = 40
LEVELS_RECORDS: Final = 48

QUERY: Final = 268
QUERY_REQUEST: Final = 8
QUERY_SUBJECT: Final = 16
QUERY_OPTIONS: Final = 18
QUERY_NUMBER: Final = 20
QUERY_ID: Final = 24
QUERY_CURSOR: Final = 32
QUERY_AT_LEAST_INDEX: Final = 40
QUERY_SIZE: Final = 48

LINEARIZABLE: Final = 1
"""Option of QUERY: answer from the leader after a read barrier.

Without it the answer is what this node has applied.
"""

ANSWER: Final = 269
"""`cursor` is 0 when the answer is complete, else the cursor of the query that continues it."""
ANSWER_REQUEST: Final = 8
ANSWER_SUBJECT: Final = 16
ANSWER_OPTIONS: Final = 18
ANSWER_RECORD_SIZE: Final = 20
ANSWER_LOG_INDEX: Final = 24
ANSWER_CURSOR: Final = 32
ANSWER_COUNT: Final = 40
ANSWER_RECORDS: Final = 48

PREVIEW: Final = 270
"""What would this order come to? Answered by an ANSWER of subject PREVIEWS with one record.

The order is a PLACE_WITH_TERMS frame; its sequence means nothing.
"""
PREVIEW_REQUEST: Final = 8
PREVIEW_OPTIONS: Final = 16
PREVIEW_AT_LEAST_INDEX: Final = 24
PREVIEW_ORDER: Final = 32
PREVIEW_SIZE: Final = 120

LAST_MESSAGE: Final = 270

MAX_CLIENT_FRAME: Final = 4_096
"""No frame from a client is longer; a node may set a smaller cap."""
MAX_SERVER_FRAME: Final = 65_536
"""No frame from a node is longer."""
MAX_QUERIES: Final = 16
"""Queries of one connection that may wait for their answers; a node may set a smaller cap."""

CLIENT_MESSAGE_SIZES: Final[dict[int, int]] = {
    LOGIN: LOGIN_SIZE,
    HEARTBEAT: HEARTBEAT_SIZE,
    LOGOUT: LOGOUT_SIZE,
    SUBSCRIBE: SUBSCRIBE_SIZE,
    UNSUBSCRIBE: UNSUBSCRIBE_SIZE,
    QUERY: QUERY_SIZE,
    PREVIEW: PREVIEW_SIZE,
}
"""The messages that a client may send."""

NODE_MESSAGE_SIZES: Final[dict[int, int]] = {
    CHALLENGE: CHALLENGE_SIZE,
    LOGIN_ACCEPTED: ACCEPTED_SIZE,
    REFUSED: REFUSED_SIZE,
    REDIRECT: REDIRECT_SIZE,
    HEARTBEAT: HEARTBEAT_SIZE,
    LOGOUT: LOGOUT_SIZE,
    SUBSCRIBED: SUBSCRIBED_SIZE,
    UNSUBSCRIBED: UNSUBSCRIBE_SIZE,
    DEPTH_LEVELS: 0,
    ANSWER: 0,
}
"""The messages that a node may send; 0 where the size varies."""


class MessageType(IntEnum):
    """The session-layer messages."""

    CHALLENGE = CHALLENGE
    LOGIN = LOGIN
    LOGIN_ACCEPTED = LOGIN_ACCEPTED
    REFUSED = REFUSED
    REDIRECT = REDIRECT
    HEARTBEAT = HEARTBEAT
    LOGOUT = LOGOUT
    SUBSCRIBE = SUBSCRIBE
    UNSUBSCRIBE = UNSUBSCRIBE
    SUBSCRIBED = SUBSCRIBED
    UNSUBSCRIBED = UNSUBSCRIBED
    DEPTH_LEVELS = DEPTH_LEVELS
    QUERY = QUERY
    ANSWER = ANSWER
    PREVIEW = PREVIEW


TRADE: Final = 1
"""Purpose of a login: commands, at the leader only, in a session."""
READ: Final = 2
"""Purpose of a login: feeds and queries, at any node."""

EXECUTIONS: Final = 1
MARKET_DATA: Final = 2
VENUE: Final = 3


class Feed(IntEnum):
    """A family of streams: executions of an account, data of a market, or the venue's own.

    Stream 0 means all.
    """

    EXECUTIONS = EXECUTIONS
    MARKET_DATA = MARKET_DATA
    VENUE = VENUE


ACCOUNT: Final = 1
POSITIONS: Final = 2
OPEN_ORDERS: Final = 3
ORDER: Final = 4
ORDER_BY_CLIENT_ID: Final = 5
MARKET: Final = 6
MARKETS: Final = 7
EVENT: Final = 8
EVENTS: Final = 9
DEPTH: Final = 10
TREASURY: Final = 11
STATUS: Final = 12
ACCOUNTS: Final = 13
SCHEDULES: Final = 14
RULES: Final = 15
ORDER_GROUPS: Final = 16
CLEARING: Final = 17
MARKET_TIMES: Final = 18
RESOLUTION: Final = 19
PAUSES: Final = 20
STOPS: Final = 21
PREVIEWS: Final = 100
"""The subject of the answer to a PREVIEW; a QUERY cannot ask for it."""


class Subject(IntEnum):
    """What a query asks for; `number` and `id` say which one."""

    ACCOUNT = ACCOUNT
    POSITIONS = POSITIONS
    OPEN_ORDERS = OPEN_ORDERS
    ORDER = ORDER
    ORDER_BY_CLIENT_ID = ORDER_BY_CLIENT_ID
    MARKET = MARKET
    MARKETS = MARKETS
    EVENT = EVENT
    EVENTS = EVENTS
    DEPTH = DEPTH
    TREASURY = TREASURY
    STATUS = STATUS
    ACCOUNTS = ACCOUNTS
    SCHEDULES = SCHEDULES
    RULES = RULES
    ORDER_GROUPS = ORDER_GROUPS
    CLEARING = CLEARING
    MARKET_TIMES = MARKET_TIMES
    RESOLUTION = RESOLUTION
    PAUSES = PAUSES
    STOPS = STOPS
