"""Loading a snapshot: records as objects again, each behind those that it refers to."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import identifiers, limits, records, terms
from node.domain.units import MAX_PRICE, MIN_PRICE
from node.engine.account import Account
from node.engine.agreements import Agreements
from node.engine.fee_schedule import no_fees
from node.engine.fields import i16_at, i32_at
from node.engine.market import Event, Market
from node.engine.market_rules import MarketRules
from node.engine.order import Order
from node.engine.order_group import Membership, read_group
from node.engine.pages import CLEAN
from node.engine.position import Position
from node.engine.record_sizes import RECORD_SIZES
from node.engine.restoring_lives import load_life
from node.engine.session import Key, Session
from node.engine.sessions import add_session, reply_page
from node.engine.snapshot_error import SnapshotError
from node.engine.standing import load_standing, seat_order
from node.engine.state import State
from node.engine.sweep import CANCEL_ACCOUNT, Sweep
from node.engine.timer import Timer


class Loader:
    """Reads pages in key order, so that a record comes after those that it refers to."""

    def __init__(self, state: State) -> None:
        """Load into an empty state."""
        self.state: State = state
        self.position_counts: list[int] = [0]
        self.agreements: Agreements = Agreements(state)
        self.resting: list[Order] = []
        self.grouped: list[tuple[Order, i64]] = []

    def load(self, kind: i64, number: i64, value: bytes) -> None:
        """Load one page."""
        size = RECORD_SIZES.get(kind)
        if size is None:
            raise SnapshotError(f"no records are of kind {kind}")
        if len(value) == 0 or len(value) % size != 0:
            raise SnapshotError(f"page {number} of kind {kind} has {len(value)} bytes")
        if kind == records.WINDOW:
            self.load_replies(number, value)
            return
        at: i64 = 0
        while at < len(value):
            self.load_record(kind, value, at)
            at += size

    def load_record(self, kind: i64, value: bytes, at: i64) -> None:
        """Load one record."""
        if kind >= records.KINSHIP:
            self.require_none(load_standing(self.state, kind, value, at))
        elif kind in records.LEDGER_KINDS:
            self.load_ledger_record(kind, value, at)
        else:
            self.load_other_record(kind, value, at)

    def load_ledger_record(self, kind: i64, value: bytes, at: i64) -> None:
        """Load a record that holds money or orders."""
        if kind == records.TREASURY:
            self.load_treasury(value)
        elif kind == records.EVENT:
            self.load_event(value, at)
        elif kind == records.MARKET:
            self.load_market(value, at)
        elif kind == records.ACCOUNT:
            self.load_account(value, at)
        elif kind == records.POSITION:
            self.load_position(value, at)
        elif kind == records.ORDER:
            self.load_order(value, at)
        elif kind == records.SCHEDULE:
            self.agreements.load_schedule(value, at)
        else:
            self.require_none(self.agreements.load_rules(value, at))

    def load_other_record(self, kind: i64, value: bytes, at: i64) -> None:
        """Load a record that holds neither."""
        if kind == records.VENUE:
            self.load_venue(value)
        elif kind == records.KEY:
            self.load_key(value, at)
        elif kind == records.SESSION:
            self.load_session(value, at)
        elif kind == records.SWEEP:
            self.load_sweep(value, at)
        elif kind == records.WATCH:
            self.require_none(self.agreements.load_watch(value, at))
        elif kind == records.TIMER:
            self.load_timer(value, at)
        elif kind == records.GROUP:
            self.load_group(value, at)
        else:
            load_life(self.state, kind, value, at)

    def require_none(self, contradiction: str) -> None:
        """Raise SnapshotError unless the contradiction is none."""
        if contradiction:
            raise SnapshotError(contradiction)

    def load_venue(self, value: bytes) -> None:
        """Load the VENUE record."""
        state = self.state
        state.chain_digest = value[: identifiers.DIGEST_SIZE]
        state.log_index = read_i64_le(value, records.VENUE_LOG_INDEX)
        state.stamp_ns = read_i64_le(value, records.VENUE_STAMP)
        state.rules_version = i32_at(value, records.VENUE_RULES_VERSION)
        if i32_at(value, records.VENUE_SHARD) != state.shard:
            raise SnapshotError("the snapshot is of another shard than the genesis")
        state.writer.venue_sequence = read_i64_le(value, records.VENUE_STREAM_SEQUENCE)
        state.checkpoint_bytes = read_i64_le(value, records.VENUE_CHECKPOINT_BYTES)
        state.commands = read_i64_le(value, records.VENUE_COMMANDS)
        state.sweep_head = read_i64_le(value, records.VENUE_SWEEP_HEAD)
        state.sweep_tail = read_i64_le(value, records.VENUE_SWEEP_TAIL)
        state.key_count = read_i64_le(value, records.VENUE_KEYS)
        state.session_count = read_i64_le(value, records.VENUE_SESSIONS)
        for number in range(limits.LIMIT_COUNT):
            state.limits[number] = read_i64_le(value, records.VENUE_LIMITS + 8 * number)

    def load_treasury(self, value: bytes) -> None:
        """Load the TREASURY record."""
        treasury = self.state.treasury
        treasury.deposits = read_i64_le(value, records.TREASURY_DEPOSITS)
        treasury.fees = read_i64_le(value, records.TREASURY_FEES)
        treasury.deposit_cursor = read_i64_le(value, records.TREASURY_DEPOSIT_CURSOR)
        treasury.collateral = read_i64_le(value, records.TREASURY_COLLATERAL)
        treasury.orders = read_i64_le(value, records.TREASURY_ORDERS)
        treasury.fills = read_i64_le(value, records.TREASURY_FILLS)
        treasury.accounts = i32_at(value, records.TREASURY_ACCOUNTS)
        treasury.events = i32_at(value, records.TREASURY_EVENTS)
        treasury.markets = i32_at(value, records.TREASURY_MARKETS)
        treasury.positions = i32_at(value, records.TREASURY_POSITIONS)
        self.agreements.fee_account = i32_at(value, records.TREASURY_FEE_ACCOUNT)
        treasury.schedules = i32_at(value, records.TREASURY_SCHEDULES)
        treasury.withdrawn = read_i64_le(value, records.TREASURY_WITHDRAWN)
        treasury.pending = read_i64_le(value, records.TREASURY_PENDING)
        treasury.withdrawals = read_i64_le(value, records.TREASURY_WITHDRAWALS)

    def load_event(self, value: bytes, at: i64) -> None:
        """Load an EVENT record; its markets join it as they come."""
        start = at + records.EVENT_NAME
        event = Event(
            i32_at(value, at + records.EVENT_NUMBER),
            i32_at(value, at + records.EVENT_EXCLUSIVE),
            value[start : start + identifiers.NAME_SIZE],
        )
        event.settled = i32_at(value, at + records.EVENT_SETTLED)
        event.price_sum = i32_at(value, at + records.EVENT_PRICE_SUM)
        event.started = i32_at(value, at + records.EVENT_STARTED)
        event.collateral = read_i64_le(value, at + records.EVENT_COLLATERAL)
        self.state.add_event(event)

    def load_market(self, value: bytes, at: i64) -> None:
        """Load a MARKET record; its book fills as orders come."""
        event = self.state.event(i32_at(value, at + records.MARKET_EVENT))
        if event is None:
            raise SnapshotError("a market's event is missing")
        start = at + records.MARKET_NAME
        number = i32_at(value, at + records.MARKET_NUMBER)
        market = Market(
            number,
            event,
            i32_at(value, at + records.MARKET_TICK),
            MarketRules(number, no_fees()),
            value[start : start + identifiers.NAME_SIZE],
        )
        market.state = i32_at(value, at + records.MARKET_STATE)
        market.price = i32_at(value, at + records.MARKET_PRICE)
        market.sweeps = i32_at(value, at + records.MARKET_SWEEPS)
        market.collateral = read_i64_le(value, at + records.MARKET_COLLATERAL)
        market.stream_sequence = read_i64_le(value, at + records.MARKET_STREAM_SEQUENCE)
        market.order_count = read_i64_le(value, at + records.MARKET_ORDERS)
        market.volume = read_i64_le(value, at + records.MARKET_VOLUME)
        self.state.add_market(market)

    def load_account(self, value: bytes, at: i64) -> None:
        """Load an ACCOUNT record."""
        start = at + records.ACCOUNT_ADDRESS
        account = Account(
            i32_at(value, at + records.ACCOUNT_NUMBER),
            i32_at(value, at + records.ACCOUNT_MODE),
            value[start : start + identifiers.ADDRESS_SIZE],
        )
        self.position_counts.append(i32_at(value, at + records.ACCOUNT_POSITIONS))
        account.cash_free = read_i64_le(value, at + records.ACCOUNT_CASH_FREE)
        account.cash_locked = read_i64_le(value, at + records.ACCOUNT_CASH_LOCKED)
        account.stream_sequence = read_i64_le(value, at + records.ACCOUNT_STREAM_SEQUENCE)
        account.order_count = read_i64_le(value, at + records.ACCOUNT_ORDERS)
        account.bid_watermark = read_i64_le(value, at + records.ACCOUNT_BID_WATERMARK)
        account.ask_watermark = read_i64_le(value, at + records.ACCOUNT_ASK_WATERMARK)
        self.state.add_account(account)

    def load_position(self, value: bytes, at: i64) -> None:
        """Load a POSITION record."""
        account, market = self.owner(value, at + records.POSITION_ACCOUNT)
        position = Position(read_i64_le(value, at + records.POSITION_NUMBER), account, market)
        self.state.add_position(position)
        position.place = read_i64_le(value, at + records.POSITION_PLACE)
        position.yes_free = read_i64_le(value, at + records.POSITION_YES_FREE)
        position.yes_locked = read_i64_le(value, at + records.POSITION_YES_LOCKED)
        position.no_free = read_i64_le(value, at + records.POSITION_NO_FREE)
        position.no_locked = read_i64_le(value, at + records.POSITION_NO_LOCKED)
        position.bids.watermark = read_i64_le(value, at + records.POSITION_BID_WATERMARK)
        position.asks.watermark = read_i64_le(value, at + records.POSITION_ASK_WATERMARK)

    def owner(self, value: bytes, at: i64) -> tuple[Account, Market]:
        """Return the account and market that two neighbouring i32 fields name."""
        account = self.state.account(i32_at(value, at))
        market = self.state.market(i32_at(value, at + 4))
        if account is None or market is None:
            raise SnapshotError("a record's account or market is missing")
        return account, market

    def load_order(self, value: bytes, at: i64) -> None:
        """Load an ORDER record; it joins its book with the others, in the order of priority."""
        account, market = self.owner(value, at + records.ORDER_ACCOUNT)
        position = account.positions.get(market.number)
        if position is None:
            raise SnapshotError("an order's position is missing")
        if not MIN_PRICE <= i32_at(value, at + records.ORDER_PRICE) <= MAX_PRICE:
            raise SnapshotError("an order's price is none")
        order = Order(
            read_i64_le(value, at + records.ORDER_ID),
            read_i64_le(value, at + records.ORDER_CLIENT_ORDER_ID),
            account,
            position,
            i16_at(value, at + records.ORDER_INTENT),
            i16_at(value, at + records.ORDER_TIME_IN_FORCE),
            i32_at(value, at + records.ORDER_PRICE),
            read_i64_le(value, at + records.ORDER_LOTS),
        )
        order.leaves = read_i64_le(value, at + records.ORDER_LEAVES)
        order.fee_whole = read_i64_le(value, at + records.ORDER_FEE_WHOLE)
        order.fee_rest = i32_at(value, at + records.ORDER_FEE_REST)
        order.rebate_rest = i32_at(value, at + records.ORDER_REBATE_REST)
        order.due_ns = read_i64_le(value, at + records.ORDER_EXPIRY)
        order.key = i32_at(value, at + records.ORDER_KEY)
        group = i32_at(value, at + records.ORDER_GROUP)
        if group != 0:
            self.grouped.append((order, group))
        order.flags = i32_at(value, at + records.ORDER_FLAGS)
        self.agreements.orders.append((order, i32_at(value, at + records.ORDER_SCHEDULE)))
        order.priority = read_i64_le(value, at + records.ORDER_PRIORITY)
        self.state.orders.add(order)
        self.resting.append(order)

    def load_key(self, value: bytes, at: i64) -> None:
        """Load a KEY record."""
        start = at + records.KEY_PUBLIC_KEY
        key = Key(
            i32_at(value, at + records.KEY_NUMBER),
            i32_at(value, at + records.KEY_ROLE),
            i32_at(value, at + records.KEY_ACCOUNT),
            value[start : start + identifiers.PUBLIC_KEY_SIZE],
        )
        key.revoked = i32_at(value, at + records.KEY_REVOKED)
        if key.role == terms.OPERATOR and key.revoked == 0:
            self.state.operator_count += 1
        self.state.add_key(key)

    def load_session(self, value: bytes, at: i64) -> None:
        """Load a SESSION record; its replies follow."""
        number: i64 = i32_at(value, at + records.SESSION_KEY)
        if number < 1 or number >= len(self.state.keys):
            raise SnapshotError("a session's key is missing")
        key = self.state.keys[number]
        assert key is not None
        window = i32_at(value, at + records.SESSION_WINDOW)
        if not 0 < window <= limits.LIMIT_RANGES[limits.REPLIES_PER_SESSION].most:
            raise SnapshotError(f"a session has a window of {window} replies")
        session = Session(
            i32_at(value, at + records.SESSION_NUMBER),
            key,
            window,
        )
        session.on_disconnect = i32_at(value, at + records.SESSION_ON_DISCONNECT)
        session.next_sequence = read_i64_le(value, at + records.SESSION_NEXT_SEQUENCE)
        session.last_index = read_i64_le(value, at + records.SESSION_LAST_INDEX)
        add_session(self.state, session)

    def load_replies(self, number: i64, value: bytes) -> None:
        """Load a page of a session's window."""
        session = self.state.sessions.get(number >> records.WINDOW_PAGE_SHIFT)
        if session is None:
            raise SnapshotError("a window's session is missing")
        place = number & ((1 << records.WINDOW_PAGE_SHIFT) - 1)
        if place >= len(session.reply_pages):
            raise SnapshotError("a page of replies lies outside its session's window")
        page = reply_page(self.state, session, place * records.PAGE_SLOTS)
        if len(value) != page.slots * records.STORED_SIZE:
            raise SnapshotError("a page of replies does not fit its session's window")
        at: i64 = 0
        while at < len(value):
            page.words[at >> 3] = read_i64_le(value, at)
            at += 8

    def load_sweep(self, value: bytes, at: i64) -> None:
        """Load a SWEEP record."""
        sweep = Sweep(
            read_i64_le(value, at + records.SWEEP_NUMBER),
            i32_at(value, at + records.SWEEP_KIND),
            i32_at(value, at + records.SWEEP_ACCOUNT),
            i32_at(value, at + records.SWEEP_MARKET),
        )
        sweep.cursor = read_i64_le(value, at + records.SWEEP_CURSOR)
        self.state.sweeps[sweep.number] = sweep
        sweep.page = self.state.sweep_pages.put(sweep.number, sweep)
        account = self.state.account(sweep.account)
        if sweep.kind == CANCEL_ACCOUNT and account is not None:
            account.cancel_sweep = max(account.cancel_sweep, sweep.number)

    def load_timer(self, value: bytes, at: i64) -> None:
        """Load a TIMER record."""
        number = read_i64_le(value, at + records.TIMER_NUMBER)
        self.state.add_timer(Timer(number, read_i64_le(value, at + records.TIMER_DUE)))

    def load_group(self, value: bytes, at: i64) -> None:
        """Load a GROUP record; its orders join it when all is there."""
        account = self.state.account(i32_at(value, at + records.GROUP_ACCOUNT))
        if account is None:
            raise SnapshotError("a group's account is missing")
        self.state.registers.order_groups.add(read_group(value, at, account))

    def seat_in_groups(self) -> None:
        """Let the orders that are of a group join it, oldest first."""
        for order, number in self.grouped:
            group = self.state.registers.order_groups.get(order.account.number, number)
            if group is None:
                raise SnapshotError("an order's group is missing")
            order.membership = Membership(group, order)
            group.append(order.membership)

    def finish(self) -> None:
        """Check the counts and declare every page clean: it equals the snapshot."""
        state = self.state
        treasury = state.treasury
        self.require_none(self.agreements.keep())
        counted = (
            len(state.accounts) - 1 == treasury.accounts
            and len(state.events) - 1 == treasury.events
            and len(state.markets) - 1 == treasury.markets
            and len(state.keys) - 1 == state.key_count
            and len(state.schedules) - 1 == treasury.schedules
            and len(state.sweeps) == state.sweep_tail - state.sweep_head
        )
        for order in self.resting:
            counted = seat_order(state, order) and counted
        self.seat_in_groups()
        self.resting.sort(key=priority_of)
        for order in self.resting:
            order.position.market.book.rest(order)
        for market in state.markets:
            if market is not None and market.is_settled:
                market.positions.reverse()
        for number, count in enumerate(self.position_counts):
            counted = counted and self.seat_positions(number, count)
        if not counted:
            raise SnapshotError("the snapshot's counts and records differ: pages are missing")
        for page in state.pages.freeze():
            page.state = CLEAN

    def seat_positions(self, number: i64, count: i64) -> bool:
        """Put an account's positions in their places; return whether each has one of its own."""
        account = self.state.account(number)
        if account is None:
            return count == 0
        account.position_list.sort(key=place_of)
        place: i64 = 0
        for position in account.position_list:
            if position.place != place:
                return False
            place += 1
        return place == count


def priority_of(order: Order) -> int:
    """Return what decides which order at a price is first."""
    return order.priority


def place_of(position: Position) -> int:
    """Return where a position stands among its account's."""
    return position.place
