"""The naive rules of order groups: so many lots in any fifteen seconds, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import CloseReason, OrderGroupState
from node.domain.units import MAX_LOTS
from tests import order_commands as o
from tests.naive_book import NaiveOrder
from tests.naive_guards import NaiveGuards
from tests.naive_records import Outcome, require

UNBOUND = 10**30


@dataclass
class NaiveGroup:
    """A limit, and every fill that counts: in which second, and how many lots."""

    limit: int = 0
    triggered: bool = False
    fills: list[tuple[int, int]] = field(default_factory=list)

    def filled(self, now_ns: int) -> int:
        """Return what counts: the second that runs and the 15 before it."""
        return sum(lots for second, lots in self.fills if second > now_ns // 10**9 - 16)


class NaiveGroups(NaiveGuards):
    """What groups let their orders fill, and what becomes of a group that has filled it all."""

    def __init__(self, limits: Sequence[int], shard: int = 0) -> None:
        """Start without groups."""
        super().__init__(limits, shard)
        self.groups: dict[tuple[int, int], NaiveGroup] = {}
        """By account and number."""

    def _ordergroupset(self, command: o.OrderGroupSet) -> Outcome:
        require(command.account in self.accounts, Code.UNKNOWN_ACCOUNT)
        named = (command.account, command.group)
        most = self.limits[Limit.ORDER_GROUPS_PER_ACCOUNT]
        may_be = named in self.groups or 1 <= command.group <= most
        require(may_be, Code.ORDER_GROUP_INVALID)
        require(0 <= command.lots <= MAX_LOTS, Code.ORDER_GROUP_LIMIT_OUT_OF_RANGE)
        require(command.lots > 0 or named in self.groups, Code.UNKNOWN_ORDER_GROUP)
        group = self.groups.setdefault(named, NaiveGroup())
        group.limit = command.lots
        if command.lots == 0:
            self._end_group_of_orders(named, OrderGroupState.DELETED)
            del self.groups[named]
        elif not group.triggered and group.filled(self.now_ns) >= group.limit:
            self._end_group_of_orders(named, OrderGroupState.TRIGGERED)
        else:
            self._tell_group(named)
        return Outcome(Code.OK, command.group)

    def _ordergroupreset(self, command: o.OrderGroupReset) -> Outcome:
        named = (command.account, command.group)
        require(named in self.groups, Code.UNKNOWN_ORDER_GROUP)
        self.groups[named].triggered, self.groups[named].fills = False, []
        self._tell_group(named)
        return Outcome(Code.OK, command.group)

    def _ordergrouptrigger(self, command: o.OrderGroupTrigger) -> Outcome:
        named = (command.account, command.group)
        require(named in self.groups, Code.UNKNOWN_ORDER_GROUP)
        if not self.groups[named].triggered:
            self._end_group_of_orders(named, OrderGroupState.TRIGGERED)
        return Outcome(Code.OK, command.group)

    def _check_group(self, order: NaiveOrder) -> None:
        if order.group:
            named = (order.account, order.group)
            require(named in self.groups, Code.UNKNOWN_ORDER_GROUP)
            require(not self.groups[named].triggered, Code.ORDER_GROUP_TRIGGERED)

    def _room(self, order: NaiveOrder) -> int:
        """Return how many lots its group lets an order fill now."""
        if not order.group:
            return UNBOUND
        group = self.groups[order.account, order.group]
        return group.limit - group.filled(self.now_ns)

    def _lots_in_turn(self, makers: list[NaiveOrder]) -> list[int]:
        """Return what each of these makers could fill if all before it had filled what they can."""
        filled: dict[tuple[int, int], int] = {}
        lots = []
        for maker in makers:
            named = (maker.account, maker.group)
            can = min(maker.leaves, self._room(maker) - filled.get(named, 0))
            filled[named] = filled.get(named, 0) + can
            lots.append(can)
        return lots

    def _count_in_group(self, order: NaiveOrder, lots: int) -> bool:
        """Count a fill in the order's group; return whether that has triggered it."""
        if not order.group:
            return False
        named = (order.account, order.group)
        group = self.groups[named]
        group.fills.append((self.now_ns // 10**9, lots))
        if group.filled(self.now_ns) < group.limit:
            return False
        self._end_group_of_orders(named, OrderGroupState.TRIGGERED)
        return True

    def _end_group_of_orders(self, named: tuple[int, int], state: OrderGroupState) -> None:
        """Let all orders of a group be over; they leave the book when the venue gets to it."""
        self.groups[named].triggered = True
        for order in self.orders.values():
            order.is_over = order.is_over or (order.account, order.group) == named
        self._tell_group(named, state)

    def _tell_group(self, named: tuple[int, int], state: OrderGroupState | None = None) -> None:
        group = self.groups[named]
        triggered = OrderGroupState.TRIGGERED if group.triggered else OrderGroupState.ACTIVE
        sizes = (group.limit, group.filled(self.now_ns))
        self._fact(named[0], "group", named[1], 0, *sizes, detail=state or triggered)

    def _sweep_groups(self) -> None:
        for order in [order for order in self.orders.values() if order.is_over]:
            self._close(order, CloseReason.ORDER_GROUP)
