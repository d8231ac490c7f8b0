"""What the naive venue keeps and tells: accounts, positions, events, markets, facts and fills."""

from dataclasses import dataclass, field
from typing import NamedTuple

from node.domain.codes import Code
from node.domain.terms import EventKind, Intent, MarketState, MatchKind, ResolutionStage, Side
from tests.naive_book import WHOLE, NaiveBook, NaiveOrder, NaiveSchedule

FEE_SCALE = 10_000 * 10_000
SETTLED = (MarketState.RESOLVED, MarketState.VOIDED)


class RejectedError(Exception):
    """A rule says no; nothing has changed."""

    def __init__(self, code: Code) -> None:
        """Hold the code."""
        super().__init__(code.name)
        self.code = code


class Outcome(NamedTuple):
    """What a reply says."""

    code: Code
    result: int = 0
    filled: int = 0


class Fact(NamedTuple):
    """One line of an account's execution stream."""

    account: int
    what: str
    order_id: int = 0
    price: int = 0
    lots: int = 0
    leaves: int = 0
    fee: int = 0
    fill_id: int = 0
    detail: int = 0


class Fill(NamedTuple):
    """One line of a market's public feed."""

    market: int
    fill_id: int
    price: int
    kind: MatchKind
    lots: int
    taker_side: Side
    maker_order_id: int
    taker_order_id: int


@dataclass
class NaivePosition:
    """Shares of one account in one market."""

    yes_free: int = 0
    yes_locked: int = 0
    no_free: int = 0
    no_locked: int = 0

    @property
    def yes(self) -> int:
        """All YES."""
        return self.yes_free + self.yes_locked

    @property
    def no(self) -> int:
        """All NO."""
        return self.no_free + self.no_locked

    def give(self, order: NaiveOrder, lots: int) -> None:
        """Add free shares of the kind that `order` trades."""
        if order.intent in (Intent.BUY_YES, Intent.SELL_YES):
            self.yes_free += lots
        else:
            self.no_free += lots

    def free_of(self, order: NaiveOrder) -> int:
        """Return the free shares of the kind that `order` trades."""
        return self.yes_free if order.intent == Intent.SELL_YES else self.no_free

    def lock(self, order: NaiveOrder, lots: int) -> None:
        """Set shares aside for a sell order; a negative number gives them back."""
        if order.intent == Intent.SELL_YES:
            self.yes_free -= lots
            self.yes_locked += lots
        else:
            self.no_free -= lots
            self.no_locked += lots


@dataclass
class NaiveAccount:
    """One account."""

    number: int
    mode: int
    address: bytes
    cash_free: int = 0
    cash_locked: int = 0
    positions: dict[int, NaivePosition] = field(default_factory=dict)
    orders: dict[int, NaiveOrder] = field(default_factory=dict)
    """Live orders by client order id."""
    owner: int = 0
    """The account whose subaccount this is."""


@dataclass
class NaiveEvent:
    """A group of markets; of an exclusive one exactly one wins."""

    number: int
    exclusive: EventKind
    markets: list["NaiveMarket"] = field(default_factory=list)


@dataclass
class NaiveMarket:
    """One binary market."""

    number: int
    event: NaiveEvent
    tick: int
    schedule: NaiveSchedule
    state: MarketState = MarketState.CREATED
    book: NaiveBook = field(default_factory=NaiveBook)
    sets: int = 0
    price: int = 0
    sweeping: bool = False
    edge: int = 0
    edge_tick: int = 0
    min_lots: int = 0
    min_value: int = 0
    reference: int = 0
    band: int = 0
    move: int = 0
    window_ns: int = 0
    pause_ns: int = 0
    prices: list[tuple[int, int]] = field(default_factory=list)
    """Of fills: the eighth of a window in which each was, and the price."""
    reopens_ns: int = 0
    is_named: bool = True
    calls_at_ns: int = 0
    opens_at_ns: int = 0
    closes_at_ns: int = 0

    def has_price(self, price: int) -> bool:
        """Whether orders may have this price."""
        at_an_edge = self.edge > min(price, WHOLE - price)
        return price % (self.edge_tick if at_an_edge else self.tick) == 0

    @property
    def is_alive(self) -> bool:
        """Whether it is still to be settled."""
        return self.state not in SETTLED

    @property
    def is_before_close(self) -> bool:
        """Whether it may still trade some day."""
        return self.is_alive and self.state != MarketState.CLOSED

    def met_by(self, taker: NaiveOrder) -> NaiveOrder | None:
        """Return the order that an arriving one meets first: nobody's in a call."""
        return None if self.state == MarketState.AUCTION else self.book.best_for(taker)


@dataclass
class NaiveResolution:
    """What is said of one closed market."""

    stage: ResolutionStage = ResolutionStage.ATTESTING
    turn: int = 0
    price: int = 0
    evidence: bytes = bytes(32)
    final_at_ns: int = 0
    words: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)


def require(holds: bool, code: Code) -> None:
    """Reject with `code` unless the condition holds."""
    if not holds:
        raise RejectedError(code)


def fee_of(rate_sum: int) -> int:
    """Return the fee in micro-USDC of an order whose fills sum up to `rate_sum`, rounded up."""
    return -(-rate_sum // FEE_SCALE)
