"""Grouping orders: limits, what fills count, and what becomes of a group that reaches its limit.

A fill of a group's order is cut to what the group may still fill, so that the fill that reaches the
limit reaches it exactly; then the group is triggered: its orders are over at once and swept in
turn, and it takes no more of them until it is reset.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import MAX_LOTS
from node.engine.fields import i32_at
from node.engine.order import Order
from node.engine.order_group import Membership, OrderGroup
from node.engine.outcome import Outcome
from node.engine.placement import Placement
from node.engine.removal import close, close_quietly
from node.engine.state import State
from node.engine.sweep import CLOSE_GROUP, Sweep


def lead_group(state: State, kind: i64, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute a command about a group of orders; `result` is the group's number."""
    if kind == layout.ORDER_GROUP_SET:
        return set_group(state, frame, at, outcome)
    if kind == layout.ORDER_GROUP_RESET:
        return reset_group(state, frame, at, outcome)
    return trigger_group(state, frame, at, outcome)


def set_group(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Give a group a limit, making it if there is none; a limit of 0 deletes it.

    A limit that it has reached already triggers it.
    """
    account = state.account(i32_at(frame, at + layout.ACCOUNT))
    number = i32_at(frame, at + layout.ORDER_GROUP_NUMBER)
    lots = read_i64_le(frame, at + layout.ORDER_GROUP_SET_LOTS)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    known = state.registers.order_groups.get(account.number, number)
    is_new = known is None or known.state == terms.GROUP_DELETED
    most: i64 = state.limits[limits.ORDER_GROUPS_PER_ACCOUNT]
    if number < 1 or (is_new and number > most):
        return Code.ORDER_GROUP_INVALID
    if lots < 0 or lots > MAX_LOTS:
        return Code.ORDER_GROUP_LIMIT_OUT_OF_RANGE
    if is_new and lots == 0:
        return Code.UNKNOWN_ORDER_GROUP
    if known is None:
        known = OrderGroup(account, number)
        state.registers.order_groups.add(known)
    state.touch(known.page)
    known.limit = lots
    outcome.result = number
    if lots == 0:
        end(state, known, terms.GROUP_DELETED)
        forget_if_over(state, known)
        return Code.OK
    if is_new:
        known.state = terms.GROUP_ACTIVE
        known.fills.empty(state.stamp_ns)
    if known.state == terms.GROUP_ACTIVE and known.room(state.stamp_ns) <= 0:
        end(state, known, terms.GROUP_TRIGGERED)
    else:
        say(state, known)
    return Code.OK


def reset_group(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Let a group fill up to its limit anew; orders that it has lost do not come back."""
    group = find(state, frame, at)
    if group is None:
        return Code.UNKNOWN_ORDER_GROUP
    state.touch(group.page)
    group.state = terms.GROUP_ACTIVE
    group.fills.empty(state.stamp_ns)
    say(state, group)
    outcome.result = group.number
    return Code.OK


def trigger_group(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Do by hand what reaching the limit does; a group that is triggered stays so."""
    group = find(state, frame, at)
    if group is None:
        return Code.UNKNOWN_ORDER_GROUP
    if group.state == terms.GROUP_ACTIVE:
        state.touch(group.page)
        end(state, group, terms.GROUP_TRIGGERED)
    outcome.result = group.number
    return Code.OK


def find(state: State, frame: bytes, at: i64) -> OrderGroup | None:
    """Return the group that a frame names, unless it is deleted."""
    account = i32_at(frame, at + layout.ACCOUNT)
    return living(state, account, i32_at(frame, at + layout.ORDER_GROUP_NUMBER))


def living(state: State, account: i64, number: i64) -> OrderGroup | None:
    """Return an account's group, unless it is deleted."""
    if account < 1 or number < 1:
        return None
    group = state.registers.order_groups.get(account, number)
    if group is None or group.state == terms.GROUP_DELETED:
        return None
    return group


def check_group(state: State, placement: Placement) -> Code:
    """Return why no order may join the group that a placement names."""
    group = living(state, placement.account, placement.group)
    if group is None:
        return Code.UNKNOWN_ORDER_GROUP
    if group.state == terms.GROUP_TRIGGERED:
        return Code.ORDER_GROUP_TRIGGERED
    return Code.OK


def join(state: State, order: Order, account: i64, number: i64) -> None:
    """Make an order that does not rest yet one of a group's that takes it."""
    group = living(state, account, number)
    assert group is not None
    order.membership = Membership(group, order)


def end(state: State, group: OrderGroup, to: i64) -> None:
    """Trigger or delete a group whose page is touched: its orders are over, and to be swept."""
    group.state = to
    group.watermark = state.next_watermark()
    say(state, group)
    if to == terms.GROUP_DELETED:
        group.fills.empty(state.stamp_ns)
    if group.first is not None:
        state.add_sweep(CLOSE_GROUP, group.account.number, group.number)


def say(state: State, group: OrderGroup) -> None:
    """Tell the owner what a group now is."""
    state.touch(group.account.page)
    state.writer.order_group_changed(group)


def most_to_fill(state: State, maker: Order, taker: Order) -> i64:
    """Return how many lots two orders may exchange within the limits of their groups."""
    most = min(maker.leaves, taker.leaves)
    if maker.membership is not None:
        most = min(most, maker.membership.group.room(state.stamp_ns))
    if taker.membership is not None:
        most = min(most, taker.membership.group.room(state.stamp_ns))
    return most


def count_fill(state: State, maker: Order, taker: Order, lots: i64) -> None:
    """Count a fill in the groups of both; end what is left of one whose group is triggered."""
    member = maker.membership
    if member is not None and reaches_limit(state, member.group, lots):
        if maker.leaves > 0:
            close_quietly(state, maker, terms.CLOSE_BY_ORDER_GROUP)
        end(state, member.group, terms.GROUP_TRIGGERED)
    member = taker.membership
    if member is not None and reaches_limit(state, member.group, lots):
        taker.stop = terms.CLOSE_BY_ORDER_GROUP
        end(state, member.group, terms.GROUP_TRIGGERED)


def reaches_limit(state: State, group: OrderGroup, lots: i64) -> bool:
    """Count lots in a group; return whether they reach its limit."""
    state.touch(group.page)
    group.fills.add(state.stamp_ns, lots)
    return group.room(state.stamp_ns) <= 0


def sweep_group(state: State, sweep: Sweep, budget: i64) -> i64:
    """Close the orders of a group that are over, oldest first; return what is left of the budget.

    `sweep.market` is the group's number. One that was deleted may be gone already.
    """
    group = state.registers.order_groups.get(sweep.account, sweep.market)
    if group is None:
        return budget
    while budget > 0:
        member = group.first
        if member is None or member.order.id >= group.watermark:
            break
        close(state, member.order, terms.CLOSE_BY_ORDER_GROUP)
        budget -= 1
    forget_if_over(state, group)
    return budget


def forget_if_over(state: State, group: OrderGroup) -> None:
    """Forget a deleted group that has no orders left."""
    if group.state == terms.GROUP_DELETED and group.first is None:
        state.registers.order_groups.drop(group)
