"""Fees: one total per order, so that they do not depend on how many fills it took.

A fill at YES price P of n lots adds bps x P x (10,000 - P) x n to the order's sum S; the order has
then paid ceil(S / 1e8) micro-USDC. S is kept as `fee_whole` (S // 1e8) and `fee_rest` (S mod 1e8):
with bps up to 1,000 the per-lot term is at most 2.5e10, its remainder below 1e8, and 1e8 x MAX_LOTS
= 1e18 stays inside 64 bits.
"""

from mypy_extensions import i64

from node.domain.units import FEE_SCALE, PRICE_SCALE
from node.engine.order import Order


def charge(order: Order, bps: i64, price: i64, lots: i64) -> i64:
    """Add a fill at YES `price` to the order's sum; return what it must now pay, rounded up."""
    if bps == 0:
        return 0
    per_lot = bps * price * (PRICE_SCALE - price)
    paid = order.fee_whole + (1 if order.fee_rest > 0 else 0)
    rest = order.fee_rest + (per_lot % FEE_SCALE) * lots
    order.fee_whole += (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
    order.fee_rest = rest % FEE_SCALE
    return order.fee_whole + (1 if order.fee_rest > 0 else 0) - paid


def largest_fee_left(order: Order) -> i64:
    """Return the most that the order's leaves can still cost in fees, in micro-USDC."""
    return largest_fee(
        order.price, order.leaves, order.fee_bps_max, order.fee_whole, order.fee_rest
    )


def largest_fee(limit: i64, lots: i64, bps: i64, fee_whole: i64, fee_rest: i64) -> i64:
    """Return the most that `lots` more can add to a buyer's fee so far, in micro-USDC.

    A buyer may be filled at any price up to its limit; p(1 - p) is largest at one half.
    """
    if bps == 0:
        return 0
    worst = limit * (PRICE_SCALE - limit)
    if limit >= PRICE_SCALE // 2:
        worst = (PRICE_SCALE // 2) * (PRICE_SCALE // 2)
    per_lot = bps * worst
    paid = fee_whole + (1 if fee_rest > 0 else 0)
    rest = fee_rest + (per_lot % FEE_SCALE) * lots
    whole = fee_whole + (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
    return whole + (1 if rest % FEE_SCALE > 0 else 0) - paid
