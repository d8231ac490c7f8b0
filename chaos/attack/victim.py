"""A cluster of three nodes on this machine, made to be attacked and removed afterwards."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from blake3 import blake3
from nacl.signing import SigningKey

from client import Client
from cluster.deployment import Deployment, Plan, create_deployment
from cluster.processes import await_leader, start_node, stop_all, stop_nodes
from cluster.status import fetch
from node.domain.terms import Role

NODES: Final = 3
CASH_MICRO_USDC: Final = 1_000_000_000_000
MARKETS: Final = 2


@dataclass(slots=True)
class Victim:
    """The cluster, and whom it knows."""

    deployment: Deployment
    leader: int
    follower: int
    operator: SigningKey
    traders: tuple[SigningKey, ...]
    """Trader n owns account n + 1."""
    revoked: SigningKey
    secrets: "Secrets"
    absent: int = 0
    """A node that was stopped, in whose name one may speak; 0 while all run."""
    insiders: asyncio.Lock = field(default_factory=asyncio.Lock)

    def client_port(self, node: int) -> int:
        """Return where clients reach a node."""
        return self.deployment.member(node).client_port

    def find_leader(self) -> None:
        """Look again for who leads."""
        self.leader = await_leader(self.deployment).node

    def stop_third(self) -> None:
        """Stop the node that neither leads nor is attacked."""
        numbers = {member.number for member in self.deployment.members}
        (self.absent,) = numbers - {self.leader, self.follower}
        stop_nodes(self.deployment, [self.absent])

    def process(self, node: int) -> int:
        """Return the process of a node. Raises RuntimeError when it has ended."""
        holder = self.deployment.running(node)
        if holder is None:
            raise RuntimeError(f"node {node} has ended under the attack")
        return holder

    def addresses(self) -> list[tuple[str, int]]:
        """Return where clients reach the nodes."""
        return [(member.host, member.client_port) for member in self.deployment.members]

    def counted(self) -> dict[int, dict[str, Any]]:
        """Return each running node's status page."""
        found = {}
        for member in self.deployment.members:
            body = fetch(member, "/status")
            if body is not None:
                found[member.number] = json.loads(body)
        return found


@dataclass(frozen=True, slots=True)
class Secrets:
    """What no attacker should have; some attacks ask what one could do who has it."""

    cluster_id: bytes
    cluster_key: bytes
    genesis_hash: bytes


@contextmanager
def victim(base_port: int, traders: int, settings: str = "") -> Iterator[Victim]:
    """Run a cluster with `traders` accounts and two open markets; remove all of it afterwards.

    `settings` is TOML that is added to each node's own.
    """
    folder = Path(tempfile.mkdtemp(prefix="quorumbook-attack-"))
    deployment = create_deployment(folder / "cluster", Plan(NODES, base_port, "default"))
    try:
        for member in deployment.members:
            with deployment.config_file(member.number).open("a") as file:
                file.write(settings)
        for member in deployment.members:
            start_node(deployment, member.number)
        await_leader(deployment)
        keys = tuple(SigningKey.generate() for _ in range(traders))
        revoked = SigningKey.generate()
        asyncio.run(_populate(deployment, keys, revoked))
        leader = await_leader(deployment).node
        follower = next(member.number for member in deployment.members if member.number != leader)
        operator = deployment.operator_key()
        yield Victim(deployment, leader, follower, operator, keys, revoked, _secrets(deployment))
    finally:
        stop_all(deployment)
        shutil.rmtree(folder, ignore_errors=True)


async def _populate(
    deployment: Deployment, traders: tuple[SigningKey, ...], revoked: SigningKey
) -> None:
    addresses = [(member.host, member.client_port) for member in deployment.members]
    async with Client(addresses, deployment.operator_key()) as client:
        admin = client.admin
        for number, key in enumerate(traders, 1):
            await admin.open_account(number.to_bytes(20, "big"), bytes(key.verify_key))
            await admin.deposit(number, CASH_MICRO_USDC, number)
        await admin.create_event("attack", exclusive=False)
        for number in range(1, MARKETS + 1):
            await admin.create_market(1, f"market {number}")
            await admin.open_market(number)
        await admin.grant_key(Role.TRADER, bytes(revoked.verify_key), 1)
        await admin.revoke_key(bytes(revoked.verify_key))


def _secrets(deployment: Deployment) -> Secrets:
    folder = deployment.folder(deployment.members[0].number)
    genesis = (folder / "genesis.bin").read_bytes()
    return Secrets(
        bytes.fromhex(deployment.cluster_id),
        (folder / "cluster.key").read_bytes(),
        blake3(genesis).digest(),
    )
