"""An invariant of order groups, from the commands and the events alone."""

from struct import Struct
from typing import TYPE_CHECKING

from chaos.checkers.log_record import records_of, replies_of
from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import commands
from node.domain import events as layout
from node.domain.codes import Code
from node.domain.terms import GROUP_ACTIVE

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")
_WINDOW_NS = 15 * 10**9

Named = tuple[int, int]
"""An account, and the number of its group, or the id that it chose for an order."""


class GroupsKeepTheirLimits(Invariant):
    """No group of orders fills more than its limit within fifteen seconds, or once it is triggered.

    Which order is of which group is known from the commands and replies; what counts, since the
    group was last told to have filled nothing.
    """

    name = "groups of orders keep their limits"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with no group."""
        super().__init__(cluster)
        self._limits: dict[Named, int] = {}
        """Of the groups that are active."""
        self._fills: dict[Named, list[tuple[int, int]]] = {}
        """For each group: the time and lots of its fills."""
        self._group_of: dict[int, int] = {}
        """By order id, of orders that were let in."""
        self._newest: dict[Named, int] = {}
        """For each client order id: the id of the last order that was let in with it."""

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the commands of the group, then its events."""
        del host
        if not first:
            return
        self._read_commands(applied)
        frames, at = applied.events, 0
        while at < len(frames):
            length = _i32(frames, at)
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            if kind == layout.ORDER_FILLED:
                self.filled(frames[at : at + length])
            elif kind == layout.ORDER_GROUP_CHANGED:
                self.changed(frames[at : at + length])
            at += length

    def changed(self, frame: bytes) -> None:
        """Take down what a group is now."""
        named = (_i32(frame, layout.EVENT_STREAM), _i32(frame, layout.ORDER_GROUP_NUMBER))
        self._limits.pop(named, None)
        if _i32(frame, layout.ORDER_GROUP_STATE) == GROUP_ACTIVE:
            self._limits[named] = _i64(frame, layout.ORDER_GROUP_LIMIT)
            if _i64(frame, layout.ORDER_GROUP_FILLED) == 0:
                self._fills[named] = []

    def filled(self, frame: bytes) -> None:
        """Add up what the order's group has filled."""
        order = _i64(frame, layout.ORDER_ID)
        group = self._group_of.get(order, 0)
        if not group:
            return
        named, now = (_i32(frame, layout.EVENT_STREAM), group), _i64(frame, layout.EVENT_STAMP)
        self.require(named in self._limits, f"order {order} fills although {named} is over")
        fills = [fill for fill in self._fills[named] if fill[0] > now - _WINDOW_NS]
        fills.append((now, _i64(frame, layout.FILLED_LOTS)))
        self._fills[named] = fills
        total = sum(lots for _, lots in fills)
        most = self._limits[named]
        self.require(total <= most, f"group {named} fills {total} of {most} lots with {order}")

    def _read_commands(self, applied: Applied) -> None:
        """Note of which groups the orders are that were let in, in the order of the commands."""
        records, replies = records_of(applied.group), replies_of(applied.replies)
        for record, reply in zip(records, replies, strict=True):
            if reply.code == Code.OK and reply.result not in self._group_of:
                self._let_in(record.frame, reply.result)

    def _let_in(self, frame: bytes, order: int) -> None:
        """Note an order of a command that was executed, if it is one that enters orders."""
        kind = int.from_bytes(frame[4:6], "little")
        account = _i32(frame, commands.ACCOUNT) if len(frame) > commands.ACCOUNT else 0
        if kind == commands.QUOTE:
            for leg in range(_i32(frame, commands.QUOTE_COUNT)):
                at = commands.QUOTE_LEG + leg * commands.LEG_SIZE
                name = _i64(frame, at + commands.LEG_CLIENT_ORDER_ID)
                self._note(account, name, order + leg, 0)
        elif kind == commands.REPLACE and order:
            old = _i64(frame, commands.TARGET_ORDER_ID)
            if not old:
                named = (account, _i64(frame, commands.TARGET_CLIENT_ORDER_ID))
                old = self._newest[named]
            name = _i64(frame, commands.REPLACE_NEW_CLIENT_ORDER_ID)
            self._note(account, name, order, self._group_of[old])
        elif kind in (commands.PLACE, commands.PLACE_WITH_TERMS):
            group = _i32(frame, commands.TERMS_GROUP) if kind != commands.PLACE else 0
            self._note(account, _i64(frame, commands.PLACE_CLIENT_ORDER_ID), order, group)

    def _note(self, account: int, name: int, order: int, group: int) -> None:
        self._group_of[order] = group
        self._newest[account, name] = order


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number


def _i64(frame: bytes, at: int) -> int:
    number: int = _I64.unpack_from(frame, at)[0]
    return number
