"""What each node says about itself on its operators' page."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec

from config import Member

TIMEOUT_SECONDS: Final = 2.0


class Build(msgspec.Struct, frozen=True):
    """Which program a node runs."""

    version: str
    form: str


class Checkpoint(msgspec.Struct, frozen=True):
    """A node's last durable checkpoint; index 0 before the first."""

    index: int
    state_digest: str
    ledger_digest: str


class Venue(msgspec.Struct, frozen=True):
    """How much a node's venue holds."""

    sessions: int
    accounts: int
    events: int
    markets: int
    open_orders: int
    commands_applied: int
    rejections: dict[str, int]


class NodeStatus(msgspec.Struct, frozen=True):
    """The part of `/status` that the command line uses; unknown fields are left alone."""

    node: int
    role: str
    ready: bool
    term: int
    leader: int
    commit_index: int
    applied_index: int
    last_index: int
    chain_digest: str
    build: Build
    checkpoint: Checkpoint
    venue: Venue


def fetch_status(member: Member) -> NodeStatus | None:
    """Return a node's status, or None when it does not answer."""
    body = fetch(member, "/status")
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=NodeStatus)
    except msgspec.DecodeError:
        return None  # Something else listens on that port.


def fetch(member: Member, path: str) -> bytes | None:
    """Return the body of a page of a node's HTTP server, or None when there is none."""
    connection = HTTPConnection(member.host, member.http_port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == 200 else None


def poll_status(members: Iterable[Member]) -> dict[int, NodeStatus | None]:
    """Return the status of every node by number, asked at once.

    None for a node that does not answer.
    """
    listed = list(members)
    with ThreadPoolExecutor(max_workers=max(1, len(listed))) as pool:
        return dict(
            zip((member.number for member in listed), pool.map(fetch_status, listed), strict=True)
        )
