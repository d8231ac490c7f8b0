"""How an order leaves the book, whole or in part: filled, or with what is left set free."""

from mypy_extensions import i64

from node.domain.terms import ASK, BID, CLOSE_BY_EXPIRY
from node.engine.invariants import require
from node.engine.ledger import pair_off, release
from node.engine.market import Market
from node.engine.order import Order
from node.engine.price_level import PriceLevel
from node.engine.state import State


def forget(state: State, order: Order) -> PriceLevel:
    """Take a resting order out of its book and every index; return its level.

    Its pages must be touched.
    """
    level = order.position.market.book.remove(order)
    unlist(state, order)
    return level


def unlist(state: State, order: Order) -> None:
    """Take an order that is in no book any more out of every index. Its pages must be touched."""
    state.orders.remove(order)
    order.position.market.order_count -= 1
    order.account.order_count -= 1


def close_quietly(state: State, order: Order, reason: i64) -> PriceLevel:
    """Close a resting order; the caller publishes the depth once it is done with the level."""
    position = order.position
    state.touch_owner(position)
    state.touch(position.market.page)
    level = forget(state, order)
    leaves = order.leaves
    free_and_report(state, order, leaves, reason)
    return level


def close(state: State, order: Order, reason: i64) -> None:
    """Close a resting order and publish the depth that remains at its price."""
    publish(state, order, close_quietly(state, order, reason))


def close_expired(state: State, budget: i64) -> i64:
    """Close orders whose time has come, earliest first; return what is left of the budget."""
    while budget > 0:
        order = state.orders.first_expiring()
        if order is None or order.due_ns > state.stamp_ns:
            break
        close(state, order, CLOSE_BY_EXPIRY)
        budget -= 1
    return budget


def take_off(state: State, order: Order, lots: i64) -> PriceLevel:
    """Take lots, or none, off a resting order that keeps its place; the caller reports it."""
    position = order.position
    state.touch_all(position)
    state.orders.touch(order)
    level = position.market.book.side(order.is_bid).level(order.book_price)
    require(level is not None, "a resting order has no level")
    assert level is not None
    level.lots -= lots
    order.lots -= lots
    release(order, lots)
    pair_off(position, state.treasury)
    return level


def publish(state: State, order: Order, level: PriceLevel) -> None:
    """Publish the depth that remains at a level on the order's side."""
    publish_level(state, order.position.market, level, order.is_bid)


def publish_level(state: State, market: Market, level: PriceLevel, is_bid: bool) -> None:
    """Publish the depth that remains at a level of one side."""
    state.writer.depth(market, level.price, BID if is_bid else ASK, level.lots)


def free_and_report(state: State, order: Order, leaves: i64, reason: i64) -> None:
    """Free what the leaves had locked and tell the owner that the order is over."""
    state.touch_collateral(order.position.market)
    release(order, leaves)
    pair_off(order.position, state.treasury)
    state.writer.order_closed(order, leaves, reason)
