"""Quotes: several orders that only rest, entered all together or not at all.

A leg may take the place of an order of the same account, which leaves in the same step; so a maker
moves both sides of many markets at once and is never seen with half a quote. Since no leg may trade
on arrival, every check can come before the first change.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine import ledger
from node.engine.account import Account
from node.engine.invariants import require
from node.engine.market import Market
from node.engine.matching import would_cross
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.placement import Placement
from node.engine.placing import check_terms, enter, make_order
from node.engine.replacing import take_out
from node.engine.risk import check_in_stead, open_orders_allowed, positions_allowed
from node.engine.session import Key
from node.engine.state import State


class Bundle:
    """What the legs of one quote that are checked already come to, and the orders that leave."""

    def __init__(self, account: Account) -> None:
        """Begin without legs."""
        self.account: Account = account
        self.leaving: list[Order] = []
        self.legs: list[Placement] = []
        self.names: list[int] = []
        # Cash that the leaving orders free, less what the legs lock, in micro-USDC.
        self.cash: i64 = 0

    def lots_ahead(self, placement: Placement) -> i64:
        """Return the lots that earlier legs add on the side of a market, less those that leave."""
        lots: i64 = 0
        for leg in self.legs:
            if leg.market == placement.market and leg.is_bid == placement.is_bid:
                lots += leg.lots
        for order in self.leaving:
            if order.position.market.number == placement.market and (
                order.is_bid == placement.is_bid
            ):
                lots -= order.leaves
        return lots

    def shares(self, placement: Placement) -> i64:
        """Return the lots that a selling leg may lock once the leaving orders are gone."""
        lots: i64 = 0
        position = self.account.positions.get(placement.market)
        if position is not None:
            lots = position.yes_free if placement.intent == terms.SELL_YES else position.no_free
        for order in self.leaving:
            if order.position is position and order.intent == placement.intent:
                lots += order.leaves
        for leg in self.legs:
            if leg.market == placement.market and leg.intent == placement.intent:
                lots -= leg.lots
        return lots

    def crosses(self, placement: Placement) -> bool:
        """Return whether a leg would trade with an earlier one."""
        for leg in self.legs:
            if leg.market == placement.market and leg.is_bid != placement.is_bid:
                bid = leg if leg.is_bid else placement
                ask = placement if leg.is_bid else leg
                if bid.book_price >= ask.book_price:
                    return True
        return False

    def has_name(self, client_order_id: i64) -> bool:
        """Return whether a client order id is taken, by a resting order or an earlier leg."""
        if client_order_id in self.account.orders_by_client:
            return True
        return client_order_id in self.names

    def new_positions(self) -> i64:
        """Return in how many markets the legs so far make the account's first position."""
        known: list[int] = []
        for leg in self.legs:
            if leg.market not in self.account.positions and leg.market not in known:
                known.append(leg.market)
        return len(known)


def legs_of(frame: bytes, at: i64) -> i64:
    """Return how many orders a QUOTE counts as: its legs, within what is allowed."""
    count = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    return max(1, min(count, layout.QUOTE_LEGS))


