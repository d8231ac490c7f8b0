"""An order, resting or arriving, and the index of resting orders by id."""

from __future__ import annotations

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.records import ORDER
from node.domain.terms import (
    BUY_NO,
    BUY_YES,
    CANCEL_ON_PAUSE,
    CANCEL_RESTING,
    CLOSE_BY_CANCEL_ALL,
    CLOSE_BY_EXPIRY,
    CLOSE_BY_ORDER_GROUP,
    CLOSE_BY_PAUSE,
    SELL_NO,
)
from node.domain.units import NO_BUDGET, PRICE_SCALE
from node.engine.account import Account
from node.engine.deadlines import Deadlines, Due
from node.engine.fee_schedule import FeeSchedule
from node.engine.fields import write_pair
from node.engine.order_group import Membership
from node.engine.pages import DIRTY, Page, Pages, PageTable
from node.engine.pause import Pause
from node.engine.position import Position
from node.engine.session import Key


class Order(Due):
    """What one account wants in one market, and how much of it is left.

    Its deadline is its expiry; of two at the same time the older order goes first.
    """

    def __init__(
        self,
        order_id: i64,
        client_order_id: i64,
        account: Account,
        position: Position,
        intent: i64,
        time_in_force: i64,
        price: i64,
        lots: i64,
    ) -> None:
        """Make an order that is in no book; `price` is in the owner's own terms."""
        super().__init__(order_id)
        self.id: i64 = order_id
        # Smaller is earlier, among those at its price.
        self.priority: i64 = order_id
        self.client_order_id: i64 = client_order_id
        self.account: Account = account
        self.position: Position = position
        self.intent: i64 = intent
        self.time_in_force: i64 = time_in_force
        self.price: i64 = price
        self.lots: i64 = lots
        self.leaves: i64 = lots
        # The key that entered it, its flags, and its place in a group if it is of one.
        self.key: i64 = 0
        self.placer: Key | None = None
        self.flags: i64 = 0
        self.membership: Membership | None = None
        # What it costs, as agreed when it was entered.
        self.schedule: FeeSchedule = position.market.rules.schedule
        self.rebate_rest: i64 = 0
        # While it arrives: what it does when it meets its account's own, and why nothing more of it
        # may match (a reason to close it).
        self.self_trade: i64 = CANCEL_RESTING
        self.stop: i64 = 0
        self.fee_whole: i64 = 0
        self.fee_rest: i64 = 0
        self.cash_locked: i64 = 0
        # What a buy may still spend: of an order that arrives, for one with a budget never rests.
        self.budget: i64 = NO_BUDGET
        self.is_bid: bool = intent == BUY_YES or intent == SELL_NO
        self.is_buy: bool = intent == BUY_YES or intent == BUY_NO
        self.is_yes: bool = intent <= 2
        self.book_price: i64 = price if intent <= 2 else PRICE_SCALE - price
        self.page: Page | None = None
        # Neighbours in the price level's queue, and in the owner's list for the side of the market.
        self.ahead: Order | None = None
        self.behind: Order | None = None
        self.older: Order | None = None
        self.newer: Order | None = None
        self.older_of_key: Order | None = None
        self.newer_of_key: Order | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.id)
        write_i64_le(out, self.client_order_id)
        write_pair(out, self.account.number, self.position.market.number)
        write_i64_le(out, self.price | (self.intent << 32) | (self.time_in_force << 48))
        write_i64_le(out, self.lots)
        write_i64_le(out, self.leaves)
        write_i64_le(out, self.fee_whole)
        write_pair(out, self.fee_rest, self.rebate_rest)
        write_i64_le(out, self.due_ns)
        write_pair(out, self.key, self.group_number())
        write_pair(out, self.flags, self.schedule.number)
        write_i64_le(out, self.priority)

    def group_number(self) -> i64:
        """Return the number of its group, 0 for none."""
        member = self.membership
        return 0 if member is None else member.group.number

    def own_price(self, price: i64) -> i64:
        """Return a YES price in the owner's terms, or the reverse."""
        return price if self.is_yes else PRICE_SCALE - price

    def reprice(self, price: i64) -> None:
        """Take another price; the order must be in no book."""
        self.price = price
        self.book_price = price if self.is_yes else PRICE_SCALE - price

    def is_dead(self, stamp_ns: i64) -> bool:
        """Return whether the order has expired, or a sweep that has not reached it dooms it."""
        if 0 < self.due_ns <= stamp_ns:
            return True
        return self.is_cancelled() or self.doom() != 0

    def is_cancelled(self) -> bool:
        """Return whether its owner has cancelled it with others, and the sweep is on its way."""
        if self.is_bid:
            return self.id < self.account.bid_watermark or self.id < self.position.bids.watermark
        return self.id < self.account.ask_watermark or self.id < self.position.asks.watermark

    def doom(self) -> i64:
        """Return why it is doomed with all of its account's, key's or group's; 0 if it is not."""
        conduct = self.account.conduct
        if conduct is not None and self.id < conduct.watermark:
            return conduct.reason
        placer = self.placer
        assert placer is not None
        conduct = placer.conduct
        if conduct is not None and self.id < conduct.watermark:
            return conduct.reason
        member = self.membership
        if member is not None and self.id < member.group.watermark:
            return CLOSE_BY_ORDER_GROUP
        if self.flags & CANCEL_ON_PAUSE != 0 and self.goes_with_pause():
            return CLOSE_BY_PAUSE
        return 0

    def goes_with_pause(self) -> bool:
        """Return whether a pause that covers this order, which asks to go with it, has begun."""
        market = self.position.market
        return (
            self.is_older(market.event.venue_pause)
            or self.is_older(market.event.pause)
            or self.is_older(market.pause)
            or self.is_older(self.account.pause)
        )

    def is_older(self, pause: Pause | None) -> bool:
        """Return whether the order was there when the pause began."""
        return pause is not None and self.id < pause.watermark

    def reason_of_death(self, stamp_ns: i64) -> i64:
        """Return why a dead order is closed."""
        if 0 < self.due_ns <= stamp_ns:
            return CLOSE_BY_EXPIRY
        doom = self.doom()
        return doom if doom != 0 else CLOSE_BY_CANCEL_ALL


