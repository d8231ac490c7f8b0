"""The record of a resolution: made by the first word, changed by each, dropped when it is final."""

from mypy_extensions import i64

from node.domain import limits, terms
from node.domain.units import NANOSECONDS_PER_SECOND
from node.engine.market import Market
from node.engine.resolution import Attestation, Resolution
from node.engine.state import State
from node.engine.timer import FINALITY


def resolution_of(state: State, market: Market) -> Resolution:
    """Return the market's resolution, about to change; make it if there is none."""
    resolution = market.resolution
    if resolution is None:
        resolution = Resolution(market.number)
        resolution.page = state.life_pages.resolutions.put(market.number, resolution)
        market.resolution = resolution
    state.touch(resolution.page)
    return resolution


def forget(state: State, market: Market) -> None:
    """Drop what is known of a market that has its price now."""
    if market.resolution is not None:
        state.set_timer(FINALITY, market.number, 0)
        state.life_pages.resolutions.drop(market.number)
        market.resolution = None


def set_proposal(state: State, market: Market, price: i64, evidence: bytes) -> None:
    """Propose a price, instead of what was proposed; the challenge window begins."""
    resolution = resolution_of(state, market)
    window: i64 = state.limits[limits.CHALLENGE_SECONDS]
    resolution.stage = terms.PROPOSED
    resolution.price = price
    resolution.evidence = evidence
    resolution.final_at = state.stamp_ns + window * NANOSECONDS_PER_SECOND
    state.set_timer(FINALITY, market.number, resolution.final_at)
    state.touch(market.page)
    state.writer.resolution_proposed(market, resolution)


def set_disputed(state: State, market: Market, key: i64, evidence: bytes) -> None:
    """Dispute what is proposed, key 0 for the venue itself; a new round of attestations begins."""
    resolution = resolution_of(state, market)
    resolution.stage = terms.DISPUTED
    resolution.round += 1
    resolution.final_at = 0
    resolution.attestations = []
    state.set_timer(FINALITY, market.number, 0)
    state.touch(market.page)
    state.writer.resolution_disputed(market, key, resolution.round, evidence)


def count_agreeing(state: State, market: Market, price: i64, evidence: bytes, but: i64) -> i64:
    """Return how many valid keys other than `but` attest just this."""
    agreeing: i64 = 0
    resolution = market.resolution
    if resolution is None:
        return 0
    for attestation in resolution.attestations:
        if attestation.key == but or attestation.price != price:
            continue
        key = state.keys[attestation.key]
        if attestation.evidence == evidence and key is not None and key.revoked == 0:
            agreeing += 1
    return agreeing


def note_attestation(state: State, market: Market, key: i64, price: i64, evidence: bytes) -> None:
    """Take in a resolver's word, instead of the one it gave in this round before."""
    resolution = resolution_of(state, market)
    attestation = resolution.by_key(key)
    if attestation is None:
        resolution.attestations.append(Attestation(key, price, evidence))
    else:
        attestation.price = price
        attestation.evidence = evidence
