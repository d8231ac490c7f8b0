"""Why a flow's commands were rejected: traced to what really happened, or unexplained.

What the flow did before is in its rows and their replies; what others did to its orders, fills
above all, is in the events of the replayed log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from cluster.flow import PLACE, REDUCE, FlowRow
from cluster.flow_frames import participant
from node.domain.codes import Code

GONE: Final = (
    "fills, earlier reductions or a self-trade, all in the log, had used the order up before"
)
NEVER_PLACED: Final = "the order itself had been rejected"
PLACED_TWICE: Final = "the flow places a ref again whose order still rests, as the log shows"
_NEEDS_LOG: Final = (Code.UNKNOWN_ORDER, Code.CLIENT_ORDER_ID_IN_USE)

Name = tuple[int, int]
"""An order: its account and its ref, which is its client order id."""


class Sent(NamedTuple):
    """One session's rows, and of the reply to each its code and log index."""

    rows: Sequence[FlowRow]
    codes: Sequence[int]
    indexes: Sequence[int]


class Rejection(NamedTuple):
    """Rejections of one kind; `why` is "" when nothing explains them."""

    code: str
    why: str
    commands: int


class GoneOrders(Protocol):
    """What the log says about orders: see `node.audit.executions`."""

    def gone(self, name: Name, index: int) -> int:
        """Return how many lots of an order were gone once the group at `index` was applied."""


def orders_in_question(sent: Iterable[Sent], accounts: Sequence[int]) -> set[Name]:
    """Return the orders about which the log must be asked before rejections can be explained."""
    return {
        _name(row, accounts)
        for one in sent
        for row, code in zip(one.rows, one.codes, strict=True)
        if code in _NEEDS_LOG and row.action in {PLACE, REDUCE}
    }


def explain_rejections(
    sent: Iterable[Sent], accounts: Sequence[int], log: GoneOrders
) -> list[Rejection]:
    """Return what was rejected and why, as far as `log` bears it out.

    `accounts` gives the account of each participant. The log is asked to the group: what happened
    in the very group of a rejection counts for it.
    """
    counted: Counter[tuple[int, str]] = Counter()
    for one in sent:
        counted.update(_explain_session(one, accounts, log))
    return [
        Rejection(Code(code).name, why, number) for (code, why), number in sorted(counted.items())
    ]


def _explain_session(
    sent: Sent, accounts: Sequence[int], log: GoneOrders
) -> Iterator[tuple[int, str]]:
    placed: Counter[int] = Counter()
    refused: set[int] = set()
    for row, code, index in zip(*sent, strict=True):
        if code == Code.OK:
            if row.action == PLACE:
                placed[row.ref] += row.lots
        elif row.action == PLACE:
            refused.add(row.ref)
            in_use = code == Code.CLIENT_ORDER_ID_IN_USE
            # Before its group, part of the order was not gone yet: its name was taken.
            still = in_use and log.gone(_name(row, accounts), index - 1) < placed[row.ref]
            yield code, PLACED_TWICE if still else ""
        elif row.action == REDUCE and code == Code.UNKNOWN_ORDER:
            yield code, _why_unknown(row, placed, refused, log.gone(_name(row, accounts), index))
        else:
            yield code, ""


def _why_unknown(row: FlowRow, placed: Counter[int], refused: set[int], gone: int) -> str:
    if row.ref in placed:
        return GONE if gone >= placed[row.ref] else ""
    return NEVER_PLACED if row.ref in refused else ""


def _name(row: FlowRow, accounts: Sequence[int]) -> Name:
    return accounts[participant(row)], row.ref
