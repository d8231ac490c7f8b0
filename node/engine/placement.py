"""A placement: what a command says of an order, before there is one."""

from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.units import PRICE_SCALE
from node.engine.order import Order
from node.engine.session import Key

KNOWN_FLAGS: Final = terms.REDUCE_ONLY | terms.CANCEL_ON_PAUSE


class Placement:
    """The terms of an order as its command gives them; one object serves all commands in turn."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self.placer: Key | None = None
        self.account: i64 = 0
        self.market: i64 = 0
        self.client_order_id: i64 = 0
        self.price: i64 = 0
        self.intent: i64 = 0
        self.time_in_force: i64 = 0
        self.lots: i64 = 0
        self.expiry_ns: i64 = 0
        self.accept_by_ns: i64 = 0
        self.spend: i64 = 0
        self.flags: i64 = 0
        self.group: i64 = 0
        self.self_trade: i64 = 0
        # What follows from the above, in YES terms.
        self.is_buy: bool = False
        self.is_bid: bool = False
        self.book_price: i64 = 0

    def read(self, frame: bytes, at: i64) -> None:
        """Take the fields of a PLACE; what it cannot say is 0."""
        word = read_i64_le(frame, at + layout.ACCOUNT)
        self.account = word & 0xFFFFFFFF
        self.market = (word >> 32) & 0xFFFFFFFF
        self.client_order_id = read_i64_le(frame, at + layout.PLACE_CLIENT_ORDER_ID)
        word = read_i64_le(frame, at + layout.PLACE_PRICE)
        self.price = word & 0xFFFFFFFF
        self.intent = (word >> 32) & 0xFFFF
        self.time_in_force = (word >> 48) & 0xFFFF
        self.lots = read_i64_le(frame, at + layout.PLACE_LOTS)
        self.expiry_ns = 0
        self.accept_by_ns = 0
        self.spend = 0
        self.flags = 0
        self.group = 0
        self.self_trade = 0
        self.is_buy = self.intent == terms.BUY_YES or self.intent == terms.BUY_NO
        self.is_bid = self.intent == terms.BUY_YES or self.intent == terms.SELL_NO
        self.book_price = self.price if self.intent <= terms.SELL_YES else PRICE_SCALE - self.price

    def read_leg(self, account: i64, frame: bytes, at: i64) -> None:
        """Take the fields of a leg of a QUOTE, which is a post-only order of the account."""
        word = read_i64_le(frame, at + layout.LEG_MARKET)
        self.account = account
        self.market = word & 0xFFFFFFFF
        self.client_order_id = read_i64_le(frame, at + layout.LEG_CLIENT_ORDER_ID)
        self.lots = read_i64_le(frame, at + layout.LEG_LOTS)
        self.time_in_force = terms.POST_ONLY
        price = (word >> 32) & 0xFFFFFFFF
        word = read_i64_le(frame, at + layout.LEG_INTENT)
        self.intent = word & 0xFFFF
        self.flags = (word >> 16) & 0xFFFF
        self.is_buy = self.intent == terms.BUY_YES or self.intent == terms.BUY_NO
        self.is_bid = self.intent == terms.BUY_YES or self.intent == terms.SELL_NO
        self.reprice(price)

    def follow(self, order: Order) -> None:
        """Say what a resting order says, from which a command may then differ."""
        self.account = order.account.number
        self.market = order.position.market.number
        self.client_order_id = order.client_order_id
        self.intent = order.intent
        self.time_in_force = order.time_in_force
        self.lots = order.lots
        self.expiry_ns = order.due_ns
        self.accept_by_ns = 0
        self.spend = 0
        self.flags = order.flags
        self.group = order.group_number()
        self.self_trade = 0
        self.is_buy = order.is_buy
        self.is_bid = order.is_bid
        self.reprice(order.price)

    def value(self, lots: i64) -> i64:
        """Return what `lots` are worth at the order's price, or the amount that it is for."""
        worth = self.price * lots
        return worth if self.spend == 0 else min(worth, self.spend)

    def stake(self) -> i64:
        """Return what may be given away with the order: for a sale that is the dearer side."""
        if self.is_buy:
            return self.value(self.lots)
        return max(self.price, PRICE_SCALE - self.price) * self.lots

    def change(self, price: i64, lots: i64) -> None:
        """Give another price and another total size; 0 leaves either as it is."""
        if price != 0:
            self.reprice(price)
        if lots != 0:
            self.lots = lots

    def reprice(self, price: i64) -> None:
        """Give another price, in the intent's own terms."""
        self.price = price
        self.book_price = price if self.intent <= terms.SELL_YES else PRICE_SCALE - price

    def read_terms(self, frame: bytes, at: i64) -> None:
        """Take the fields of a PLACE_WITH_TERMS."""
        self.read(frame, at)
        self.expiry_ns = read_i64_le(frame, at + layout.TERMS_EXPIRY)
        self.accept_by_ns = read_i64_le(frame, at + layout.TERMS_ACCEPT_BY)
        self.spend = read_i64_le(frame, at + layout.TERMS_SPEND)
        word = read_i64_le(frame, at + layout.TERMS_FLAGS)
        self.flags = word & 0xFFFFFFFF
        self.group = (word >> 32) & 0xFFFFFFFF
        self.self_trade = read_i64_le(frame, at + layout.TERMS_SELF_TRADE)
