"""What happens to one account: events of private streams."""

from __future__ import annotations

from typing import NamedTuple

from client.event_header import Header


class OrderRested(NamedTuple):
    """What is left of an order stands in the book."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    leaves: int
    intent: int


class OrderFilled(NamedTuple):
    """An order traded; price and intent are the owner's, the fee is in micro-USDC."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    lots: int
    leaves: int
    fill_id: int
    fee: int
    intent: int
    liquidity: int


class OrderReduced(NamedTuple):
    """An order became smaller."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    by: int
    leaves: int


class OrderAmended(NamedTuple):
    """An order has another price or size; unless it keeps its place it may fill, then rest."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    lots: int
    leaves: int
    keeps_place: int


class OrderClosed(NamedTuple):
    """An order left the book other than by filling; `leaves` is what was not filled."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    reason: int
    leaves: int


class OrderGroupChanged(NamedTuple):
    """What a group of orders now is (`OrderGroupState`), its limit, and what it has filled."""

    header: Header
    number: int
    state: int
    limit: int
    filled: int


class Deposited(NamedTuple):
    """Cash came in."""

    header: Header
    amount: int
    cash_free: int
    cursor: int


class SetsChanged(NamedTuple):
    """A split (lots above 0) or a merge on request (below)."""

    header: Header
    market: int
    lots: int
    cash_free: int


class Redeemed(NamedTuple):
    """Shares of a settled market became cash."""

    header: Header
    market: int
    price: int
    yes: int
    no: int
    amount: int


class FeeReceived(NamedTuple):
    """A maker's share of its taker's fee; with order 0, what the fee account is given."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    fill_id: int
    amount: int


class Converted(NamedTuple):
    """NO of the named outcomes (a bit an ordinal) became cash and YES of the others."""

    header: Header
    event: int
    lots: int
    cash: int
    cash_free: int
    outcomes: bytes


class OutcomesMerged(NamedTuple):
    """YES of all outcomes of an event became cash."""

    header: Header
    event: int
    lots: int
    cash_free: int


class Transferred(NamedTuple):
    """Cash came from (above 0) or went to (below) another account of the owner, `peer`."""

    header: Header
    peer: int
    amount: int
    cash_free: int
    transfer: int


class WithdrawalChanged(NamedTuple):
    """A request to withdraw was made, confirmed or rejected (`WithdrawalState`)."""

    header: Header
    id: int
    amount: int
    cash_free: int
    state: int
