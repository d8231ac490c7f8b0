"""An invariant of what single orders promise, from commands, replies and events alone."""

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from chaos.checkers.log_record import records_of, replies_of
from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import commands as said
from node.domain import events as layout
from node.domain.codes import Code
from node.domain.terms import BUY_NO, BUY_YES, NET, REDUCE_ONLY, SELL_NO

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_I32 = Struct("<i")
_I64 = Struct("<q")


class Promise(NamedTuple):
    """What an order that cannot rest has said of itself; 0 is nothing."""

    spend: int
    reduce_only: int


class PromisesAreKept(Invariant):
    """No order for an amount of money costs more; no reduce-only buy opens a position.

    Costs are fees included. In a NET account a reduce-only buy never takes the account past zero,
    YES less NO; in a HOLD account, where a buy adds, it fills nothing.
    """

    name = "orders do as they say"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with nothing promised and nothing held."""
        super().__init__(cluster)
        self._promised: dict[int, Promise] = {}
        """What the orders of this group have promised."""
        self._spent: dict[int, int] = {}
        self._net_accounts: set[int] = set()
        self._held: dict[tuple[int, int], int] = {}
        """YES less NO of an account in a market: pairs that come or go change nothing."""
        self._outcomes: dict[int, list[int]] = {}
        """The markets of each event."""

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow the group: what its orders promise, then its events."""
        del host
        if not first:
            return
        self._promised = _promises(applied)
        self._spent = {}
        frames, at = applied.events, 0
        while at < len(frames):
            length = _i32(frames, at)
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            take = _TAKERS.get(kind)
            if take is not None:
                take(self, frames[at : at + length])
            at += length

    def opened(self, frame: bytes) -> None:
        """Note an account whose pairs merge by themselves."""
        if _i32(frame, layout.ACCOUNT_OPENED_MODE) == NET:
            self._net_accounts.add(_i32(frame, layout.ACCOUNT_OPENED_ACCOUNT))

    def created(self, frame: bytes) -> None:
        """Note one more outcome of an event."""
        event, market = (
            _i32(frame, layout.MARKET_CREATED_EVENT),
            _i32(frame, layout.EVENT_STREAM),
        )
        self._outcomes.setdefault(event, []).append(market)

    def filled(self, frame: bytes) -> None:
        """Count a fill, and compare with what its order has promised."""
        account, market = _i32(frame, layout.EVENT_STREAM), _i32(frame, layout.ORDER_MARKET)
        order, intent = _i64(frame, layout.ORDER_ID), _i32(frame, layout.FILLED_INTENT)
        lots = _i64(frame, layout.FILLED_LOTS)
        held = self._change(account, market, lots if intent in {BUY_YES, SELL_NO} else -lots)
        promise = self._promised.get(order)
        if promise is None:
            return
        if promise.spend != 0:
            cost = _i32(frame, layout.FILLED_PRICE) * lots + _i64(frame, layout.FILLED_FEE)
            spent = self._spent[order] = self._spent.get(order, 0) + cost
            self.require(
                spent <= promise.spend,
                f"order {order} spends {spent} of {promise.spend} micro-USDC",
            )
        if promise.reduce_only and intent in {BUY_YES, BUY_NO}:
            reduced = held <= 0 if intent == BUY_YES else held >= 0
            self.require(
                reduced and account in self._net_accounts,
                f"reduce-only order {order} buys {lots} lots, and account {account} then holds "
                f"{held} YES more than NO in market {market}",
            )

    def redeemed(self, frame: bytes) -> None:
        """Count a payout: all that was free is gone."""
        gone = _i64(frame, layout.REDEEMED_NO) - _i64(frame, layout.REDEEMED_YES)
        self._change(_i32(frame, layout.EVENT_STREAM), _i32(frame, layout.REDEEMED_MARKET), gone)

    def converted(self, frame: bytes) -> None:
        """Count a conversion: NO goes of the outcomes that were named, YES comes of all others."""
        lots = _i64(frame, layout.CONVERTED_LOTS)
        for market in self._outcomes[_i32(frame, layout.CONVERTED_EVENT)]:
            self._change(_i32(frame, layout.EVENT_STREAM), market, lots)

    def merged(self, frame: bytes) -> None:
        """Count a merge of outcomes: YES goes of each."""
        lots = _i64(frame, layout.OUTCOMES_MERGED_LOTS)
        for market in self._outcomes[_i32(frame, layout.OUTCOMES_MERGED_EVENT)]:
            self._change(_i32(frame, layout.EVENT_STREAM), market, -lots)

    def _change(self, account: int, market: int, lots: int) -> int:
        held = self._held.get((account, market), 0) + lots
        self._held[account, market] = held
        return held


def _promises(applied: Applied) -> dict[int, Promise]:
    """Return by order id what the orders of a group promise that were let in."""
    promises = {}
    for record in records_of(applied.group):
        frame = record.frame
        if int.from_bytes(frame[4:6], "little") == said.PLACE_WITH_TERMS and (
            len(frame) == said.TERMS_SIZE
        ):
            flags = _i32(frame, said.TERMS_FLAGS)
            promise = Promise(_i64(frame, said.TERMS_SPEND), flags & REDUCE_ONLY)
            promises[record.session, record.sequence] = promise
    return {
        reply.result: promises[reply.session, reply.sequence]
        for reply in replies_of(applied.replies)
        if reply.code == Code.OK and (reply.session, reply.sequence) in promises
    }


_TAKERS = {
    layout.ACCOUNT_OPENED: PromisesAreKept.opened,
    layout.MARKET_CREATED: PromisesAreKept.created,
    layout.ORDER_FILLED: PromisesAreKept.filled,
    layout.REDEEMED: PromisesAreKept.redeemed,
    layout.CONVERTED: PromisesAreKept.converted,
    layout.OUTCOMES_MERGED: PromisesAreKept.merged,
}


def _i32(frame: bytes, at: int) -> int:
    number: int = _I32.unpack_from(frame, at)[0]
    return number


def _i64(frame: bytes, at: int) -> int:
    number: int = _I64.unpack_from(frame, at)[0]
    return number
