"""How markets are shown: as JSON types, and as rows of a table."""

from typing import Any

from client.records import MarketRecord
from cluster.console import price, shares
from node.domain.terms import MarketState

COLUMNS = (
    "market",
    "event",
    "name",
    "state",
    "tick",
    "fees, bps",
    "orders",
    "volume, shares",
    "price",
)
_RESOLVED = (MarketState.RESOLVED, MarketState.VOIDED)


def as_dict(market: MarketRecord) -> dict[str, Any]:
    """Return a market as JSON types; prices in units of 0.0001, volume in lots of 0.01 share."""
    return {
        "market": market.number,
        "event": market.event,
        "name": market.name,
        "state": MarketState(market.state).name.lower(),
        "tick": market.tick,
        "taker_fee_bps": market.taker_fee_bps,
        "maker_fee_bps": market.maker_fee_bps,
        "orders": market.orders,
        "volume_lots": market.volume,
        "price": market.price if market.state in _RESOLVED else None,
    }


def row(market: MarketRecord) -> tuple[object, ...]:
    """Return a market as a row under COLUMNS."""
    return (
        market.number,
        market.event,
        market.name,
        MarketState(market.state).name.lower(),
        market.tick,
        f"{market.taker_fee_bps} / {market.maker_fee_bps}",
        market.orders,
        shares(market.volume),
        price(market.price) if market.state in _RESOLVED else "-",
    )
