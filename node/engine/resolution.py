"""A resolution on its way: what is proposed for a closed market, and who has attested what."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.identifiers import EVIDENCE_SIZE
from node.domain.records import ATTESTATION_SIZE, MOST_ATTESTATIONS
from node.domain.terms import ATTESTING
from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Attestation:
    """The last word of one resolver in this round."""

    def __init__(self, key: i64, price: i64, evidence: bytes) -> None:
        """Note that the key with this number stands for a price and its evidence."""
        self.key: i64 = key
        self.price: i64 = price
        self.evidence: bytes = evidence

    def encode(self, out: BytesWriter) -> None:
        """Append the attestation's bytes."""
        write_pair(out, self.key, self.price)
        out.write(self.evidence)


class Resolution(Record):
    """One market's, from the first word on it until it is final.

    A dispute begins a new round, in which earlier attestations count for nothing.
    """

    def __init__(self, market: i64) -> None:
        """Start in round 0 without a proposal."""
        self.market: i64 = market
        self.stage: i64 = ATTESTING
        self.round: i64 = 0
        self.price: i64 = 0
        self.final_at: i64 = 0
        self.evidence: bytes = bytes(EVIDENCE_SIZE)
        self.attestations: list[Attestation] = []
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.market, self.stage)
        write_pair(out, self.round, self.price)
        write_i64_le(out, self.final_at)
        out.write(self.evidence)
        write_i64_le(out, len(self.attestations))
        for attestation in self.attestations:
            attestation.encode(out)
        out.write(bytes((MOST_ATTESTATIONS - len(self.attestations)) * ATTESTATION_SIZE))

    def by_key(self, key: i64) -> Attestation | None:
        """Return what a key attested in this round."""
        for attestation in self.attestations:
            if attestation.key == key:
                return attestation
        return None

    def is_for(self, price: i64, evidence: bytes) -> bool:
        """Return whether just this is proposed."""
        return self.price == price and self.evidence == evidence
