"""This project's whole story in a minute: trade, lose the leader, lose nothing, prove it."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import uvloop

from cluster.delivery import Delivery
from cluster.deployment import (
    LOCAL_HOST,
    PORTS_PER_NODE,
    Deployment,
    DeploymentError,
)
from cluster.flow import Flow
from cluster.flow_rejections import Rejection, explain_rejections, orders_in_question
from cluster.processes import (
    POLL_SECONDS,
    await_leader,
    await_stopped,
    is_free,
    signal_node,
    start_node,
)
from cluster.replaying import Pace, ReplayResult, operator_session, replay_flow
from cluster.status import NodeStatus, poll_status
from config import Endpoint

if TYPE_CHECKING:
    from node.audit.report import AuditReport

ROWS: Final = {"compiled": 1_000_000, "pure": 200_000}
"""Commands traded unless told otherwise, by the form of the core: under a minute with proof."""
AGREEMENT_SECONDS: Final = 60.0
_KILL_AFTER_SHARE: Final = 0.4
_WINDOW_MOST: Final = 8_192
_WINDOWS_PER_FLOW: Final = 20
_LOOK_SECONDS: Final = 0.001
_DRAWS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that the report says, and whether it held."""

    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, and what was found afterwards."""

    flow: Flow
    result: ReplayResult
    rejections: tuple[Rejection, ...]
    killed: int
    killed_after: int
    leader_before: NodeStatus
    leader_after: NodeStatus
    statuses: list[NodeStatus]
    volume_lots: int
    audit: "AuditReport"

    def claims(self) -> list[Claim]:
        """Return every claim of the report."""
        seen = self.audit.acknowledgements
        agreement = self.audit.agreement
        kept = [node.conservation for node in self.audit.nodes]
        return [
            Claim(
                f"all {self.result.commands} commands were acknowledged", self._all_acknowledged()
            ),
            Claim(
                "every rejection is explained by the flow and by what the log did to its orders",
                all(one.why for one in self.rejections),
            ),
            Claim(
                f"leader {self.killed} was killed, and node {self.leader_after.node} took over",
                self.killed == self.leader_before.node
                and self.leader_after.term > self.leader_before.term,
            ),
            Claim(
                "every acknowledged command is in the log, once and unaltered",
                seen is not None and seen.found == seen.total > 0 and not seen.repeated,
            ),
            Claim(
                "all nodes have applied the same log to the same digest",
                len({(status.applied_index, status.chain_digest) for status in self.statuses}) == 1,
            ),
            Claim(
                "an offline replay of each node's log ends with equal digests",
                self.audit.ok and agreement is not None and agreement.equal,
            ),
            Claim(
                "money is conserved to the last micro-USDC on every node",
                all(one is not None and not one.findings for one in kept),
            ),
        ]

    def _all_acknowledged(self) -> bool:
        return sum(self.result.codes.values()) == self.result.commands == len(self.flow.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        latency = self.result.latency
        replayed = [node.to_dict()["replay"] for node in self.audit.nodes if node.ok]
        return {
            "held": all(claim.held for claim in self.claims()),
            "claims": [{"claim": claim.text, "held": claim.held} for claim in self.claims()],
            "flow": self.flow.name,
            "commands": self.result.commands,
            "per_second": self.result.per_second,
            "seconds": round(self.result.seconds, 3),
            "fills": replayed[0]["fills"] if replayed else None,
            "volume_lots": self.volume_lots,
            "rejections": [one._asdict() for one in self.rejections],
            "latency_ns": latency._asdict(),
            "failover_gap_ns": self.result.gap_ns,
            "killed": {"node": self.killed, "after_commands": self.killed_after},
            "leader_before": self.leader_before.node,
            "leader_after": self.leader_after.node,
            "nodes": [
                {
                    "node": one.node,
                    "applied_index": one.applied_index,
                    "chain_digest": one.chain_digest,
                }
                for one in self.statuses
            ],
            "core": self.leader_after.build.form,
            "audit": self.audit.to_dict(),
        }


def free_base_port() -> int:
    """Return a base port whose ports are all free now: drawn, so that callers do not collide."""
    draw = SystemRandom()
    for _ in range(_DRAWS_MAX):
        base = draw.randrange(10_000, 30_000, 10)  # Below the ports that outgoing connections get.
        if all(is_free(Endpoint(LOCAL_HOST, port)) for port in _ports(base)):
            return base
    raise DeploymentError(
        f"{_DRAWS_MAX} times the ports drawn for a cluster were in use on {LOCAL_HOST}"
    )


def _ports(base: int) -> Iterator[int]:
    for number in range(1, 6):
        yield from (base + PORTS_PER_NODE * number + offset for offset in range(3))


def play(deployment: Deployment, flow: Flow, say: Callable[[str], None]) -> Story:
    """Play `flow` on a running cluster, kill its leader in the middle, and look at everything."""
    from node.audit.executions import Executions
    from node.audit.verify import verify

    before = await_leader(deployment)
    say(
        f"node {before.node} leads; replaying {len(flow.rows)} commands of {flow.name}, "
        "as fast as they go"
    )
    window = max(16, min(_WINDOW_MOST, len(flow.rows) // _WINDOWS_PER_FLOW))
    killer = _Killer(deployment, before.node, len(flow.rows), say)
    result, volume = uvloop.run(_trade(deployment, flow, window, killer))
    after = await_leader(deployment)
    say(
        f"node {after.node} leads in term {after.term}; "
        f"{result.gap_ns / 1e6:.0f} ms without an acknowledgement"
    )
    await_stopped(deployment, [before.node])
    start_node(deployment, before.node)
    say(f"node {before.node} runs again; waiting until all nodes agree")
    statuses = await_agreement(deployment)
    say("all nodes agree; replaying their logs offline, one after the other")
    with TemporaryDirectory(prefix="quorumbook-") as scratch:
        replies = Path(scratch) / "replies.bin"
        replies.write_bytes(b"".join(result.replies))
        folders = [deployment.folder(member.number) for member in deployment.members]
        accounts = result.stage.accounts
        executions = Executions(orders_in_question(result.sent, accounts))
        audit = verify(folders, acknowledgements=replies, observe=executions.observe)
        rejections = tuple(explain_rejections(result.sent, accounts, executions))
    killed, ran = killer.killed_after, (before, after)
    return Story(flow, result, rejections, before.node, killed, *ran, statuses, volume, audit)


def await_agreement(deployment: Deployment, seconds: float = AGREEMENT_SECONDS) -> list[NodeStatus]:
    """Wait until all nodes are at one index and digest; DeploymentError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        polled = poll_status(deployment)
        statuses = [status for status in polled.values() if status is not None]
        reached = {(status.applied_index, status.chain_digest) for status in statuses}
        if len(statuses) == len(deployment.members) and len(reached) == 1:
            return statuses
        if time.monotonic() > deadline:
            said = {n: s and (s.applied_index, s.chain_digest[:12]) for n, s in polled.items()}
            raise DeploymentError(f"the nodes did not agree within {seconds:.0f} s: {said}")
        time.sleep(POLL_SECONDS)


