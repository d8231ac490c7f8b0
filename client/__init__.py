"""The client of a Quorumbook cluster: `Client` for asyncio, `SyncClient` for everyone else."""

from client.batch import NewOrder, QuoteLeg
from client.client import Client
from client.errors import (
    ClientError,
    LoginRefusedError,
    NotConnectedError,
    OutcomeUnknownError,
    QueryRefusedError,
    RejectedError,
    SessionLostError,
    SubscriptionRefusedError,
)
from client.keys import load_key
from client.replies import Reply
from client.sync import SyncClient
from client.timing import ClientTiming

__all__ = [
    "Client",
    "ClientError",
    "ClientTiming",
    "LoginRefusedError",
    "NewOrder",
    "NotConnectedError",
    "OutcomeUnknownError",
    "QueryRefusedError",
    "QuoteLeg",
    "RejectedError",
    "Reply",
    "SessionLostError",
    "SubscriptionRefusedError",
    "SyncClient",
    "load_key",
]
