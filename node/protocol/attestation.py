"""What a resolver signs: one byte string that fits this cluster, market, round and outcome."""

from typing import Final

from node.domain import commands

ATTESTATION_DOMAIN: Final = b"quorumbook attestation\x00\x00"
ATTESTATION_STATEMENT_SIZE: Final = 120


def attestation_statement(cluster_id: bytes, frame: bytes) -> bytes:
    """Return the bytes that the key in an ATTEST frame signs with Ed25519.

    The domain (24 bytes), the cluster id of the genesis (16), and the frame from its market up to
    its signature: market i32, round i32, price i32, reserved i32, evidence (32), public key (32).
    """
    said = frame[commands.ATTEST_MARKET : commands.ATTEST_SIGNATURE]
    return ATTESTATION_DOMAIN + cluster_id + said
