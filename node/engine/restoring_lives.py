"""Restoring what the lives of markets left in a snapshot: times, pauses, resolutions."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import records
from node.domain.codes import Code
from node.domain.identifiers import EVIDENCE_SIZE
from node.engine.fields import i32_at
from node.engine.market import Market
from node.engine.market_times import MarketTimes
from node.engine.pause import SCOPE_SHIFT
from node.engine.pausing import check_subject, pause_of
from node.engine.resolution import Attestation, Resolution
from node.engine.snapshot_error import SnapshotError
from node.engine.state import State


def load_life(state: State, kind: i64, value: bytes, at: i64) -> None:
    """Load one record; markets, events and accounts came before.

    Raises SnapshotError when it is of none of those.
    """
    if kind == records.TIMES:
        load_times(state, value, at)
    elif kind == records.PAUSE:
        load_pause(state, value, at)
    else:
        load_resolution(state, value, at)


def market_of(state: State, number: i64) -> Market:
    """Return the market that a record is about."""
    market = state.market(number)
    if market is None:
        raise SnapshotError("a record's market is missing")
    return market


def load_times(state: State, value: bytes, at: i64) -> None:
    """Load a TIMES record; its timers are records of their own."""
    market = market_of(state, i32_at(value, at + records.TIMES_MARKET))
    times = MarketTimes(market.number)
    times.opens_at = read_i64_le(value, at + records.TIMES_OPENS_AT)
    times.closes_at = read_i64_le(value, at + records.TIMES_CLOSES_AT)
    times.page = state.life_pages.times.put(market.number, times)
    market.times = times


def load_pause(state: State, value: bytes, at: i64) -> None:
    """Load a PAUSE record."""
    number = read_i64_le(value, at + records.PAUSE_NUMBER)
    scope = number >> SCOPE_SHIFT
    subject = number & 0xFFFFFFFF
    if check_subject(state, scope, subject) is not Code.OK:
        raise SnapshotError("a pause's subject is missing")
    pause = pause_of(state, scope, subject)
    pause.level = read_i64_le(value, at + records.PAUSE_LEVEL)
    pause.watermark = read_i64_le(value, at + records.PAUSE_WATERMARK)


def load_resolution(state: State, value: bytes, at: i64) -> None:
    """Load a RESOLUTION record; its timer is a record of its own."""
    market = market_of(state, i32_at(value, at + records.RESOLUTION_MARKET))
    resolution = Resolution(market.number)
    resolution.stage = i32_at(value, at + records.RESOLUTION_STAGE)
    resolution.round = i32_at(value, at + records.RESOLUTION_ROUND)
    resolution.price = i32_at(value, at + records.RESOLUTION_PRICE)
    resolution.final_at = read_i64_le(value, at + records.RESOLUTION_FINAL_AT)
    start = at + records.RESOLUTION_EVIDENCE
    resolution.evidence = value[start : start + EVIDENCE_SIZE]
    count = read_i64_le(value, at + records.RESOLUTION_COUNT)
    if count < 0 or count > records.MOST_ATTESTATIONS:
        raise SnapshotError("a resolution has more attestations than there is room for")
    while len(resolution.attestations) < count:
        place: i64 = len(resolution.attestations)
        start = at + records.RESOLUTION_ATTESTATIONS + place * records.ATTESTATION_SIZE
        key = i32_at(value, start)
        if key < 1 or key >= len(state.keys):
            raise SnapshotError("an attestation's key is missing")
        evidence = value[start + 8 : start + 8 + EVIDENCE_SIZE]
        resolution.attestations.append(Attestation(key, i32_at(value, start + 4), evidence))
    resolution.page = state.life_pages.resolutions.put(market.number, resolution)
    market.resolution = resolution