class Orders:
    """Resting orders by id, in pages, and those with an expiry by that.

    An account's are by client order id in its own dict.
    """

    def __init__(self, pages: Pages) -> None:
        """Start empty."""
        self.pages: Pages = pages
        self.table: PageTable = PageTable(pages, ORDER)
        self.expiries: Deadlines = Deadlines()

    def add(self, order: Order) -> None:
        """Index a resting order by both ids and append it to its owner's list in the market."""
        order.page = self.table.put(order.id, order)
        order.account.orders_by_client[order.client_order_id] = order
        order.position.listed(order).append(order)
        if order.is_bid:
            order.account.bid_count += 1
        placer = order.placer
        if placer is not None:
            placer.append(order)
        member = order.membership
        if member is not None:
            member.group.append(member)
        if order.flags & CANCEL_ON_PAUSE != 0:
            order.position.flagged += 1
            order.position.market.flagged += 1
        if order.due_ns != 0:
            self.expiries.add(order)

    def remove(self, order: Order) -> None:
        """Forget a resting order."""
        self.table.drop(order.id)
        order.page = None
        del order.account.orders_by_client[order.client_order_id]
        order.position.listed(order).unlink(order)
        if order.is_bid:
            order.account.bid_count -= 1
        placer = order.placer
        assert placer is not None
        placer.unlink(order)
        member = order.membership
        if member is not None:
            member.group.unlink(member)
        if order.flags & CANCEL_ON_PAUSE != 0:
            order.position.flagged -= 1
            order.position.market.flagged -= 1
        if order.due_ns != 0:
            self.expiries.remove(order)

    def first_expiring(self) -> Order | None:
        """Return the order that expires first, or None when none has an expiry."""
        first = self.expiries.first()
        return first if isinstance(first, Order) else None

    def get(self, order_id: i64) -> Order | None:
        """Return the resting order with this id, or None."""
        record = self.table.get(order_id)
        if isinstance(record, Order):
            return record
        return None

    def touch(self, order: Order) -> None:
        """Note that a resting order is about to change."""
        page = order.page
        if page is not None and page.state != DIRTY:
            self.pages.touch(page)
