"""Shares against what stands behind them: each market by itself, an exclusive event as one pool."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from node.audit.canonical import CanonicalState, EventRecord, MarketRecord, PositionRecord
from node.domain.terms import RESOLVED, VOIDED
from node.domain.units import PRICE_SCALE

SETTLED = (RESOLVED, VOIDED)


class Holdings(NamedTuple):
    """All that is held of one market, in lots."""

    market: MarketRecord
    yes: int
    no: int

    @property
    def is_settled(self) -> bool:
        """Return whether it has a price."""
        return self.market.state in SETTLED

    @property
    def owed(self) -> int:
        """Return what a settled market owes."""
        return self.market.price * self.yes + (PRICE_SCALE - self.market.price) * self.no


def held_for_shares(state: CanonicalState) -> int:
    """Return the micro-USDC that stand behind all shares."""
    of_markets = sum(market.collateral for market in state.markets)
    return of_markets + sum(event.collateral for event in state.events)


def check_shares(state: CanonicalState) -> Iterable[str]:
    """Yield every market or event that holds another amount than it owes, whoever wins."""
    positions: defaultdict[int, list[PositionRecord]] = defaultdict(list)
    for position in state.positions:
        positions[position.market].append(position)
    held: defaultdict[int, list[Holdings]] = defaultdict(list)
    for market in state.markets:
        held[market.event].append(_holdings(market, positions[market.number]))
    for event in state.events:
        if event.exclusive:
            yield from _check_event(event, held[event.number])
        else:
            for holdings in held[event.number]:
                yield from _check_market(holdings)
            if event.collateral:
                yield f"event {event.number} holds {event.collateral}, its markets are independent"
    unknown = set(positions) - {market.number for market in state.markets}
    if unknown:
        yield f"there are positions in markets that do not exist: {sorted(unknown)}"


def _holdings(market: MarketRecord, positions: list[PositionRecord]) -> Holdings:
    yes = sum(position.yes_free + position.yes_locked for position in positions)
    no = sum(position.no_free + position.no_locked for position in positions)
    return Holdings(market, yes, no)


def _check_market(holdings: Holdings) -> Iterable[str]:
    market, yes, no = holdings
    if market.collateral < 0:
        yield f"market {market.number} holds {market.collateral} micro-USDC"
    if holdings.is_settled:
        if holdings.owed != market.collateral:
            yield (
                f"market {market.number} owes {holdings.owed} at price {market.price} "
                f"and holds {market.collateral}"
            )
    elif not yes * PRICE_SCALE == no * PRICE_SCALE == market.collateral:
        yield (
            f"market {market.number} has {yes} lots YES and {no} NO for "
            f"{market.collateral} micro-USDC"
        )


def _check_event(event: EventRecord, markets: list[Holdings]) -> Iterable[str]:
    """Let each outcome that is open win in turn: what the event owes then is what it holds.

    What is settled is owed at its price; the rest of 1 USDC goes to the one that wins.
    """
    name = f"event {event.number}"
    if event.collateral < 0:
        yield f"{name} holds {event.collateral} micro-USDC"
    for holdings in markets:
        if holdings.market.collateral:
            yield f"market {holdings.market.number} of {name} holds what is the event's"
    settled = [holdings for holdings in markets if holdings.is_settled]
    live = [holdings for holdings in markets if not holdings.is_settled]
    owed = sum(holdings.owed for holdings in settled)
    left = PRICE_SCALE - sum(holdings.market.price for holdings in settled)
    all_no = PRICE_SCALE * sum(holdings.no for holdings in live)
    for winner in live:
        if owed + all_no + left * (winner.yes - winner.no) != event.collateral:
            yield (
                f"{name} holds {event.collateral} micro-USDC, but owes "
                f"{owed + all_no + left * (winner.yes - winner.no)} if market "
                f"{winner.market.number} wins"
            )
    if not live and owed != event.collateral:
        yield f"{name} owes {owed} at the prices of its markets and holds {event.collateral}"
