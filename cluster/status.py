"""What each node says about itself on its operators' page."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec

from cluster.deployment import Deployment
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

    cluster_id: str
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
    recovering: bool = False

    @property
    def words(self) -> str:
        """Return the role, and whatever keeps the node from its full part in the cluster."""
        notes = [self.role]
        if self.role == "leader" and not self.ready:
            notes.append("not ready")
        if self.recovering:
            notes.append("recovering")
        if not self.leader:
            notes.append("knows no leader")
        return ", ".join(notes)


def fetch_status(deployment: Deployment, member: Member) -> NodeStatus | None:
    """Return a node's status, or None when it does not answer.

    Whoever else answers at its address, such as a node of another cluster, is not it.
    """
    status = status_at(member)
    if status is None or not _is_own(deployment, member, status):
        return None
    return status


def stranger_at(deployment: Deployment, member: Member) -> str:
    """Return who answers in a node's place, "" when nobody or the node itself does."""
    status = status_at(member)
    if status is None or _is_own(deployment, member, status):
        return ""
    return (
        f"node {status.node} of another cluster ({status.cluster_id[:12]}) answers at {member.http}"
        if status.cluster_id != deployment.cluster_id
        else f"node {status.node} answers at {member.http}, where node {member.number} should"
    )


def _is_own(deployment: Deployment, member: Member, status: NodeStatus) -> bool:
    return (status.cluster_id, status.node) == (deployment.cluster_id, member.number)


def status_at(member: Member) -> NodeStatus | None:
    """Return the status of whichever node serves at a member's address, or None."""
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


def poll_status(deployment: Deployment) -> dict[int, NodeStatus | None]:
    """Return the status of every node by number, asked at once.

    None for a node that does not answer.
    """
    members = deployment.members
    with ThreadPoolExecutor(max_workers=len(members)) as pool:
        statuses = pool.map(lambda member: fetch_status(deployment, member), members)
        return {one.number: status for one, status in zip(members, statuses, strict=True)}


def why_unserved(deployment: Deployment) -> list[str]:
    """Return, in sentences, what may keep this cluster from serving; empty when nothing shows."""
    strangers = find_strangers(deployment)
    statuses = [status for status in poll_status(deployment).values() if status is not None]
    if not strangers and not any(one.role == "leader" and one.ready for one in statuses):
        answering = f"{len(statuses)} of {len(deployment.members)} nodes answer"
        return [f"{answering} and none leads: a majority must run; see `quorumbook status`"]
    return strangers


def find_strangers(deployment: Deployment) -> list[str]:
    """Return who answers in place of this cluster's nodes; empty when nobody does."""
    members = deployment.members
    with ThreadPoolExecutor(max_workers=len(members)) as pool:
        found = pool.map(lambda member: stranger_at(deployment, member), members)
        return [stranger for stranger in found if stranger]
