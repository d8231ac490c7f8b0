"""What order groups may still fill, in a walk through the book that changes nothing."""

from mypy_extensions import i64

from node.domain.units import MAX_SUPPLY
from node.engine.order import Order
from node.engine.order_group import OrderGroup, record_number


class GroupRooms:
    """The lots that are left to each group on the way, as matching would leave them."""

    def __init__(self, now_ns: i64) -> None:
        """Start before the first fill."""
        self.now_ns: i64 = now_ns
        self.left: dict[int, int] = {}

    def of_group(self, group: OrderGroup | None) -> i64:
        """Return what is left to a group; what no limit binds has more than any order wants."""
        if group is None:
            return MAX_SUPPLY
        left = self.left.get(record_number(group.account.number, group.number))
        return group.room(self.now_ns) if left is None else left

    def of_order(self, order: Order) -> i64:
        """Return what is left to an order's group: with 0 the order is over by then."""
        member = order.membership
        return MAX_SUPPLY if member is None else self.of_group(member.group)

    def take(self, order: Order, lots: i64) -> None:
        """Note that an order fills so many lots."""
        member = order.membership
        if member is not None:
            group = member.group
            number = record_number(group.account.number, group.number)
            self.left[number] = self.of_group(group) - lots
