"""Commands about the lives of markets into frames."""

from librt.strings import write_i32_le, write_i64_le
from mypy_extensions import i32, i64

from node.domain import commands
from node.domain.identifiers import (
    EVIDENCE_SIZE,
    OUTCOMES_SIZE,
    PUBLIC_KEY_SIZE,
    SIGNATURE_SIZE,
)
from node.protocol.frame_buffer import FrameBuffer
from node.protocol.names import pad_name


class LifecycleFrames(FrameBuffer):
    """Writes what is said of the lives of markets and events."""

    def lifecycle(self, kind: i64, market: i64, price: i64) -> None:
        """Write a MARKET_OPEN, MARKET_HALT, MARKET_CLOSE.

        MARKET_RESOLVE (at `price`) or MARKET_VOID.
        """
        assert commands.MARKET_OPEN <= kind <= commands.MARKET_VOID
        out = self._begin(commands.LIFECYCLE_SIZE, kind)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(price))

    def auction_call(self, market: i64, begins_at_ns: i64) -> None:
        """Write an AUCTION_CALL: the call phase begins at a time of the log, 0 now, -1 never."""
        out = self._begin(commands.AUCTION_CALL_SIZE, commands.AUCTION_CALL)
        write_i64_le(out, market)
        write_i64_le(out, begins_at_ns)

    def market_times(self, market: i64, opens_at_ns: i64, closes_at_ns: i64) -> None:
        """Write a MARKET_TIMES; times are of the log, 0 for none."""
        out = self._begin(commands.TIMES_SIZE, commands.MARKET_TIMES)
        write_i32_le(out, i32(market))
        write_i32_le(out, 0)
        write_i64_le(out, opens_at_ns)
        write_i64_le(out, closes_at_ns)

    def pause(self, scope: i64, subject: i64, level: i64) -> None:
        """Write a PAUSE of a `PauseScope` at a `PauseLevel`; the venue's subject is 0."""
        out = self._begin(commands.PAUSE_SIZE, commands.PAUSE)
        write_i32_le(out, i32(scope))
        write_i32_le(out, i32(subject))
        write_i64_le(out, level)

    def event_resolve(self, event: i64, winner: i64) -> None:
        """Write an EVENT_RESOLVE: `winner` is a market of the exclusive `event`."""
        out = self._begin(commands.EVENT_RESOLVE_SIZE, commands.EVENT_RESOLVE)
        write_i32_le(out, i32(event))
        write_i32_le(out, i32(winner))

    def outcome_name(self, market: i64, name: str) -> None:
        """Write an OUTCOME_NAME."""
        out = self._begin(commands.OUTCOME_NAME_SIZE, commands.OUTCOME_NAME)
        write_i64_le(out, market)
        out.write(pad_name(name))

    def convert(self, account: i64, event: i64, lots: i64, outcomes: bytes) -> None:
        """Write a CONVERT of NO of these outcomes: 128 bytes, a bit an ordinal, lowest first."""
        assert len(outcomes) == OUTCOMES_SIZE
        out = self._begin(commands.CONVERT_SIZE, commands.CONVERT)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(event))
        write_i64_le(out, lots)
        out.write(outcomes)

    def merge_outcomes(self, account: i64, event: i64, lots: i64) -> None:
        """Write a MERGE_OUTCOMES of YES of all outcomes of `event` into cash."""
        out = self._begin(commands.OUTCOMES_SIZE, commands.MERGE_OUTCOMES)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(event))
        write_i64_le(out, lots)

    def propose(self, market: i64, price: i64, evidence: bytes) -> None:
        """Write a PROPOSE of a price for a closed market."""
        self._propose(commands.PROPOSE, market, price, evidence)

    def decide(self, market: i64, price: i64, evidence: bytes) -> None:
        """Write a DECIDE of a dispute."""
        self._propose(commands.DECIDE, market, price, evidence)

    def _propose(self, kind: i64, market: i64, price: i64, evidence: bytes) -> None:
        assert len(evidence) == EVIDENCE_SIZE
        out = self._begin(commands.PROPOSE_SIZE, kind)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(price))
        out.write(evidence)

    def dispute(self, market: i64, evidence: bytes) -> None:
        """Write a DISPUTE of what is proposed for a market."""
        assert len(evidence) == EVIDENCE_SIZE
        out = self._begin(commands.DISPUTE_SIZE, commands.DISPUTE)
        write_i64_le(out, market)
        out.write(evidence)

    def attest(
        self,
        market: i64,
        turn: i64,
        price: i64,
        evidence: bytes,
        public_key: bytes,
        signature: bytes,
    ) -> None:
        """Write an ATTEST of a price in round `turn`; see `attestation_statement`."""
        assert len(evidence) == EVIDENCE_SIZE
        assert len(public_key) == PUBLIC_KEY_SIZE
        assert len(signature) == SIGNATURE_SIZE
        out = self._begin(commands.ATTEST_SIZE, commands.ATTEST)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(turn))
        write_i64_le(out, price)
        out.write(evidence)
        out.write(public_key)
        out.write(signature)
