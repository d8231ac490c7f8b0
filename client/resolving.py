"""Resolving: what a resolver's key does, alone or with an operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.protocol.attestation import attestation_statement
from node.protocol.command_frames import CommandFrames

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from client.order_entry import CommandSender
    from client.replies import Reply


class Resolving:
    """Attestations of what markets come to, and disputes of what others propose."""

    def __init__(self, sender: CommandSender) -> None:
        """Send with `sender`, whose key is a resolver's or an operator's."""
        self._sender = sender

    async def attest(self, attestation: Attestation) -> Reply:
        """Send a resolver's signed word; enough of the same make the proposal, or decide."""
        return await self._sender.execute(lambda f: f.attest(*attestation.fields))

    async def dispute(self, market: int, evidence: bytes) -> Reply:
        """Dispute what is proposed: it must be decided, in a new round of attestations."""
        return await self._sender.execute(lambda f: f.dispute(market, evidence))


class Attestation:
    """A resolver's word on a market, signed for one cluster and one round."""

    def __init__(
        self,
        key: SigningKey,
        cluster_id: bytes,
        market: int,
        price: int,
        evidence: bytes,
        turn: int = 0,
    ) -> None:
        """Sign with `key`; `turn` is the round: how often the market was disputed before."""
        public_key = bytes(key.verify_key)
        unsigned = CommandFrames(1)
        unsigned.attest(market, turn, price, evidence, public_key, bytes(64))
        statement = attestation_statement(cluster_id, unsigned.take())
        signature = key.sign(statement).signature
        self.fields = (market, turn, price, evidence, public_key, signature)
