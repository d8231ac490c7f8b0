"""What a snapshot's records say of fee schedules, which come behind the records that name them."""

from mypy_extensions import i64

from node.domain import records
from node.engine.fee_schedule import read_schedule
from node.engine.fields import i32_at
from node.engine.ledger import collateral_of
from node.engine.market_rules import read_rules
from node.engine.order import Order
from node.engine.price_watch import read_watch
from node.engine.state import State


class Agreements:
    """Which schedule each order and market has, and which account the fees: numbers, until `keep`.

    Each method returns what contradicts, "" for nothing.
    """

    def __init__(self, state: State) -> None:
        """Start with no agreement."""
        self.state: State = state
        self.fee_account: i64 = 0
        self.orders: list[tuple[Order, int]] = []

    def load_schedule(self, value: bytes, at: i64) -> None:
        """Load a SCHEDULE record."""
        self.state.add_schedule(read_schedule(value, at))

    def load_rules(self, value: bytes, at: i64) -> str:
        """Load a RULES record: its schedule has come before it."""
        market = self.state.market(i32_at(value, at + records.RULES_MARKET))
        schedule = self.state.schedule(i32_at(value, at + records.RULES_SCHEDULE))
        if market is None or schedule is None:
            return "the market or the fee schedule of a market's rules is missing"
        market.rules.schedule = schedule
        read_rules(value, at, market.rules)
        return ""

    def load_watch(self, value: bytes, at: i64) -> str:
        """Load a WATCH record, of a market whose rules have come before it."""
        market = self.state.market(i32_at(value, at + records.WATCH_MARKET))
        if market is None:
            return "the market of a price watch is missing"
        self.state.add_watch(market, read_watch(value, at, market.rules))
        return ""

    def keep(self) -> str:
        """Give orders their schedules and locks, and the fees their account."""
        for order, number in self.orders:
            schedule = self.state.schedule(number)
            if schedule is None:
                return "an order's fee schedule is missing"
            order.schedule = schedule
            order.cash_locked = collateral_of(order)
        for market in self.state.markets:
            if market is not None and market.rules.schedule.number == 0:
                return "a market's rules are missing"
            if market is not None and market.rules.has_guards() != (market.watch is not None):
                return "a market has guards and no price watch, or the reverse"
        account = self.state.account(self.fee_account)
        if account is None and self.fee_account != 0:
            return "the fee account is missing"
        self.state.treasury.fee_account = account
        return ""
