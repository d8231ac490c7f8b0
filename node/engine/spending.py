"""Orders for an amount of money: whether one that must fill at once can."""

from mypy_extensions import i64

from node.domain.limits import FILLS_PER_ORDER
from node.domain.terms import BUY_YES, CANCEL_RESTING
from node.domain.units import PRICE_SCALE
from node.engine.account import Account
from node.engine.group_rooms import GroupRooms
from node.engine.grouping import living
from node.engine.market import Market
from node.engine.matching import best_crossing, next_crossing
from node.engine.placement import Placement
from node.engine.purse import Purse
from node.engine.state import State


def can_spend(state: State, placement: Placement, account: Account, market: Market) -> bool:
    """Return whether the whole budget can be spent at once, or all lots bought, within all limits.

    The whole budget: down to less than one more lot costs, at the price where it stands. Something
    must be bought.
    """
    touches: i64 = state.limits[FILLS_PER_ORDER]
    needed = placement.lots
    purse = Purse(market.rules.schedule, placement.spend, 0, 0)
    watch = market.watch
    span = None if watch is None else watch.span(state.stamp_ns)
    rooms = GroupRooms(state.stamp_ns)
    own = rooms.of_group(living(state, account.number, placement.group))
    makers = market.makers_for(placement.is_bid)
    level = best_crossing(makers, placement.book_price)
    while level is not None:
        price = level.price if placement.intent == BUY_YES else PRICE_SCALE - level.price
        maker = level.head
        while maker is not None:
            if touches == 0:
                return needed < placement.lots and purse.affordable(price, 1) == 0
            touches -= 1
            if maker.is_dead(state.stamp_ns):
                pass
            elif maker.account is account:
                if placement.self_trade != CANCEL_RESTING:
                    return False
            else:
                wanted = min(needed, own)
                can = min(maker.leaves, rooms.of_order(maker))
                most = min(wanted, can)
                lots = purse.affordable(price, most)
                if lots > 0 and span is not None and not span.admits(level.price):
                    return False
                purse.pay(price, lots)
                rooms.take(maker, lots)
                needed -= lots
                own -= lots
                if needed == 0 or lots < most:
                    return needed < placement.lots
                if own == 0:
                    return purse.affordable(price, 1) == 0
            maker = maker.behind
        level = next_crossing(makers, placement.book_price, level.price)
    return needed < placement.lots and purse.affordable(placement.price, 1) == 0
