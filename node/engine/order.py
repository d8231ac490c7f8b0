"""An order, resting or arriving, and the index of resting orders by id."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.records import ORDER
from node.domain.terms import BUY_NO, BUY_YES, SELL_NO
from node.domain.units import PRICE_SCALE
from node.engine.account import Account
from node.engine.fields import write_pair
from node.engine.pages import DIRTY, Page, Pages, PageTable, Record
from node.engine.position import Position


class Order(Record):
    """What one account wants in one market, and how much of it is left."""

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
        self.id: i64 = order_id
        self.client_order_id: i64 = client_order_id
        self.account: Account = account
        self.position: Position = position
        self.intent: i64 = intent
        self.time_in_force: i64 = time_in_force
        self.price: i64 = price
        self.lots: i64 = lots
        self.leaves: i64 = lots
        self.fee_bps_max: i64 = position.market.fee_bps_max
        self.fee_whole: i64 = 0
        self.fee_rest: i64 = 0
        self.cash_locked: i64 = 0
        self.is_bid: bool = intent == BUY_YES or intent == SELL_NO
        self.is_buy: bool = intent == BUY_YES or intent == BUY_NO
        self.is_yes: bool = intent <= 2
        self.book_price: i64 = price if intent <= 2 else PRICE_SCALE - price
        self.page: Page | None = None
        # Neighbours in the price level's queue, and in the owner's list for the market.
        self.ahead: Order | None = None
        self.behind: Order | None = None
        self.older: Order | None = None
        self.newer: Order | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.id)
        write_i64_le(out, self.client_order_id)
        write_pair(out, self.account.number, self.position.market.number)
        write_i64_le(out, self.price | (self.intent << 32) | (self.time_in_force << 48))
        write_i64_le(out, self.lots)
        write_i64_le(out, self.leaves)
        write_i64_le(out, self.fee_whole)
        write_i64_le(out, self.fee_rest)

    @property
    def is_dead(self) -> bool:
        """Return whether a cancel-all that is still being swept has doomed this order."""
        return self.id < self.account.watermark or self.id < self.position.watermark


class Orders:
    """Resting orders by id, in pages; an account's by client order id, in its own dict."""

    def __init__(self, pages: Pages) -> None:
        """Start empty."""
        self.pages: Pages = pages
        self.table: PageTable = PageTable(pages, ORDER)

    def add(self, order: Order) -> None:
        """Index a resting order by both ids and append it to its owner's list in the market."""
        order.page = self.table.put(order.id, order)
        order.account.orders_by_client[order.client_order_id] = order
        order.position.append(order)

    def remove(self, order: Order) -> None:
        """Forget a resting order."""
        self.table.drop(order.id)
        order.page = None
        del order.account.orders_by_client[order.client_order_id]
        order.position.unlink(order)

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
