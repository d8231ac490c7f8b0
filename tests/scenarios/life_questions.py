"""Questions about the lives of markets and events, and their answers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from node.domain.terms import ResolutionStage
from node.engine.reading import clearing_bytes
from tests.scenarios.amounts import TIME_DIGITS, price, shares, show
from tests.scenarios.life_statements import LEVEL_NAMES, scope_of, subject_of
from tests.venue_driver import SECOND_NS

if TYPE_CHECKING:
    from tests.scenarios.transcript import Transcript


def times_of(transcript: Transcript, market: str) -> str:
    """Say when a market opens and closes by itself."""
    record: Any = transcript.driver.venue.market(transcript.names.market(market))
    if record.times is None:
        return "none"
    times = {"opens at": record.times.opens_at, "closes at": record.times.closes_at}
    return ", ".join(f"{word} {show(time, TIME_DIGITS)}" for word, time in times.items() if time)


def clearing_of(transcript: Transcript, market: str) -> str:
    """Say where a market would clear if it opened now."""
    record: Any = transcript.driver.venue.market(transcript.names.market(market))
    found = clearing_bytes(record)
    if not found:
        return "none"
    at, lots, surplus = struct.unpack("<qqq", found)
    side = "bid" if surplus > 0 else "asked"
    rest = f", {shares(abs(surplus))} {side} in excess" if surplus else ""
    return f"{shares(lots)} @ {price(at)}{rest}"


def pause_of(transcript: Transcript, what: str, name: str | None) -> str:
    """Say how strictly one scope takes commands."""
    scope = scope_of(what)
    number = scope << 32 | subject_of(transcript.names, scope, name)
    pause = transcript.driver.venue.state.life_pages.pauses_by_number.get(number)
    return LEVEL_NAMES[pause.level if pause is not None else 0]


def resolution_of(transcript: Transcript, market: str) -> str:
    """Say how far a closed market is from its price."""
    record: Any = transcript.driver.venue.market(transcript.names.market(market))
    known = record.resolution
    if known is None:
        return "none"
    if known.stage == ResolutionStage.PROPOSED:
        # In whole seconds: the groups of a scenario are a nanosecond apart.
        return f"{price(known.price)} is final at {known.final_at // SECOND_NS}"
    word = ResolutionStage(known.stage).name.lower()
    return f"{word} in round {known.round}, attested by {len(known.attestations)}"
