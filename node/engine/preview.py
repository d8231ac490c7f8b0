"""A preview: what an order would come to, if it were the next command. Nothing changes.

The same checks run, and the same ledger moves money: on ghosts, copies of the account and of what
it has in the market that no page and no book knows. Makers are read where they stand.
"""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.codes import Code
from node.domain.limits import FILLS_PER_ORDER
from node.domain.records import FILLS_PER_PREVIEW
from node.domain.terms import (
    CANCEL_RESTING,
    CANCEL_TAKER,
    CLOSE_BY_FILL_LIMIT,
    CLOSE_BY_HALT,
    CLOSE_BY_ORDER_GROUP,
    CLOSE_BY_SELF_TRADE,
)
from node.engine import ledger
from node.engine.account import Account
from node.engine.admission import foresee
from node.engine.fields import write_pair
from node.engine.group_rooms import GroupRooms
from node.engine.grouping import join
from node.engine.market import Market
from node.engine.matching import best_crossing, match_kind, next_crossing, size_of_fill
from node.engine.order import Order
from node.engine.placement import Placement
from node.engine.placing import can_rest, check
from node.engine.position import Position
from node.engine.price_watch import PriceSpan
from node.engine.session import Key
from node.engine.state import State
from node.engine.treasury import Treasury


class Preview:
    """What an order would come to; money in micro-USDC, sizes in lots."""

    def __init__(self, code: Code) -> None:
        """Make the preview of an order that would be rejected, or fill nothing."""
        self.code: Code = code
        self.filled: i64 = 0
        self.rested: i64 = 0
        # What the fills cost, or bring in, without the fee.
        self.value: i64 = 0
        self.fee: i64 = 0
        # Without what the account would be given as the fee account, or get back of other orders
        # of a group that this one triggers.
        self.cash_free: i64 = 0
        self.fill_count: i64 = 0
        self.out: BytesWriter = BytesWriter()
        self.last_price: i64 = 0
        self.last_kind: i64 = 0
        self.last_lots: i64 = 0

    def add(self, price: i64, kind: i64, lots: i64) -> None:
        """Take in a fill at a price of the owner's; neighbours alike become one record."""
        self.filled += lots
        self.value += price * lots
        if price == self.last_price and kind == self.last_kind:
            self.last_lots += lots
            return
        self.write_last()
        self.last_price = price
        self.last_kind = kind
        self.last_lots = lots

    def write_last(self) -> None:
        """Write the record that is being added up, if there is one."""
        if self.last_lots > 0 and self.fill_count < FILLS_PER_PREVIEW:
            write_pair(self.out, self.last_price, self.last_kind)
            write_i64_le(self.out, self.last_lots)
            self.fill_count += 1
        self.last_lots = 0

    def fills(self) -> bytes:
        """Return the fills in order: `price i32, kind i32, lots i64` each."""
        self.write_last()
        return self.out.getvalue()

    def record(self, stamp_ns: i64) -> bytes:
        """Return the preview's record, true at this time of the log."""
        fills = self.fills()
        out = BytesWriter()
        write_pair(out, self.code.value, self.fill_count)
        write_i64_le(out, stamp_ns)
        write_i64_le(out, self.filled)
        write_i64_le(out, self.rested)
        write_i64_le(out, self.value)
        write_i64_le(out, self.fee)
        write_i64_le(out, self.cash_free)
        out.write(fills)
        return out.getvalue()


def preview(state: State, placement: Placement, key: Key) -> Preview:
    """Return what the order would come to if `key` sent it now."""
    account = state.account(placement.account)
    code = foresee(state, key, account)
    if code is not Code.OK:
        return Preview(code)
    if account is None:
        return Preview(Code.UNKNOWN_ACCOUNT)
    if account.stop is not None:
        return Preview(Code.ACCOUNT_STOPPED)
    market = state.market(placement.market)
    if market is None:
        return Preview(Code.UNKNOWN_MARKET)
    code = check(state, placement, account, market)
    seen = Preview(code)
    seen.cash_free = account.cash_free
    if code is Code.OK:
        look(state, placement, ghost_of(state, placement, account, market), seen)
    return seen


