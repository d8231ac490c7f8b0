"""Administration: what only an operator's key may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from node.domain import commands
from node.domain.terms import (
    AccountMode,
    EventKind,
    FeeShape,
    PauseLevel,
    PauseScope,
    Role,
    Scope,
)

if TYPE_CHECKING:
    from client.order_entry import CommandSender
    from client.replies import Reply
    from node.domain.limits import Limit


class Bounds(NamedTuple):
    """Limits of an account, 0 for none; of a market only sizes, values and positions."""

    reduce_only: bool = False
    open_orders: int = 0
    positions: int = 0
    order_lots: int = 0
    order_value: int = 0
    position_lots: int = 0


class Administration:
    """Accounts, deposits, events, markets, fees, keys and limits.

    Replies and errors are as in order entry.
    """

    def __init__(self, sender: CommandSender) -> None:
        """Send with `sender`."""
        self._sender = sender

    async def open_account(
        self, address: bytes, public_key: bytes, mode: AccountMode = AccountMode.NET
    ) -> Reply:
        """Open an account and register its trader's key; `result` is the account's number."""
        return await self._sender.execute(lambda f: f.account_open(mode, address, public_key))

    async def deposit(self, account: int, micro_usdc: int, cursor: int) -> Reply:
        """Credit the venue's deposit number `cursor`: they come in order, from 1, each once."""
        return await self._sender.execute(lambda f: f.deposit(account, micro_usdc, cursor))

    async def confirm_withdrawal(self, withdrawal: int) -> Reply:
        """Say that a withdrawal was paid outside: its money has left."""
        kind = commands.WITHDRAW_CONFIRM
        return await self._sender.execute(lambda f: f.withdraw_answer(kind, withdrawal))

    async def reject_withdrawal(self, withdrawal: int) -> Reply:
        """Say that a withdrawal will not be paid: its money is free again."""
        kind = commands.WITHDRAW_REJECT
        return await self._sender.execute(lambda f: f.withdraw_answer(kind, withdrawal))

    async def set_bounds(self, scope: Scope, subject: int, bounds: Bounds) -> Reply:
        """Set all limits of an account, or of every account in a market."""
        return await self._sender.execute(lambda f: f.bounds_set(scope, subject, *bounds))

    async def create_event(self, name: str, *, exclusive: bool, augmented: bool = False) -> Reply:
        """Create an event; of an `exclusive` one exactly one market wins.

        If it is `augmented` too, its first market is Other, and those behind may be created with
        the name "" and named later. `result` is its number.
        """
        kind = EventKind.EXCLUSIVE if exclusive else EventKind.INDEPENDENT
        if augmented:
            kind = EventKind.AUGMENTED
        return await self._sender.execute(lambda f: f.event_create(kind, name))

    async def create_market(
        self,
        event: int,
        name: str,
        *,
        tick: int = 1,
        taker_fee_bps: int = 0,
        maker_fee_bps: int = 0,
    ) -> Reply:
        """Create a market of an event; `result` is its number."""
        return await self._sender.execute(
            lambda f: f.market_create(event, tick, taker_fee_bps, maker_fee_bps, name)
        )

    async def open_market(self, market: int) -> Reply:
        """Let a market trade, for the first time or after a halt."""
        return await self._lifecycle(commands.MARKET_OPEN, market)

    async def halt_market(self, market: int) -> Reply:
        """Stop a market; its orders can be cancelled."""
        return await self._lifecycle(commands.MARKET_HALT, market)

    async def close_market(self, market: int) -> Reply:
        """End a market's trading for good; its orders are cancelled."""
        return await self._lifecycle(commands.MARKET_CLOSE, market)

    async def resolve_market(self, market: int, price: int) -> Reply:
        """Settle a closed market at `price` for YES, 0..10,000."""
        return await self._lifecycle(commands.MARKET_RESOLVE, market, price)

    async def void_market(self, market: int) -> Reply:
        """Settle a market without a winner."""
        return await self._lifecycle(commands.MARKET_VOID, market)

    async def call_auction(self, market: int, *, begins_at_ns: int = 0) -> Reply:
        """Have a new or halted market take orders that rest and may cross, until it opens.

        Opening it, by command or at its time, lets them meet at one price. The call phase begins at
        a time of the log, or at once; a negative time takes back one that has been set.
        """
        return await self._sender.execute(lambda f: f.auction_call(market, begins_at_ns))

    async def set_market_times(
        self, market: int, *, opens_at_ns: int = 0, closes_at_ns: int = 0
    ) -> Reply:
        """Have a market open and close by itself at these times of the log; 0 clears one."""
        return await self._sender.execute(
            lambda f: f.market_times(market, opens_at_ns, closes_at_ns)
        )

    async def name_outcome(self, market: int, name: str) -> Reply:
        """Name a placeholder of an augmented event: from then on it can be opened."""
        return await self._sender.execute(lambda f: f.outcome_name(market, name))

    async def resolve_event(self, event: int, winner: int) -> Reply:
        """Settle a whole exclusive event: market `winner` at 1, the others at 0."""
        return await self._sender.execute(lambda f: f.event_resolve(event, winner))

    async def propose_resolution(self, market: int, price: int, evidence: bytes) -> Reply:
        """Propose what a closed market comes to; final when nobody disputes it in time.

        In an exclusive event a price of 10,000 says that the market has won the event. `evidence`
        is a hash of 32 bytes.
        """
        return await self._sender.execute(lambda f: f.propose(market, price, evidence))

    async def decide_resolution(self, market: int, price: int, evidence: bytes) -> Reply:
        """Decide a dispute: the price is final at once."""
        return await self._sender.execute(lambda f: f.decide(market, price, evidence))

    async def pause(self, scope: PauseScope, level: PauseLevel, subject: int = 0) -> Reply:
        """Set how strictly the venue, an event, a market or an account takes commands."""
        return await self._sender.execute(lambda f: f.pause(scope, subject, level))

    async def _lifecycle(self, kind: int, market: int, price: int = 0) -> Reply:
        return await self._sender.execute(lambda f: f.lifecycle(kind, market, price))

    async def grant_key(self, role: Role, public_key: bytes, account: int = 0) -> Reply:
        """Register a key; `account` is a trader's. `result` is the key's number."""
        return await self._sender.execute(lambda f: f.key_grant(role, account, public_key))

    async def revoke_key(self, public_key: bytes) -> Reply:
        """Take a key's rights away."""
        return await self._sender.execute(lambda f: f.key_revoke(public_key))

    async def configure(self, limit: Limit, value: int) -> Reply:
        """Set a replicated limit."""
        return await self._sender.execute(lambda f: f.configure(limit, value))

    async def create_fee_schedule(
        self,
        *,
        shape: FeeShape = FeeShape.SHAPED,
        taker_bps: int = 0,
        maker_bps: int = 0,
        rebate_bps: int = 0,
        cap: int = 0,
    ) -> Reply:
        """Make a fee schedule, or find the one that says the same; `result` is its number.

        `rebate_bps` is the maker's share of its taker's fee, `cap` the most that an order pays in
        micro-USDC, 0 for no cap.
        """
        terms = (shape, taker_bps, maker_bps, rebate_bps, cap)
        return await self._sender.execute(lambda f: f.schedule_create(*terms))

    async def assign_fee_schedule(self, market: int, schedule: int) -> Reply:
        """Give a market another fee schedule; orders entered before keep theirs."""
        return await self._sender.execute(lambda f: f.schedule_assign(market, schedule))

    async def set_grid(
        self,
        market: int,
        tick: int,
        *,
        edge: int = 0,
        edge_tick: int = 0,
        min_lots: int = 0,
        min_value: int = 0,
    ) -> Reply:
        """Set which prices and sizes a market's orders may have, all in one.

        Prices nearer than `edge` to 0 or 1 are multiples of `edge_tick`, the others of `tick`.
        Orders have `min_lots` or more; those that cross are worth `min_value` micro-USDC or more at
        their limit. Resting orders off the new grid are cancelled.
        """
        grid = (tick, edge, edge_tick, min_lots, min_value)
        return await self._sender.execute(lambda f: f.grid_set(market, *grid))

    async def set_guards(
        self,
        market: int,
        *,
        reference: int = 0,
        band: int = 0,
        move: int = 0,
        window_ns: int = 0,
        pause_ns: int = 0,
    ) -> Reply:
        """Set how far a market's prices may go, all in one; 0 is no guard.

        Orders further than `band` from the reference (the last fill, or what is set here) are
        rejected. Before a fill that moves the price by more than `move` within `window_ns` the
        market pauses for `pause_ns`.
        """
        guards = (reference, band, move, window_ns, pause_ns)
        return await self._sender.execute(lambda f: f.guards_set(market, *guards))

    async def name_fee_account(self, account: int) -> Reply:
        """Have all fees go to an account from now on, and those collected so far at once."""
        return await self._sender.execute(lambda f: f.fee_account_name(account))

    async def checkpoint(self) -> Reply:
        """Have every node take a snapshot at this command's log index, which is `result`."""
        return await self._sender.execute(lambda f: f.checkpoint())
