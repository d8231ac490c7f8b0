"""Fees: one total per order, so that they do not depend on how many fills it took.

A fill of n lots at the owner's price P adds bps x P x (10,000 - P) x n (shaped) or bps x P x 10,000
x n (flat) to the order's sum S; the order has then paid ceil(S / 1e8) micro-USDC, its schedule's
cap at most. S is kept as `fee_whole` (S // 1e8) and `fee_rest` (S mod 1e8): with bps up to 1,000
the per-lot term is at most 1e11, its remainder below 1e8, and 1e8 x MAX_LOTS = 1e18 stays inside 64
bits.

A maker's rebates likewise: its share s (in 1/10,000, at most 10,000) of all taker fees that it has
met, T, is floor(s x T / 10,000) in all, of which only s x T mod 10,000 is kept. A fill with taker
fee f raises s x T / 10,000 by no more than f, so the floor too, f being whole: no rebate exceeds
the fee that it comes from. f is at most 1e13 + 1, and s x f at most 1e17 + 1e4.
"""

from mypy_extensions import i64

from node.domain.terms import FLAT
from node.domain.units import BPS_SCALE, FEE_SCALE, PRICE_SCALE
from node.engine.fee_schedule import FeeSchedule
from node.engine.order import Order


def charge(order: Order, bps: i64, price: i64, lots: i64) -> i64:
    """Add a fill at the owner's `price` to the order's sum; return what it must now pay."""
    if bps == 0:
        return 0
    schedule = order.schedule
    per_lot = rate(schedule.shape, bps, price)
    paid = due(schedule, order.fee_whole, order.fee_rest)
    rest = order.fee_rest + (per_lot % FEE_SCALE) * lots
    order.fee_whole += (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
    order.fee_rest = rest % FEE_SCALE
    return due(schedule, order.fee_whole, order.fee_rest) - paid


def rate(shape: i64, bps: i64, price: i64) -> i64:
    """Return what a lot at the owner's `price` adds to the sum, in hundred-millionths."""
    if shape == FLAT:
        return bps * price * PRICE_SCALE
    return bps * price * (PRICE_SCALE - price)


def due(schedule: FeeSchedule, whole: i64, rest: i64) -> i64:
    """Return what an order with this sum has to have paid in all: rounded up, the cap at most."""
    total = whole + (1 if rest > 0 else 0)
    if 0 < schedule.cap < total:
        return schedule.cap
    return total


def largest_fee_left(order: Order) -> i64:
    """Return the most that the order's leaves can still cost in fees, in micro-USDC."""
    return largest_fee(order.schedule, order.price, order.leaves, order.fee_whole, order.fee_rest)


def largest_fee(schedule: FeeSchedule, limit: i64, lots: i64, fee_whole: i64, fee_rest: i64) -> i64:
    """Return the most that `lots` more can add to a buyer's fee so far, in micro-USDC.

    A buyer may be filled at any price up to its limit; p(1 - p) is largest at one half, p itself at
    the limit.
    """
    if schedule.bps_max == 0:
        return 0
    worst = limit
    if schedule.shape != FLAT and limit > PRICE_SCALE // 2:
        worst = PRICE_SCALE // 2
    per_lot = rate(schedule.shape, schedule.bps_max, worst)
    rest = fee_rest + (per_lot % FEE_SCALE) * lots
    whole = fee_whole + (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
    return due(schedule, whole, rest % FEE_SCALE) - due(schedule, fee_whole, fee_rest)


def rebate(maker: Order, taker_fee: i64) -> i64:
    """Return the maker's share of one more taker fee; never more than that fee."""
    share = maker.schedule.rebate_bps
    if share == 0:
        return 0
    met = maker.rebate_rest + share * taker_fee
    maker.rebate_rest = met % BPS_SCALE
    return met // BPS_SCALE  # Rounds down; the rest is kept for the next.
