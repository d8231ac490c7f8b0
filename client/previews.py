"""Previews: what an order would come to, as the node answered."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import NamedTuple

from node.domain.codes import Code
from node.domain.terms import MatchKind

_HEAD = struct.Struct("<iiqqqqqq")
_FILL = struct.Struct("<iiq")


class PreviewFill(NamedTuple):
    """Lots that would fill at one price, in the order's own terms."""

    price: int
    kind: MatchKind
    lots: int


class Preview(NamedTuple):
    """What an order would come to at `log_index`; money in micro-USDC."""

    log_index: int
    stamp_ns: int
    code: Code
    """OK, or why the order would be rejected."""
    filled: int
    rested: int
    value: int
    """What the fills would cost a buyer, or bring a seller, without the fee."""
    fee: int
    cash_free: int
    """The account's free cash behind it."""
    fills: list[PreviewFill]

    @property
    def average_price(self) -> Decimal | None:
        """The average price of the fills in USDC a share; None when nothing would fill."""
        if not self.filled:
            return None
        return Decimal(self.value) / self.filled / 10_000


def parse_preview(log_index: int, record: bytes) -> Preview:
    """Read the record of a preview."""
    code, count, stamp_ns, filled, rested, value, fee, cash_free = _HEAD.unpack_from(record)
    fills = [
        PreviewFill(price, MatchKind(kind), lots)
        for price, kind, lots in _FILL.iter_unpack(record[_HEAD.size :])
    ]
    assert len(fills) == count
    return Preview(log_index, stamp_ns, Code(code), filled, rested, value, fee, cash_free, fills)
