"""Order flow as command frames, made in bulk: who sends what, and the very bytes.

A recording names no accounts. An order belongs to participant `ref mod 1000`, its reductions too,
and all takes to participant 1000; participants own no shares, so a sell at p is entered as a buy of
NO at 1 - p. Every frame of a flow has the same size, so that frame `n` starts at `n * FRAME_SIZE`.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from cluster.flow import BUY, PLACE, TAKE, FlowRow
from node.domain import commands, terms
from node.domain.units import PRICE_SCALE

MAKERS: Final = 1_000
TAKER: Final = MAKERS
PARTICIPANTS: Final = MAKERS + 1

FRAME_SIZE: Final = commands.PLACE_SIZE
_PLACE: Final = Struct("<ihhqiiqihhq")
_REDUCE: Final = Struct("<ihhqiiqqq")
assert _PLACE.size == _REDUCE.size == commands.PLACE_SIZE == commands.REDUCE_SIZE


def participant(row: FlowRow) -> int:
    """Return who acts: 0..999 for orders and reductions, 1000 for takes."""
    return TAKER if row.action == TAKE else row.ref % MAKERS


def encode(
    rows: Sequence[FlowRow],
    accounts: Sequence[int],
    markets: Sequence[int],
    first_sequence: int = 1,
) -> bytearray:
    """Return one frame a row, numbered from `first_sequence` without a gap.

    `accounts` gives the account number of each participant, `markets` the market number of each
    runner. Takes are given client order ids after their place in `rows`, above all that orders use.
    """
    frames = bytearray(len(rows) * FRAME_SIZE)
    place = _PLACE.pack_into
    reduce = _REDUCE.pack_into
    taker = accounts[TAKER]
    offset = 0
    for sequence, (_, market, action, ref, side, price, lots) in enumerate(
        rows, start=first_sequence
    ):
        if action == PLACE or action == TAKE:  # noqa: PLR1714, SIM109 - once a row
            intent, own_price = (
                (terms.BUY_YES, price) if side == BUY else (terms.BUY_NO, PRICE_SCALE - price)
            )
            is_take = action == TAKE
            place(
                frames,
                offset,
                FRAME_SIZE,
                commands.PLACE,
                0,
                sequence,
                taker if is_take else accounts[ref % MAKERS],
                markets[market],
                sequence if is_take else ref,
                own_price,
                intent,
                terms.IOC if is_take else terms.GTC,
                lots,
            )
        else:
            reduce(
                frames,
                offset,
                FRAME_SIZE,
                commands.REDUCE,
                0,
                sequence,
                accounts[ref % MAKERS],
                markets[market],
                0,
                ref,
                lots,
            )
        offset += FRAME_SIZE
    return frames


def split(rows: Sequence[FlowRow], parts: int) -> list[list[FlowRow]]:
    """Deal `rows` to `parts` senders; each participant's actions stay in order with one of them."""
    dealt: list[list[FlowRow]] = [[] for _ in range(parts)]
    for row in rows:
        dealt[participant(row) % parts].append(row)
    return dealt