class _Killer:
    """Ends the leader with SIGKILL once enough of a flow is acknowledged."""

    def __init__(
        self, deployment: Deployment, leader: int, commands: int, say: Callable[[str], None]
    ) -> None:
        self._deployment = deployment
        self._leader = leader
        self._wanted = int(commands * _KILL_AFTER_SHARE)
        self._say = say
        self._task: asyncio.Task[None] | None = None
        self.killed_after = 0

    def watch(self, deliveries: list[Delivery]) -> None:
        """Begin to look at how far the deliveries are."""
        self._task = asyncio.create_task(self._kill(deliveries))

    async def _kill(self, deliveries: list[Delivery]) -> None:
        reached = 0
        while reached < self._wanted:
            reached = sum(delivery.acknowledged for delivery in deliveries)
            await asyncio.sleep(_LOOK_SECONDS)
        process = signal_node(self._deployment, self._leader, signal.SIGKILL)
        self.killed_after = reached
        self._say(
            f"kill -9 {process}: node {self._leader}, the leader, dies "
            f"after {reached} acknowledgements"
        )


async def _trade(
    deployment: Deployment, flow: Flow, window: int, killer: _Killer
) -> tuple[ReplayResult, int]:
    result = await replay_flow(deployment, flow, Pace(window=window), killer.watch)
    async with operator_session(deployment) as operator:
        markets = await operator.queries.markets(result.stage.event)
    return result, sum(market.volume for market in markets)
