"""What a closed market comes to: proposed, open to challenge, disputed and decided, final.

Nothing is paid before it is final. In an exclusive event a price of 1 USDC names the winner: when
it is final, all markets of the event are settled. The signatures of attestations are not verified
here but before they are proposed, and by whoever verifies the log.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.identifiers import EVIDENCE_SIZE, PUBLIC_KEY_SIZE
from node.domain.records import MOST_ATTESTATIONS
from node.domain.units import PRICE_SCALE
from node.engine import tallying
from node.engine.lifecycle import check_settlement, settle_now
from node.engine.market import Market
from node.engine.outcomes import check_winner, settle_event
from node.engine.session import Key
from node.engine.state import State


def judge(state: State, kind: i64, key: Key, frame: bytes, at: i64) -> Code:
    """Execute what a resolver, or an operator for one, says."""
    if key.role != terms.RESOLVER and key.role != terms.OPERATOR:
        return Code.NOT_PERMITTED
    if kind == layout.DISPUTE:
        return dispute(state, key, frame, at)
    return attest(state, frame, at)


def propose(state: State, frame: bytes, at: i64) -> Code:
    """Propose a price, or amend the proposal; it is final when the challenge window has passed."""
    word = read_i64_le(frame, at + layout.PROPOSE_MARKET)
    price = (word >> 32) & 0xFFFFFFFF
    start = at + layout.PROPOSE_EVIDENCE
    market = state.market(word & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_proposal(market, price)
    if code is not Code.OK:
        return code
    resolution = market.resolution
    if resolution is not None and resolution.stage == terms.DISPUTED:
        return Code.RESOLUTION_DISPUTED
    tallying.set_proposal(state, market, price, frame[start : start + EVIDENCE_SIZE])
    return Code.OK


def check_proposal(market: Market, price: i64) -> Code:
    """Check that a market may come to a price, as far as is known now."""
    if market.state != terms.CLOSED:
        return Code.MARKET_STATE_INVALID
    if price > PRICE_SCALE:
        return Code.RESOLUTION_PRICE_OUT_OF_RANGE
    if market.event.exclusive != 0 and market.event.price_sum + price > PRICE_SCALE:
        return Code.RESOLUTION_SUM_INVALID
    return Code.OK if price == 0 or market.is_named else Code.OUTCOME_UNNAMED


def dispute(state: State, key: Key, frame: bytes, at: i64) -> Code:
    """Stop a proposal from becoming final by itself."""
    market = state.market(read_i64_le(frame, at + layout.DISPUTE_MARKET) & 0xFFFFFFFF)
    start = at + layout.DISPUTE_EVIDENCE
    if market is None:
        return Code.UNKNOWN_MARKET
    resolution = market.resolution
    if resolution is None or resolution.stage == terms.ATTESTING:
        return Code.RESOLUTION_NOT_PROPOSED
    if resolution.stage == terms.DISPUTED:
        return Code.RESOLUTION_DISPUTED
    tallying.set_disputed(state, market, key.number, frame[start : start + EVIDENCE_SIZE])
    return Code.OK


def decide(state: State, frame: bytes, at: i64) -> Code:
    """Decide a dispute: the price is final at once."""
    word = read_i64_le(frame, at + layout.PROPOSE_MARKET)
    price = (word >> 32) & 0xFFFFFFFF
    market = state.market(word & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_final(market, price)
    if code is not Code.OK:
        return code
    resolution = market.resolution
    if resolution is None or resolution.stage != terms.DISPUTED:
        return Code.RESOLUTION_NOT_DISPUTED
    make_final(state, market, price)
    return Code.OK


def attest(state: State, frame: bytes, at: i64) -> Code:
    """Count a resolver's word; enough of the same make the proposal, or decide the dispute."""
    word = read_i64_le(frame, at + layout.ATTEST_MARKET)
    turn = (word >> 32) & 0xFFFFFFFF
    price = read_i64_le(frame, at + layout.ATTEST_PRICE) & 0xFFFFFFFF
    start = at + layout.ATTEST_EVIDENCE
    evidence = frame[start : start + EVIDENCE_SIZE]
    start = at + layout.ATTEST_PUBLIC_KEY
    key = state.keys_by_public.get(frame[start : start + PUBLIC_KEY_SIZE])
    market = state.market(word & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_proposal(market, price)
    if code is not Code.OK:
        return code
    if key is None or key.role != terms.RESOLVER or key.revoked != 0:
        return Code.RESOLVER_UNKNOWN
    code = check_word(market, key.number, turn, price, evidence)
    if code is not Code.OK:
        return code
    agreeing = tallying.count_agreeing(state, market, price, evidence, key.number) + 1
    quorum: i64 = state.limits[limits.RESOLVER_QUORUM]
    resolution = market.resolution
    decides = agreeing >= quorum and resolution is not None and resolution.stage == terms.DISPUTED
    if decides:
        code = check_final(market, price)
        if code is not Code.OK:
            return code
    tallying.note_attestation(state, market, key.number, price, evidence)
    state.touch(market.page)
    state.writer.attested(market, key.number, turn, price, agreeing, evidence)
    if decides:
        make_final(state, market, price)
    elif agreeing >= quorum:
        propose_once(state, market, price, evidence)
    return Code.OK


def check_word(market: Market, key: i64, turn: i64, price: i64, evidence: bytes) -> Code:
    """Check that a resolver's word is of this round, and says something new."""
    resolution = market.resolution
    if resolution is None:
        return Code.OK if turn == 0 else Code.ROUND_INVALID
    if turn != resolution.round:
        return Code.ROUND_INVALID
    attestation = resolution.by_key(key)
    if attestation is not None:
        same = attestation.price == price and attestation.evidence == evidence
        return Code.ALREADY_ATTESTED if same else Code.OK
    if len(resolution.attestations) >= MOST_ATTESTATIONS:
        return Code.TOO_MANY_ATTESTATIONS
    return Code.OK


def propose_once(state: State, market: Market, price: i64, evidence: bytes) -> None:
    """Propose what a quorum attests, unless that is proposed already: its window goes on."""
    resolution = market.resolution
    assert resolution is not None
    if resolution.stage != terms.PROPOSED or not resolution.is_for(price, evidence):
        tallying.set_proposal(state, market, price, evidence)


def final_on_time(state: State, number: i64) -> None:
    """Make a proposal final that nobody has disputed.

    One that cannot be (because a winner's siblings still trade, say) is disputed by the venue.
    """
    market = state.market(number)
    assert market is not None
    resolution = market.resolution
    assert resolution is not None
    if check_final(market, resolution.price) is Code.OK:
        make_final(state, market, resolution.price)
    else:
        tallying.set_disputed(state, market, 0, resolution.evidence)


def names_winner(market: Market, price: i64) -> bool:
    """Return whether a price says that a market has won its exclusive event."""
    return market.event.exclusive != 0 and price == PRICE_SCALE


def check_final(market: Market, price: i64) -> Code:
    """Check that a market can be settled at a price now."""
    if market.state != terms.CLOSED:
        return Code.MARKET_STATE_INVALID
    if price > PRICE_SCALE:
        return Code.RESOLUTION_PRICE_OUT_OF_RANGE
    if names_winner(market, price):
        return check_winner(market.event, market)
    return check_settlement(market, price, terms.RESOLVED)


def make_final(state: State, market: Market, price: i64) -> None:
    """Settle a market, or the event that it has won."""
    if names_winner(market, price):
        settle_event(state, market.event, market)
    else:
        settle_now(state, market, price, terms.RESOLVED)
