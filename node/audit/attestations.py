"""The attestations in a log, verified: each must be signed by the key that it names.

The door looks at the same with code of its own: an audit must not share its mistakes.
"""

from collections.abc import Iterable

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from node.audit.replay import GROUP_KIND
from node.consensus.journal_recovery import JournalEntry
from node.domain.commands import (
    ATTEST,
    ATTEST_PUBLIC_KEY,
    ATTEST_SIGNATURE,
    ATTEST_SIZE,
    COMMAND_BODY,
    RECORD_FRAME,
)
from node.domain.groups import GROUP_HEADER_SIZE
from node.domain.identifiers import PUBLIC_KEY_SIZE
from node.protocol.attestation import attestation_statement


def attestations_of(group: bytes) -> Iterable[bytes]:
    """Yield the ATTEST frames of a group."""
    offset = GROUP_HEADER_SIZE + RECORD_FRAME
    while offset + COMMAND_BODY <= len(group):
        length = int.from_bytes(group[offset : offset + 4], "little", signed=True)
        kind = int.from_bytes(group[offset + 4 : offset + 6], "little")
        if length < COMMAND_BODY or offset + length > len(group):
            return
        if kind == ATTEST and length == ATTEST_SIZE:
            yield group[offset : offset + length]
        offset += length + RECORD_FRAME


def is_signed(cluster_id: bytes, frame: bytes) -> bool:
    """Tell whether the key in an ATTEST frame has signed it for this cluster."""
    key = frame[ATTEST_PUBLIC_KEY : ATTEST_PUBLIC_KEY + PUBLIC_KEY_SIZE]
    try:
        VerifyKey(key).verify(attestation_statement(cluster_id, frame), frame[ATTEST_SIGNATURE:])
    except (BadSignatureError, ValueError):
        return False
    return True


def check_attestations(cluster_id: bytes, entries: Iterable[JournalEntry]) -> list[str]:
    """Return a finding for each entry with an attestation that nobody has signed."""
    findings = []
    for entry in entries:
        if entry.kind != GROUP_KIND:
            continue
        for frame in attestations_of(entry.payload):
            if not is_signed(cluster_id, frame):
                key = frame[ATTEST_PUBLIC_KEY : ATTEST_PUBLIC_KEY + PUBLIC_KEY_SIZE]
                findings.append(
                    f"entry {entry.index} holds an attestation that {key.hex()} has not signed"
                )
    return findings
