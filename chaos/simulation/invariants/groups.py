"""An invariant of order groups, from the commands and the events alone."""

from struct import Struct
from typing import TYPE_CHECKING

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import commands
from node.domain import events as layout
from node.domain.groups import GROUP_HEADER_SIZE
from node.domain.terms import GROUP_ACTIVE

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")
_WINDOW_NS = 15 * 10**9

Named = tuple[int, int]
"""An account, and the number of its group or the id that it chose for an order."""


class GroupsKeepTheirLimits(Invariant):
    """No group of orders fills more than its limit within fifteen seconds, or once it is triggered.

    Which order is of which group is known from the commands; what counts, since the group was last
    told to have filled nothing.
    """

    name = "groups of orders keep their limits"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with no group."""
        super().__init__(cluster)
        self._limits: dict[Named, int] = {}
        """Of the groups that are active."""
        self._fills: dict[Named, list[tuple[int, int]]] = {}
        """For each group: the time and lots of its fills."""
        self._group_of: dict[Named, int] = {}
        """By account and client order id."""
        self._names: dict[int, Named] = {}
        """By order id."""

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the commands of the group, then its events."""
        del host
        if not first:
            return
        self._read_commands(applied.group)
        frames, at = applied.events, 0
        while at < len(frames):
            length = _i32(frames, at)
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            if kind == layout.ORDER_FILLED:
                self.filled(frames[at : at + length])
            elif kind == layout.ORDER_GROUP_CHANGED:
                self.changed(frames[at : at + length])
            elif kind == layout.ORDER_RESTED:
                self._note_name(frames[at : at + length])
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
        account = _i32(frame, layout.EVENT_STREAM)
        self._note_name(frame)
        group = self._group_of.get((account, _i64(frame, layout.ORDER_CLIENT_ORDER_ID)), 0)
        if not group:
            return
        named, now = (account, group), _i64(frame, layout.EVENT_STAMP)
        order = _i64(frame, layout.ORDER_ID)
        self.require(named in self._limits, f"order {order} fills although {named} is over")
        fills = [fill for fill in self._fills[named] if fill[0] > now - _WINDOW_NS]
        fills.append((now, _i64(frame, layout.FILLED_LOTS)))
        self._fills[named] = fills
        total = sum(lots for _, lots in fills)
        most = self._limits[named]
        self.require(total <= most, f"group {named} fills {total} of {most} lots with {order}")

    def _note_name(self, frame: bytes) -> None:
        account = _i32(frame, layout.EVENT_STREAM)
        name = _i64(frame, layout.ORDER_CLIENT_ORDER_ID)
        self._names[_i64(frame, layout.ORDER_ID)] = (account, name)

    def _read_commands(self, group: bytes) -> None:
        """Note which orders ask to be of a group; what was rejected has no fills."""
        at = GROUP_HEADER_SIZE
        while at + commands.RECORD_FRAME + commands.COMMAND_BODY <= len(group):
            frame = group[at + commands.RECORD_FRAME :]
            length = _i32(frame, commands.FRAME_LENGTH)
            kind = int.from_bytes(frame[4:6], "little")
            if kind in _PLACES and length == commands.COMMAND_SIZES[kind]:
                self._place(kind, frame)
            at += commands.RECORD_FRAME + max(length, commands.COMMAND_BODY)

    def _place(self, kind: int, frame: bytes) -> None:
        account = _i32(frame, commands.ACCOUNT)
        if kind == commands.REPLACE:
            order = _i64(frame, commands.TARGET_ORDER_ID)
            by_client = (account, _i64(frame, commands.TARGET_CLIENT_ORDER_ID))
            old = self._names.get(order, (0, 0)) if order else by_client
            name = _i64(frame, commands.REPLACE_NEW_CLIENT_ORDER_ID)
            self._group_of[account, name] = self._group_of.get(old, 0)
        else:
            name = _i64(frame, commands.PLACE_CLIENT_ORDER_ID)
            group = _i32(frame, commands.TERMS_GROUP) if kind != commands.PLACE else 0
            self._group_of[account, name] = group


_PLACES = (commands.PLACE, commands.PLACE_WITH_TERMS, commands.REPLACE)


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number


def _i64(frame: bytes, at: int) -> int:
    number: int = _I64.unpack_from(frame, at)[0]
    return number
