"""Orders that may only reduce: how much of a position an order can take off."""

from mypy_extensions import i64

from node.domain import terms
from node.engine.account import Account
from node.engine.market import Market
from node.engine.placement import Placement


def most_to_reduce(placement: Placement, account: Account, market: Market) -> i64:
    """Return the most lots by which the order can only make the account's position smaller.

    A sale: the shares that no other sale has set aside. A buy: in a NET account the opposite
    shares, which it pairs off, less what own sales would pair off with them if they came back; in a
    HOLD account nothing, because there a buy adds.
    """
    position = account.positions.get(market.number)
    if position is None:
        return 0
    if placement.intent == terms.SELL_YES:
        return position.yes_free
    if placement.intent == terms.SELL_NO:
        return position.no_free
    if not account.is_net:
        return 0
    if placement.intent == terms.BUY_YES:
        return max(0, position.no_free - position.yes_locked)
    return max(0, position.yes_free - position.no_locked)