def ghost_of(state: State, placement: Placement, account: Account, market: Market) -> Order:
    """Return the order as it would enter, of a ghost of its account in a ghost of its market."""
    owner = Account(account.number, account.mode, account.address)
    owner.cash_free = account.cash_free
    owner.cash_locked = account.cash_locked
    place = Market(market.number, market.event, market.tick, market.rules, market.name)
    position = Position(0, owner, place)
    known = account.positions.get(market.number)
    if known is not None:
        position.yes_free = known.yes_free
        position.yes_locked = known.yes_locked
        position.no_free = known.no_free
        position.no_locked = known.no_locked
    order = Order(
        0,
        placement.client_order_id,
        owner,
        position,
        placement.intent,
        placement.time_in_force,
        placement.price,
        placement.lots,
    )
    order.self_trade = placement.self_trade
    if placement.spend != 0:
        order.budget = placement.spend
    if placement.group != 0:
        join(state, order, account.number, placement.group)
    ledger.lock(order)
    return order


def look(state: State, placement: Placement, taker: Order, seen: Preview) -> None:
    """Walk through the book as matching would, and note what happens."""
    market = state.market(placement.market)
    assert market is not None
    treasury = Treasury()
    touches: i64 = state.limits[FILLS_PER_ORDER]
    watch = market.watch
    span = PriceSpan(0, 0, 0) if watch is None else watch.span(state.stamp_ns)
    rooms = GroupRooms(state.stamp_ns)
    makers = market.makers_for(taker.is_bid)
    level = best_crossing(makers, taker.book_price)
    while level is not None and taker.leaves > 0 and taker.stop == 0:
        maker = level.head
        while maker is not None and taker.leaves > 0 and taker.stop == 0:
            if touches == 0:
                taker.stop = CLOSE_BY_FILL_LIMIT
                break
            touches -= 1
            meet(state, maker, taker, span, rooms, treasury, seen)
            maker = maker.behind
        level = next_crossing(makers, taker.book_price, level.price)
    if taker.leaves > 0:
        if can_rest(placement.time_in_force) and taker.stop == 0:
            seen.rested = taker.leaves
        else:
            ledger.release(taker, taker.leaves)
    ledger.pair_off(taker.position, treasury)
    seen.cash_free = taker.account.cash_free


def meet(
    state: State,
    maker: Order,
    taker: Order,
    span: PriceSpan,
    rooms: GroupRooms,
    treasury: Treasury,
    seen: Preview,
) -> None:
    """Note what comes of meeting one maker: a fill, or the end of one of the account's own."""
    if maker.is_dead(state.stamp_ns):
        if maker.account.number == taker.account.number:
            give_back(maker, taker, treasury)
        return
    if maker.account.number == taker.account.number:
        if taker.self_trade != CANCEL_TAKER:
            give_back(maker, taker, treasury)
        if taker.self_trade != CANCEL_RESTING:
            taker.stop = CLOSE_BY_SELF_TRADE
        return
    most = min(maker.leaves, taker.leaves)
    most = min(most, rooms.of_order(taker))
    lots = size_of_fill(maker, taker, min(most, rooms.of_order(maker)))
    if lots == 0:
        return
    price = maker.book_price
    if not span.admits(price):
        taker.stop = CLOSE_BY_HALT
        return
    kind = match_kind(maker.intent, taker.intent)
    seen.fee += ledger.settle(taker, price, lots, taker.schedule.taker_bps)
    ledger.pair_off(taker.position, treasury)
    seen.add(taker.own_price(price), kind, lots)
    rooms.take(maker, lots)
    rooms.take(taker, lots)
    if rooms.of_order(taker) == 0:
        taker.stop = CLOSE_BY_ORDER_GROUP


def give_back(maker: Order, taker: Order, treasury: Treasury) -> None:
    """Free, on the ghosts, what an order of the account's own has locked: it would be closed."""
    twin = Order(
        0,
        maker.client_order_id,
        taker.account,
        taker.position,
        maker.intent,
        maker.time_in_force,
        maker.price,
        maker.lots,
    )
    twin.leaves = maker.leaves
    twin.schedule = maker.schedule
    twin.fee_whole = maker.fee_whole
    twin.fee_rest = maker.fee_rest
    twin.cash_locked = maker.cash_locked
    ledger.release(twin, twin.leaves)
    ledger.pair_off(taker.position, treasury)
