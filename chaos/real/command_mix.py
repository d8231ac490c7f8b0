"""What traders and the operator do: a seeded mix of every kind of command that a socket may bring.

Rejections are part of it: whoever trades at the market makes mistakes, and a rejection must be
replicated and repeated like any other outcome.
"""

from collections import deque
from random import Random
from typing import Final, NamedTuple

import msgspec

from node.domain import terms
from node.domain.limits import Limit
from node.domain.units import MAX_PRICE, MIN_PRICE
from node.protocol.command_frames import CommandFrames

_REMEMBERED: Final = 100
"""Orders: older ones have mostly been filled."""
_MID: Final = 5_000
_SPREAD: Final = 120.0
_MARGIN: Final = 60
"""That buyers ask less for, and sellers more: some orders rest."""
_STRANGE_SHARE: Final = 0.05
"""Of orders go to a market that may not exist, or not trade."""
_REPEATED_SHARE: Final = 0.05
"""Of cancels are of an order that may be cancelled, or reduced, once more."""
_STRANGE_MARKETS: Final = 60
_INTENTS: Final = (terms.BUY_YES, terms.BUY_NO, terms.SELL_YES, terms.SELL_NO)
_INTENT_WEIGHTS: Final = (4, 4, 1, 1)
_TIMES: Final = (terms.GTC, terms.IOC, terms.FOK, terms.POST_ONLY)
_TIME_WEIGHTS: Final = (16, 2, 1, 1)


class Stage(msgspec.Struct, frozen=True):
    """What the founding client has made, for all others to trade on."""

    event: int
    markets: list[int]
    accounts: list[int]


class _Placed(NamedTuple):
    """An order that may still rest."""

    account: int
    market: int
    name: int


class TradeMix:
    """Orders, cancels, reductions, splits, merges and redemptions of one session."""

    def __init__(self, random: Random, stage: Stage, client: int) -> None:
        """Trade on `stage`, for any account."""
        self._random = random
        self._stage = stage
        self._accounts = stage.accounts
        self._placed: deque[_Placed] = deque(maxlen=_REMEMBERED)
        self._name = client << 40

    def write(self, out: CommandFrames, count: int) -> None:
        """Write `count` commands."""
        for _ in range(count):
            draw = self._random.random()
            if draw < 0.55 or not self._placed:
                self._place(out)
            elif draw < 0.75:
                account, market, name = chosen = self._choose()
                out.cancel(account, market, 0, name)
                if self._random.random() >= _REPEATED_SHARE:
                    self._placed.remove(chosen)
            elif draw < 0.88:
                account, market, name = self._choose()
                out.reduce(account, market, 0, name, 1 + int(self._random.random() * 60))
            else:
                self._sets(out, draw)

    def _place(self, out: CommandFrames) -> None:
        random = self._random
        self._name += 1
        account, market = self._account(), self._market()
        intent = random.choices(_INTENTS, _INTENT_WEIGHTS)[0]
        time_in_force = random.choices(_TIMES, _TIME_WEIGHTS)[0]
        buys = intent in {terms.BUY_YES, terms.BUY_NO}
        middle = _MID - _MARGIN if buys else _MID + _MARGIN
        price = min(max(int(random.gauss(middle, _SPREAD)), MIN_PRICE), MAX_PRICE)
        out.place(
            account,
            market,
            self._name,
            price,
            intent,
            time_in_force,
            1 + int(random.random() * 200),
        )
        if time_in_force in {terms.GTC, terms.POST_ONLY}:
            self._placed.append(_Placed(account, market, self._name))

    def _sets(self, out: CommandFrames, draw: float) -> None:
        account, market, lots = self._account(), self._market(), 1 + int(self._random.random() * 50)
        if draw < 0.93:
            if self._random.random() >= _STRANGE_SHARE:
                account = self._holder()
            out.split(account, market, lots)
        elif draw < 0.97:
            out.merge(account, market, lots)
        elif draw < 0.99:
            out.cancel_all(
                account,
                market if self._random.random() < 0.7 else 0,
                0,
                self._random.choice((0, 0, 1, 2)),
            )
        else:
            out.redeem(account, market)

    def _choose(self) -> _Placed:
        return self._placed[int(self._random.random() * len(self._placed))]

    def _account(self) -> int:
        return self._accounts[int(self._random.random() * len(self._accounts))]

    def _holder(self) -> int:
        """Return an account that may hold both sides: every second one, the first among them."""
        return self._accounts[int(self._random.random() * len(self._accounts)) // 2 * 2]

    def _market(self) -> int:
        if self._random.random() < _STRANGE_SHARE:
            return 1 + int(self._random.random() * _STRANGE_MARKETS)
        return self._stage.markets[int(self._random.random() * len(self._stage.markets))]


CONFIGURED: Final = (
    (Limit.SWEEP_ITEMS_PER_GROUP, 500, 3_000),
    (Limit.CANCELS_PER_COMMAND, 32, 400),
    (Limit.FILLS_PER_ORDER, 10, 1_000),
    (Limit.OPEN_ORDERS_PER_ACCOUNT, 2_000, 20_000),
)
"""Limits that the operator changes while others trade, and between which values."""
