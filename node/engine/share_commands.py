"""The commands by which an account turns cash into shares and back without trading."""

from mypy_extensions import i64

from node.domain import commands as layout
from node.domain.codes import Code
from node.engine import complete_sets, conversion
from node.engine.invariants import require
from node.engine.outcome import Outcome
from node.engine.session import Key
from node.engine.state import State


def exchange_shares(
    state: State, kind: i64, key: Key, frame: bytes, at: i64, outcome: Outcome
) -> Code:
    """Execute one of them."""
    if kind == layout.SPLIT:
        return complete_sets.split(state, frame, at)
    if kind == layout.MERGE_SETS:
        return complete_sets.merge(state, frame, at)
    if kind == layout.CONVERT:
        return conversion.convert(state, key, frame, at, outcome)
    if kind == layout.MERGE_OUTCOMES:
        return conversion.merge_outcomes(state, frame, at)
    require(kind == layout.REDEEM, "an order command without a handler")
    return complete_sets.redeem(state, frame, at, outcome)
