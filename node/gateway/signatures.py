"""Signatures on attestations, verified before they are proposed."""

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from node.domain.commands import ATTEST_PUBLIC_KEY, ATTEST_SIGNATURE
from node.domain.identifiers import PUBLIC_KEY_SIZE
from node.protocol.attestation import attestation_statement


def is_signed(cluster_id: bytes, frame: bytes) -> bool:
    """Tell whether the key in an ATTEST frame has signed it for this cluster."""
    key = frame[ATTEST_PUBLIC_KEY : ATTEST_PUBLIC_KEY + PUBLIC_KEY_SIZE]
    try:
        VerifyKey(key).verify(attestation_statement(cluster_id, frame), frame[ATTEST_SIGNATURE:])
    except (BadSignatureError, ValueError):
        return False
    return True
