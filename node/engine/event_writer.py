"""The event writer: the one place that knows how an event's bytes follow each other."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain import events as layout
from node.engine.account import Account
from node.engine.agent import Agent
from node.engine.bounds import Bounds
from node.engine.fields import write_pair
from node.engine.kinship import Kinship
from node.engine.market import Event, Market
from node.engine.order import Order
from node.engine.order_group import OrderGroup
from node.engine.resolution import Resolution
from node.engine.session import Key
from node.engine.timer import SUBJECT_BITS, SUBJECT_MASK
from node.engine.treasury import Treasury
from node.engine.withdrawal import Withdrawal


class EventWriter:
    """Appends events to one buffer, numbered within their log entry and their streams."""

    def __init__(self) -> None:
        """Start with an empty buffer before the first log entry."""
        self.out: BytesWriter = BytesWriter()
        self.log_index: i64 = 0
        self.stamp_ns: i64 = 0
        self.ordinal: i64 = 0
        self.venue_sequence: i64 = 0

    def begin(self, log_index: i64, stamp_ns: i64) -> None:
        """Empty the buffer for the events of the entry at `log_index`."""
        self.out.truncate(0)
        self.log_index = log_index
        self.stamp_ns = stamp_ns
        self.ordinal = 0

    def _header(self, size: i64, kind: i64, stream: i64, sequence: i64) -> BytesWriter:
        out = self.out
        write_i64_le(out, size | (kind << 32))
        write_i64_le(out, self.log_index)
        write_i64_le(out, self.ordinal | (stream << 32))
        write_i64_le(out, sequence)
        write_i64_le(out, self.stamp_ns)
        self.ordinal += 1
        return out

    def _private(self, size: i64, kind: i64, account: Account) -> BytesWriter:
        account.stream_sequence += 1
        return self._header(size, kind, account.number, account.stream_sequence)

    def _public(self, size: i64, kind: i64, market: Market) -> BytesWriter:
        market.stream_sequence += 1
        return self._header(size, kind, market.number, market.stream_sequence)

    def _venue(self, size: i64, kind: i64) -> BytesWriter:
        self.venue_sequence += 1
        return self._header(size, kind, 0, self.venue_sequence)

    # An account's executions.

    def order_rested(self, order: Order) -> None:
        """Say that an order joined the book."""
        out = self._private(layout.RESTED_SIZE, layout.ORDER_RESTED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_pair(out, order.position.market.number, order.price)
        write_i64_le(out, order.leaves)
        write_i64_le(out, order.intent)

    def order_filled(
        self, order: Order, price: i64, lots: i64, fill_id: i64, fee: i64, liquidity: i64
    ) -> None:
        """Tell an owner of a fill at YES `price`; it reads the price in its own terms."""
        out = self._private(layout.FILLED_SIZE, layout.ORDER_FILLED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_pair(out, order.position.market.number, order.own_price(price))
        write_i64_le(out, lots)
        write_i64_le(out, order.leaves)
        write_i64_le(out, fill_id)
        write_i64_le(out, fee)
        write_pair(out, order.intent, liquidity)

    def order_reduced(self, order: Order, lots: i64) -> None:
        """Say that an order lost `lots` of its leaves on request."""
        out = self._private(layout.REDUCED_SIZE, layout.ORDER_REDUCED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_i64_le(out, order.position.market.number)
        write_i64_le(out, lots)
        write_i64_le(out, order.leaves)

    def order_amended(self, order: Order, keeps_place: bool) -> None:
        """Say what an order now is; one that has lost its place may fill next, and then rests."""
        out = self._private(layout.AMENDED_SIZE, layout.ORDER_AMENDED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_pair(out, order.position.market.number, order.price)
        write_i64_le(out, order.lots)
        write_i64_le(out, order.leaves)
        write_i64_le(out, 1 if keeps_place else 0)

    def order_closed(self, order: Order, leaves: i64, reason: i64) -> None:
        """Say that an order ended with `leaves` unfilled."""
        out = self._private(layout.CLOSED_SIZE, layout.ORDER_CLOSED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_pair(out, order.position.market.number, reason)
        write_i64_le(out, leaves)

    def deposited(self, account: Account, amount: i64, treasury: Treasury) -> None:
        """Say that a deposit was credited."""
        out = self._private(layout.DEPOSITED_SIZE, layout.DEPOSITED, account)
        write_i64_le(out, amount)
        write_i64_le(out, account.cash_free)
        write_i64_le(out, treasury.deposit_cursor)

    def sets_changed(self, account: Account, market: Market, lots: i64) -> None:
        """Say that sets were split (lots > 0) or merged on request (lots < 0)."""
        out = self._private(layout.SETS_CHANGED_SIZE, layout.SETS_CHANGED, account)
        write_i64_le(out, market.number)
        write_i64_le(out, lots)
        write_i64_le(out, account.cash_free)

    def redeemed(self, account: Account, market: Market, yes: i64, no: i64, amount: i64) -> None:
        """Say that a resolved position was paid out."""
        out = self._private(layout.REDEEMED_SIZE, layout.REDEEMED, account)
        write_pair(out, market.number, market.price)
        write_i64_le(out, yes)
        write_i64_le(out, no)
        write_i64_le(out, amount)

    def rebate_received(self, order: Order, fill_id: i64, amount: i64) -> None:
        """Tell a maker what it was given of its taker's fee."""
        out = self._private(layout.FEE_RECEIVED_SIZE, layout.FEE_RECEIVED, order.account)
        write_i64_le(out, order.id)
        write_i64_le(out, order.client_order_id)
        write_i64_le(out, order.position.market.number)
        write_i64_le(out, fill_id)
        write_i64_le(out, amount)

    def fees_received(self, account: Account, market: i64, fill_id: i64, amount: i64) -> None:
        """Tell the fee account what it was given: of one fill, or (0) of all before it."""
        out = self._private(layout.FEE_RECEIVED_SIZE, layout.FEE_RECEIVED, account)
        write_i64_le(out, 0)
        write_i64_le(out, 0)
        write_i64_le(out, market)
        write_i64_le(out, fill_id)
        write_i64_le(out, amount)

    def order_group_changed(self, group: OrderGroup) -> None:
        """Say what a group of orders now is, and what it has filled within its window."""
        out = self._private(layout.ORDER_GROUP_SIZE, layout.ORDER_GROUP_CHANGED, group.account)
        write_pair(out, group.number, group.state)
        write_i64_le(out, group.limit)
        write_i64_le(out, group.fills.total(self.stamp_ns))

    def transferred(self, account: Account, peer: i64, amount: i64, transfer: i64) -> None:
        """Say that cash came from (amount > 0) or went to another account of the owner."""
        out = self._private(layout.TRANSFERRED_SIZE, layout.TRANSFERRED, account)
        write_i64_le(out, peer)
        write_i64_le(out, amount)
        write_i64_le(out, account.cash_free)
        write_i64_le(out, transfer)

    def withdrawal(self, withdrawal: Withdrawal, state: i64) -> None:
        """Say what became of a request to withdraw."""
        account = withdrawal.account
        out = self._private(layout.WITHDRAWAL_SIZE, layout.WITHDRAWAL, account)
        write_i64_le(out, withdrawal.id)
        write_i64_le(out, withdrawal.amount)
        write_i64_le(out, account.cash_free)
        write_i64_le(out, state)

    def converted(
        self, account: Account, event: Event, lots: i64, cash: i64, outcomes: bytes
    ) -> None:
        """Say that NO of the named outcomes became cash and YES of the others."""
        out = self._private(layout.CONVERTED_SIZE, layout.CONVERTED, account)
        write_i64_le(out, event.number)
        write_i64_le(out, lots)
        write_i64_le(out, cash)
        write_i64_le(out, account.cash_free)
        out.write(outcomes)

    def outcomes_merged(self, account: Account, event: Event, lots: i64) -> None:
        """Say that YES of all outcomes became cash."""
        out = self._private(layout.OUTCOMES_MERGED_SIZE, layout.OUTCOMES_MERGED, account)
        write_i64_le(out, event.number)
        write_i64_le(out, lots)
        write_i64_le(out, account.cash_free)

    # A market's public feed.

    def fill(
        self, fill_id: i64, price: i64, kind: i64, lots: i64, maker: Order, taker: Order, side: i64
    ) -> None:
        """Publish a fill at YES `price`; `side` is the taker's."""
        out = self._public(layout.FILL_SIZE, layout.FILL, maker.position.market)
        write_i64_le(out, fill_id)
        write_pair(out, price, kind)
        write_i64_le(out, lots)
        write_i64_le(out, side)
        write_i64_le(out, maker.id)
        write_i64_le(out, taker.id)

    def depth(self, market: Market, price: i64, side: i64, lots: i64) -> None:
        """Publish the new sum of leaves at a price level, 0 when it is gone."""
        out = self._public(layout.DEPTH_SIZE, layout.DEPTH, market)
        write_pair(out, price, side)
        write_i64_le(out, lots)

    def market_state(self, market: Market) -> None:
        """Publish the market's state and resolution price."""
        out = self._public(layout.MARKET_STATE_SIZE, layout.MARKET_STATE, market)
        write_pair(out, market.state, market.price)

    def market_created(self, market: Market) -> None:
        """Publish a new market."""
        out = self._public(layout.MARKET_CREATED_SIZE, layout.MARKET_CREATED, market)
        write_pair(out, market.event.number, market.tick)
        schedule = market.rules.schedule
        write_pair(out, schedule.taker_bps, schedule.maker_bps)
        out.write(market.name)

    def schedule_changed(self, market: Market) -> None:
        """Publish what the orders that come from now on agree to pay."""
        out = self._public(layout.SCHEDULE_CHANGED_SIZE, layout.SCHEDULE_CHANGED, market)
        schedule = market.rules.schedule
        write_pair(out, schedule.number, schedule.shape)
        write_pair(out, schedule.taker_bps, schedule.maker_bps)
        write_i64_le(out, schedule.rebate_bps)
        write_i64_le(out, schedule.cap)

    def grid_changed(self, market: Market) -> None:
        """Publish which prices and sizes orders may have."""
        out = self._public(layout.GRID_CHANGED_SIZE, layout.GRID_CHANGED, market)
        rules = market.rules
        write_pair(out, market.tick, rules.edge)
        write_i64_le(out, rules.edge_tick)
        write_i64_le(out, rules.min_lots)
        write_i64_le(out, rules.min_value)

    def market_paused(self, market: Market, price: i64, until_ns: i64) -> None:
        """Publish that a fill at YES `price` was not made, and when the market opens again."""
        out = self._public(layout.MARKET_PAUSED_SIZE, layout.MARKET_PAUSED, market)
        write_i64_le(out, price)
        write_i64_le(out, until_ns)

    def guards_changed(self, market: Market) -> None:
        """Publish how far orders and fills may be from the prices before them."""
        out = self._public(layout.GUARDS_CHANGED_SIZE, layout.GUARDS_CHANGED, market)
        rules = market.rules
        watch = market.watch
        write_pair(out, 0 if watch is None else watch.reference, rules.band)
        write_i64_le(out, rules.move)
        write_i64_le(out, rules.window_ns)
        write_i64_le(out, rules.pause_ns)

    def market_pause_set(self, market: Market, scope: i64, level: i64) -> None:
        """Publish how strictly the market, or its event, takes commands now."""
        out = self._public(layout.MARKET_PAUSE_SET_SIZE, layout.MARKET_PAUSE_SET, market)
        write_pair(out, scope, level)

    def market_times_set(self, market: Market, opens_at: i64, closes_at: i64) -> None:
        """Publish when the market opens and closes by itself."""
        out = self._public(layout.MARKET_TIMES_SET_SIZE, layout.MARKET_TIMES_SET, market)
        write_i64_le(out, opens_at)
        write_i64_le(out, closes_at)

    def auction_scheduled(self, market: Market, begins_at: i64) -> None:
        """Publish when the market's call phase begins; 0 is that none is to begin by itself."""
        out = self._public(layout.AUCTION_SCHEDULED_SIZE, layout.AUCTION_SCHEDULED, market)
        write_i64_le(out, begins_at)

    def auction_priced(self, market: Market, price: i64, lots: i64, surplus: i64) -> None:
        """Publish at which YES price a called market is uncrossed, and what its depth says."""
        out = self._public(layout.AUCTION_PRICED_SIZE, layout.AUCTION_PRICED, market)
        write_i64_le(out, price)
        write_i64_le(out, lots)
        write_i64_le(out, surplus)

    def outcome_named(self, market: Market) -> None:
        """Publish the name of what was a placeholder."""
        out = self._public(layout.OUTCOME_NAMED_SIZE, layout.OUTCOME_NAMED, market)
        out.write(market.name)

    def resolution_proposed(self, market: Market, resolution: Resolution) -> None:
        """Publish what a market will come to if nobody disputes it, and when."""
        size = layout.RESOLUTION_PROPOSED_SIZE
        out = self._public(size, layout.RESOLUTION_PROPOSED, market)
        write_pair(out, resolution.price, resolution.round)
        write_i64_le(out, resolution.final_at)
        out.write(resolution.evidence)

    def resolution_disputed(self, market: Market, key: i64, turn: i64, evidence: bytes) -> None:
        """Publish that what was proposed must be decided, in a new round."""
        size = layout.RESOLUTION_DISPUTED_SIZE
        out = self._public(size, layout.RESOLUTION_DISPUTED, market)
        write_pair(out, key, turn)
        out.write(evidence)

    def attested(
        self, market: Market, key: i64, turn: i64, price: i64, agreeing: i64, evidence: bytes
    ) -> None:
        """Publish a resolver's word, and how many now say the same."""
        out = self._public(layout.ATTESTED_SIZE, layout.ATTESTED, market)
        write_pair(out, key, turn)
        write_pair(out, price, agreeing)
        out.write(evidence)

    # The venue's stream.

    def account_opened(self, account: Account) -> None:
        """Announce an account."""
        out = self._venue(layout.ACCOUNT_OPENED_SIZE, layout.ACCOUNT_OPENED)
        write_pair(out, account.number, account.mode)
        out.write(account.address)
        out.write(b"\x00\x00\x00\x00")

    def subaccount_opened(self, kinship: Kinship) -> None:
        """Announce whose the account is that was just opened."""
        out = self._venue(layout.SUBACCOUNT_OPENED_SIZE, layout.SUBACCOUNT_OPENED)
        write_pair(out, kinship.account.number, kinship.owner)
        write_i64_le(out, kinship.ordinal)

    def stopped(self, kind: i64, number: i64, reason: i64, by: i64, reference: i64) -> None:
        """Announce who has stopped what, or lifted its stop, and why."""
        out = self._venue(layout.STOPPED_SIZE, kind)
        write_pair(out, number >> SUBJECT_BITS, number & SUBJECT_MASK)
        write_pair(out, reason, by)
        write_i64_le(out, reference)

    def agent_changed(self, key: Key, agent: Agent) -> None:
        """Announce what an agent's key may do from now on."""
        out = self._venue(layout.AGENT_CHANGED_SIZE, layout.AGENT_CHANGED)
        write_pair(out, key.number, key.account)
        write_i64_le(out, agent.order_value)
        write_i64_le(out, agent.spend)
        write_i64_le(out, agent.exposure)
        write_i64_le(out, agent.expiry_ns)

    def bounds_changed(self, bounds: Bounds) -> None:
        """Announce an account's or a market's bounds."""
        out = self._venue(layout.BOUNDS_CHANGED_SIZE, layout.BOUNDS_CHANGED)
        write_pair(out, bounds.number & SUBJECT_MASK, bounds.number >> SUBJECT_BITS)
        write_i64_le(out, bounds.reduce_only)

    def event_created(self, event: Event) -> None:
        """Announce an event."""
        out = self._venue(layout.EVENT_CREATED_SIZE, layout.EVENT_CREATED)
        write_pair(out, event.number, event.exclusive)
        out.write(event.name)

    def key_changed(
        self, kind: i64, number: i64, role: i64, account: i64, public_key: bytes
    ) -> None:
        """Announce that a key was granted or revoked."""
        out = self._venue(layout.KEY_EVENT_SIZE, kind)
        write_pair(out, number, role)
        write_i64_le(out, account)
        out.write(public_key)

    def configured(self, limit: i64, value: i64) -> None:
        """Announce a changed limit."""
        out = self._venue(layout.CONFIGURED_SIZE, layout.CONFIGURED)
        write_i64_le(out, limit)
        write_i64_le(out, value)

    def pause_set(self, scope: i64, subject: i64, level: i64) -> None:
        """Announce how strictly one scope takes commands now."""
        out = self._venue(layout.PAUSE_SET_SIZE, layout.PAUSE_SET)
        write_pair(out, scope, subject)
        write_i64_le(out, level)

    def session_answer(self, kind: i64, session: i64, code: i64, window: i64, nonce: bytes) -> None:
        """Answer a request to open a session; the nonce tells the gateway whose it was."""
        out = self._venue(layout.SESSION_EVENT_SIZE, kind)
        write_pair(out, session, code)
        write_i64_le(out, window)
        out.write(nonce)

    def session_evicted(self, session: i64) -> None:
        """Announce that a key's least recently used session made room."""
        out = self._venue(layout.SESSION_EVICTED_SIZE, layout.SESSION_EVICTED)
        write_i64_le(out, session)

    def checkpoint_taken(self) -> None:
        """Announce that the state at this index is a checkpoint."""
        self._venue(layout.CHECKPOINT_TAKEN_SIZE, layout.CHECKPOINT_TAKEN)