def quote(state: State, placer: Key | None, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Enter every leg as a post-only order, or none; `result` is the first one's id.

    The others follow without gaps. A rejection's `result` is the number of its leg, from 1.
    """
    word = read_i64_le(frame, at + layout.ACCOUNT)
    account = state.account(word & 0xFFFFFFFF)
    count = (word >> 32) & 0xFFFFFFFF
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if account.stop is not None:
        return Code.ACCOUNT_STOPPED
    if count < 1 or count > layout.QUOTE_LEGS:
        return Code.LEGS_INVALID
    bundle = Bundle(account)
    code = collect(state, placer, bundle, frame, at, outcome)
    number: i64 = 0
    while number < count and code is Code.OK:
        outcome.result = number + 1
        leg = Placement()
        leg.placer = placer
        leg.read_leg(account.number, frame, at + layout.QUOTE_LEG + number * layout.LEG_SIZE)
        code = check_leg(state, bundle, leg)
        bundle.legs.append(leg)
        bundle.names.append(leg.client_order_id)
        number += 1
    if code is Code.OK:
        exchange(state, bundle, outcome)
    return code


def collect(
    state: State, placer: Key | None, bundle: Bundle, frame: bytes, at: i64, outcome: Outcome
) -> Code:
    """Find the orders that leave, each once and each alive."""
    count = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    number: i64 = 0
    while number < count:
        leg = at + layout.QUOTE_LEG + number * layout.LEG_SIZE
        name = read_i64_le(frame, leg + layout.LEG_OLD_CLIENT_ORDER_ID)
        number += 1
        if name == 0:
            continue
        outcome.result = number
        order = bundle.account.orders_by_client.get(name)
        if order is None or order in bundle.leaving or order.is_dead(state.stamp_ns):
            return Code.UNKNOWN_ORDER
        if placer is not None and placer.agent is not None and order.placer is not placer:
            return Code.AGENT_NOT_ITS_ORDER
        bundle.leaving.append(order)
        bundle.cash += order.cash_locked
    return Code.OK


def check_leg(state: State, bundle: Bundle, leg: Placement) -> Code:
    """Check one leg beside the legs before it, as if the leaving orders were gone."""
    account = bundle.account
    market = state.market(leg.market)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_terms(state, leg, account, market)
    if code is not Code.OK:
        return code
    code = check_counts(state, bundle, leg)
    if code is not Code.OK:
        return code
    if market.stop is not None:
        return Code.MARKET_STOPPED
    ahead = bundle.lots_ahead(leg)
    code = check_in_stead(state, leg, account, market, leg.lots, -ahead, bundle.cash)
    if code is not Code.OK:
        return code
    if bundle.crosses(leg) or would_cross(
        state, market.makers_for(leg.is_bid), leg.book_price, bundle.leaving
    ):
        return Code.WOULD_CROSS
    return check_means(bundle, leg, market)


def check_counts(state: State, bundle: Bundle, leg: Placement) -> Code:
    """Check the leg's name, and how many orders and positions there would be."""
    account = bundle.account
    if leg.client_order_id < 1:
        return Code.CLIENT_ORDER_ID_INVALID
    if bundle.has_name(leg.client_order_id):
        return Code.CLIENT_ORDER_ID_IN_USE
    orders = account.order_count - len(bundle.leaving) + len(bundle.legs)
    if orders >= open_orders_allowed(state, account):
        return Code.TOO_MANY_OPEN_ORDERS
    positions = len(account.position_list) + bundle.new_positions()
    if positions >= positions_allowed(state, account) and leg.market not in account.positions:
        for earlier in bundle.legs:
            if earlier.market == leg.market:
                return Code.OK
        return Code.TOO_MANY_POSITIONS
    return Code.OK


def check_means(bundle: Bundle, leg: Placement, market: Market) -> Code:
    """Check that the leg can be locked beside the others; take note of what it locks."""
    if not leg.is_buy:
        return Code.OK if bundle.shares(leg) >= leg.lots else Code.INSUFFICIENT_SHARES
    needed = ledger.collateral_to_lock(leg.price, leg.lots, market.rules.schedule)
    if bundle.account.cash_free + bundle.cash < needed:
        return Code.INSUFFICIENT_FUNDS
    bundle.cash -= needed
    return Code.OK


def exchange(state: State, bundle: Bundle, outcome: Outcome) -> None:
    """Let the old orders leave and the legs enter; nothing is paired off in between."""
    for old in bundle.leaving:
        take_out(state, old)
    entered: list[Order] = []
    for leg in bundle.legs:
        market = state.market(leg.market)
        assert market is not None
        order = make_order(state, leg, bundle.account, market)
        state.touch_owner(order.position)
        ledger.lock(order)
        entered.append(order)
    outcome.result = entered[0].id
    for old in bundle.leaving:
        ledger.pair_off(old.position, state.treasury)
    for order in entered:
        filled = enter(state, order)
        require(filled == 0 and order.page is not None, "a leg of a quote did not rest")
