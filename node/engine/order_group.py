"""Order groups: orders of one account that may fill so many lots within a window, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain import records
from node.domain.terms import GROUP_ACTIVE
from node.domain.units import ORDER_GROUP_WINDOW
from node.engine.fields import i32_at, write_pair
from node.engine.pages import Page, Pages, PageTable, Record
from node.engine.rolling_sum import RollingSum

if TYPE_CHECKING:
    from node.engine.account import Account
    from node.engine.order import Order


class Membership:
    """An order's place among the resting ones of its group, oldest first."""

    def __init__(self, group: OrderGroup, order: Order) -> None:
        """Make the membership of an order that does not rest yet."""
        self.group: OrderGroup = group
        self.order: Order = order
        self.older: Membership | None = None
        self.newer: Membership | None = None


class OrderGroup(Record):
    """A limit in lots, what the orders have filled in the window, and the orders that rest.

    Orders with ids under the watermark are over, whether or not the sweep has reached them. As long
    as the group is active, what it has filled is less than its limit.
    """

    def __init__(self, account: Account, number: i64) -> None:
        """Make a group that has no limit yet and is on no page."""
        self.account: Account = account
        self.number: i64 = number
        self.limit: i64 = 0
        self.state: i64 = GROUP_ACTIVE
        self.watermark: i64 = 0
        self.fills: RollingSum = RollingSum(ORDER_GROUP_WINDOW)
        self.first: Membership | None = None
        self.last: Membership | None = None
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.account.number)
        write_i64_le(out, self.limit)
        write_i64_le(out, self.state)
        write_i64_le(out, self.watermark)
        self.fills.encode(out)

    def room(self, now_ns: i64) -> i64:
        """Return how many lots an active group may still fill; at least 1."""
        return self.limit - self.fills.total(now_ns)

    def append(self, member: Membership) -> None:
        """Put the newest resting order at the end of the list."""
        last = self.last
        member.older = last
        if last is None:
            self.first = member
        else:
            last.newer = member
        self.last = member

    def unlink(self, member: Membership) -> None:
        """Take a resting order out of the list, leaving no reference cycle behind."""
        older = member.older
        newer = member.newer
        if older is None:
            self.first = newer
        else:
            older.newer = newer
        if newer is None:
            self.last = older
        else:
            newer.older = older
        member.older = None
        member.newer = None


class OrderGroups:
    """All groups, by account and number."""

    def __init__(self, pages: Pages) -> None:
        """Start empty."""
        self.table: PageTable = PageTable(pages, records.GROUP)

    def add(self, group: OrderGroup) -> None:
        """Index a group."""
        group.page = self.table.put(record_number(group.account.number, group.number), group)

    def drop(self, group: OrderGroup) -> None:
        """Forget a group that has no orders."""
        self.table.drop(record_number(group.account.number, group.number))

    def get(self, account: i64, number: i64) -> OrderGroup | None:
        """Return a group, or None; neither number need be one that can be."""
        record = self.table.get(record_number(account, number))
        if isinstance(record, OrderGroup):
            return record
        return None


def record_number(account: i64, number: i64) -> i64:
    """Return the number of a group's record; both are in 0..2^31-1 where there is a group."""
    return (account << 32) | number


def read_group(value: bytes, at: i64, account: Account) -> OrderGroup:
    """Return the group of `account` that a GROUP record holds, without its orders."""
    group = OrderGroup(account, i32_at(value, at + records.GROUP_NUMBER))
    group.limit = read_i64_le(value, at + records.GROUP_LIMIT)
    group.state = read_i64_le(value, at + records.GROUP_STATE)
    group.watermark = read_i64_le(value, at + records.GROUP_WATERMARK)
    group.fills.read(value, at + records.GROUP_NEWEST)
    return group
