"""Why a flow's commands were rejected: traced to what the flow did before, or unexplained."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cluster.flow import PLACE, REDUCE, FlowRow
from node.domain.codes import Code

GONE: Final = (
    "the order had left the book, filled or kept from a self-trade, before its reduction came"
)
NEVER_PLACED: Final = "the order itself had been rejected"
PLACED_TWICE: Final = "the flow places the same ref twice"
NO_MONEY: Final = "the participant's deposit was locked in resting orders"


class Rejection(NamedTuple):
    """Rejections of one kind; `why` is "" when the flow does not explain them."""

    code: str
    why: str
    commands: int


def explain_rejections(sent: Iterable[tuple[Sequence[FlowRow], Sequence[int]]]) -> list[Rejection]:
    """Return what was rejected and why, given each session's rows and their replies' codes."""
    counted: Counter[tuple[int, str]] = Counter()
    for rows, codes in sent:
        _explain_session(rows, codes, counted)
    return [
        Rejection(Code(code).name, why, number) for (code, why), number in sorted(counted.items())
    ]


def _explain_session(
    rows: Sequence[FlowRow], codes: Sequence[int], counted: Counter[tuple[int, str]]
) -> None:
    """Follow each order by its ref; `left` is what reductions leave of it, fills aside."""
    left: dict[int, int] = {}
    refused: dict[int, bool] = {}
    for row, code in zip(rows, codes, strict=True):
        if row.action == PLACE:
            if code == Code.OK:
                left[row.ref] = row.lots
            else:
                refused[row.ref] = True
                counted[code, _why_not_placed(row, code, left)] += 1
        elif row.action == REDUCE:
            if code == Code.OK:
                left[row.ref] -= row.lots
            else:
                counted[code, _why_not_reduced(row, code, left, refused)] += 1
        elif code != Code.OK:
            counted[code, NO_MONEY if code == Code.INSUFFICIENT_FUNDS else ""] += 1


def _why_not_placed(row: FlowRow, code: int, left: dict[int, int]) -> str:
    if code == Code.INSUFFICIENT_FUNDS:
        return NO_MONEY
    if code == Code.CLIENT_ORDER_ID_IN_USE and row.ref in left:
        return PLACED_TWICE
    return ""


def _why_not_reduced(
    row: FlowRow, code: int, left: dict[int, int], refused: dict[int, bool]
) -> str:
    if code != Code.UNKNOWN_ORDER:
        return ""
    if left.get(row.ref, 0) > 0:
        return GONE
    return NEVER_PLACED if row.ref in refused else ""
