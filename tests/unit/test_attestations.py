"""Attestations: signed for one cluster, verified at the door and in the log."""

from nacl.signing import SigningKey

from client.resolving import Attestation
from node.audit.attestations import attestations_of, check_attestations, is_signed
from node.consensus.journal_recovery import JournalEntry
from node.gateway import signatures
from node.protocol.attestation import ATTESTATION_STATEMENT_SIZE, attestation_statement
from node.protocol.command_frames import CommandFrames
from tests import commands as c

CLUSTER = bytes(range(16))
RESOLVER = SigningKey(b"resolver".ljust(32, b"."))
PHOTO = b"photo".ljust(32, b".")


def attested(cluster_id: bytes = CLUSTER, turn: int = 0) -> bytes:
    """Return an ATTEST frame as the client writes it."""
    frames = CommandFrames(1)
    frames.attest(*Attestation(RESOLVER, cluster_id, 7, 10_000, PHOTO, turn).fields)
    return frames.take()


def entry(*frames: bytes) -> JournalEntry:
    """Return a log entry with these frames in session 3."""
    group = c.group([c.record(3, frame) for frame in frames], 1)
    return JournalEntry(index=5, term=1, kind=0, payload=group)


def test_a_statement_names_all_that_is_attested() -> None:
    """Cluster, market, round, price, evidence and key: nothing can be said again elsewhere."""
    statement = attestation_statement(CLUSTER, attested())

    assert len(statement) == ATTESTATION_STATEMENT_SIZE
    assert statement[24:40] == CLUSTER
    assert statement[56:88] == PHOTO
    assert statement[88:] == bytes(RESOLVER.verify_key)
    assert attestation_statement(CLUSTER, attested(turn=1)) != statement


def test_the_door_and_the_audit_verify_the_same() -> None:
    """What is signed for another cluster, or changed behind the signature, is not signed."""
    frame = attested()
    changed = frame[:24] + (9_999).to_bytes(4, "little") + frame[28:]
    for verify in (signatures.is_signed, is_signed):
        assert verify(CLUSTER, frame)
        assert not verify(bytes(16), frame)
        assert not verify(CLUSTER, changed)
        assert not verify(CLUSTER, frame[:64] + bytes(32) + frame[96:])


def test_a_log_with_a_forged_attestation_is_found_out() -> None:
    """The finding names the entry and the key; other commands and entries do not matter."""
    other = c.MarketClose(7).frame(1)
    forged = attested(bytes(16))

    assert list(attestations_of(entry(other, attested(), forged).payload)) == [attested(), forged]
    assert check_attestations(CLUSTER, [entry(other, attested())]) == []
    (finding,) = check_attestations(CLUSTER, [entry(attested()), entry(other, forged)])
    assert "entry 5" in finding
    assert bytes(RESOLVER.verify_key).hex() in finding


def test_a_cut_group_is_read_as_far_as_it_goes() -> None:
    """Damage is found elsewhere; here it must not raise."""
    payload = entry(attested()).payload

    assert list(attestations_of(payload[:60])) == []
    assert list(attestations_of(payload[:24] + bytes(40))) == []
