"""The state: every collection and counter of the venue, and the bookkeeping of what has changed."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain import records
from node.domain.genesis import Genesis
from node.domain.groups import RULES_VERSION
from node.domain.identifiers import SEQUENCE_BITS
from node.domain.limits import LIMIT_COUNT
from node.domain.terms import ASK, BID, PAUSE_VENUE, SCOPE_ACCOUNT, SCOPE_KEY, SCOPE_VENUE
from node.engine.account import Account
from node.engine.agent import Agent
from node.engine.bounds import Bounds
from node.engine.conduct import Conduct
from node.engine.deadlines import Deadlines
from node.engine.event_writer import EventWriter
from node.engine.fee_schedule import FeeSchedule, no_fees
from node.engine.fields import write_pair
from node.engine.kinship import Kinship
from node.engine.life_pages import LifePages
from node.engine.market import Event, Market
from node.engine.order import Order, Orders
from node.engine.pages import DIRTY, Page, Pages, PageTable, Record
from node.engine.pause import Pause, pause_number
from node.engine.position import Position
from node.engine.price_watch import PriceWatch
from node.engine.registers import Registers
from node.engine.session import Key, Session
from node.engine.stop import Stop
from node.engine.sweep import Sweep
from node.engine.timer import SUBJECT_BITS, SUBJECT_MASK, Timer
from node.engine.treasury import Treasury


class State(Record):
    """All that `apply` reads and writes.

    As a record it is the VENUE one: neither money nor orders.
    """

    def __init__(self, genesis: Genesis, chain_digest: bytes) -> None:
        """Make the state before the first log entry, without keys: see `Venue` and `restore`."""
        self.chain_digest: bytes = chain_digest
        self.log_index: i64 = 0
        self.stamp_ns: i64 = 0
        self.rules_version: i64 = RULES_VERSION
        self.shard: i64 = genesis.shard
        self.id_base: i64 = self.shard << SEQUENCE_BITS
        self.checkpoint_bytes: i64 = 0
        self.commands: i64 = 0
        self.sweep_head: i64 = 1
        self.sweep_tail: i64 = 1
        self.key_count: i64 = 0
        self.operator_count: i64 = 0
        self.session_count: i64 = 0
        self.limits: list[int] = list(genesis.limits)
        self.treasury: Treasury = Treasury()
        # Dense collections are lists by number; slot 0 is never used.
        self.accounts: list[Account | None] = [None]
        self.accounts_by_address: dict[bytes, Account] = {}
        self.events: list[Event | None] = [None]
        self.markets: list[Market | None] = [None]
        self.schedules: list[FeeSchedule] = [no_fees()]
        self.schedules_by_terms: dict[bytes, FeeSchedule] = {}
        self.keys: list[Key | None] = [None]
        self.keys_by_public: dict[bytes, Key] = {}
        self.sessions: dict[int, Session] = {}
        # Those whose client gives something up by going; derived.
        self.watched_sessions: dict[int, Session] = {}
        self.sweeps: dict[int, Sweep] = {}
        self.timers: dict[int, Timer] = {}
        self.timers_due: Deadlines = Deadlines()
        self.venue_pause: Pause = Pause(pause_number(PAUSE_VENUE, 0))
        self.pages: Pages = Pages()
        self.orders: Orders = Orders(self.pages)
        self.account_pages: PageTable = PageTable(self.pages, records.ACCOUNT)
        self.event_pages: PageTable = PageTable(self.pages, records.EVENT)
        self.market_pages: PageTable = PageTable(self.pages, records.MARKET)
        self.position_pages: PageTable = PageTable(self.pages, records.POSITION)
        self.key_pages: PageTable = PageTable(self.pages, records.KEY)
        self.session_pages: PageTable = PageTable(self.pages, records.SESSION)
        self.sweep_pages: PageTable = PageTable(self.pages, records.SWEEP)
        self.timer_pages: PageTable = PageTable(self.pages, records.TIMER)
        self.schedule_pages: PageTable = PageTable(self.pages, records.SCHEDULE)
        self.rules_pages: PageTable = PageTable(self.pages, records.RULES)
        self.watch_pages: PageTable = PageTable(self.pages, records.WATCH)
        self.venue_stop: Stop | None = None
        self.registers: Registers = Registers(self.pages)
        self.life_pages: LifePages = LifePages(self.pages)
        self.writer: EventWriter = EventWriter()
        self.venue_page: Page = PageTable(self.pages, records.VENUE).put(0, self)
        self.treasury_page: Page = PageTable(self.pages, records.TREASURY).put(0, self.treasury)

    def encode(self, out: BytesWriter) -> None:
        """Append the VENUE record's bytes."""
        out.write(self.chain_digest)
        write_i64_le(out, self.log_index)
        write_i64_le(out, self.stamp_ns)
        write_pair(out, self.rules_version, self.shard)
        write_i64_le(out, self.writer.venue_sequence)
        write_i64_le(out, self.checkpoint_bytes)
        write_i64_le(out, self.commands)
        write_i64_le(out, self.sweep_head)
        write_i64_le(out, self.sweep_tail)
        write_i64_le(out, self.key_count)
        write_i64_le(out, self.session_count)
        for number in range(LIMIT_COUNT):
            write_i64_le(out, self.limits[number])

    # Look-ups: None for any number that is not there.

    def account(self, number: i64) -> Account | None:
        """Return the account with this number."""
        if 0 < number < len(self.accounts):
            return self.accounts[number]
        return None

    def market(self, number: i64) -> Market | None:
        """Return the market with this number."""
        if 0 < number < len(self.markets):
            return self.markets[number]
        return None

    def event(self, number: i64) -> Event | None:
        """Return the event with this number."""
        if 0 < number < len(self.events):
            return self.events[number]
        return None

    def schedule(self, number: i64) -> FeeSchedule | None:
        """Return the fee schedule with this number."""
        if 0 < number < len(self.schedules):
            return self.schedules[number]
        return None

    def key(self, number: i64) -> Key | None:
        """Return the key with this number."""
        if 0 < number < len(self.keys):
            return self.keys[number]
        return None

    # Changes: call before the change.

    def touch(self, page: Page | None) -> None:
        """Note that the record on `page` is about to change."""
        assert page is not None
        if page.state != DIRTY:
            self.pages.touch(page)

    def touch_owner(self, position: Position) -> None:
        """Note that a position and its account are about to change."""
        self.touch(position.page)
        self.touch(position.account.page)

    def touch_all(self, position: Position) -> None:
        """Note that a position, its account, its market and the treasury are about to change."""
        self.touch_owner(position)
        self.touch(position.market.page)
        self.touch_collateral(position.market)

    def touch_collateral(self, market: Market) -> None:
        """Note that what stands behind a market's shares, and the treasury, are about to change."""
        self.touch(self.treasury_page)
        if market.event.exclusive != 0:
            self.touch(market.event.page)

    # Additions.

    def add_account(self, account: Account) -> None:
        """Index an account."""
        account.page = self.account_pages.put(account.number, account)
        self.accounts.append(account)
        self.accounts_by_address[account.address] = account

    def add_kinship(self, kinship: Kinship) -> None:
        """Index the kinship of an account."""
        kinship.page = self.registers.kinships.put(kinship.account.number, kinship)
        kinship.account.kinship = kinship

    def add_agent(self, key: Key, agent: Agent) -> None:
        """Give a key of an account, which is to be counted, its budget."""
        agent.page = self.registers.agents.put(key.number, agent)
        key.agent = agent
        account = self.account(key.account)
        if account is not None and key.revoked == 0:
            account.agent_count += 1

    def conduct_of_account(self, account: Account) -> Conduct:
        """Return an account's conduct, making it when there is none."""
        conduct = account.conduct
        if conduct is None:
            conduct = Conduct((SCOPE_ACCOUNT << SUBJECT_BITS) | account.number)
            account.conduct = conduct
            conduct.page = self.registers.conducts.put(conduct.number, conduct)
        return conduct

    def conduct_of_key(self, key: Key) -> Conduct:
        """Return a key's conduct, making it when there is none."""
        conduct = key.conduct
        if conduct is None:
            conduct = Conduct((SCOPE_KEY << SUBJECT_BITS) | key.number)
            key.conduct = conduct
            conduct.page = self.registers.conducts.put(conduct.number, conduct)
        return conduct

    def put_bounds(self, bounds: Bounds) -> bool:
        """Let bounds take the place of the last ones; return whether their subject exists."""
        subject = bounds.number & SUBJECT_MASK
        known: Bounds | None = None
        if bounds.number >> SUBJECT_BITS == SCOPE_ACCOUNT:
            account = self.account(subject)
            if account is None:
                return False
            known = account.bounds
            account.bounds = bounds
        else:
            market = self.market(subject)
            if market is None:
                return False
            known = market.bounds
            market.bounds = bounds
        if known is not None:
            self.registers.bounds.drop(bounds.number)
        bounds.page = self.registers.bounds.put(bounds.number, bounds)
        return True

    def add_stop(self, stop: Stop) -> bool:
        """Stop what a stop is about; return whether it exists."""
        if not self.mark_stopped(stop.number, stop):
            return False
        stop.page = self.registers.stop_pages.put(stop.number, stop)
        self.registers.stops[stop.number] = stop
        return True

    def drop_stop(self, stop: Stop) -> None:
        """Let what was stopped go on."""
        self.mark_stopped(stop.number, None)
        self.registers.stop_pages.drop(stop.number)
        del self.registers.stops[stop.number]

    def mark_stopped(self, number: i64, stop: Stop | None) -> bool:
        """Tell a stop's subject that it is stopped, or no longer; return whether it exists."""
        scope = number >> SUBJECT_BITS
        subject = number & SUBJECT_MASK
        if scope == SCOPE_VENUE:
            self.venue_stop = stop
            return True
        if scope == SCOPE_KEY:
            key = self.key(subject)
            if key is not None:
                key.stop = stop
            return key is not None
        if scope == SCOPE_ACCOUNT:
            account = self.account(subject)
            if account is not None:
                account.stop = stop
            return account is not None
        market = self.market(subject)
        if market is not None:
            market.stop = stop
        return market is not None

    def add_event(self, event: Event) -> None:
        """Index an event."""
        event.page = self.event_pages.put(event.number, event)
        self.events.append(event)
        event.venue_pause = self.venue_pause

    def add_market(self, market: Market) -> None:
        """Index a market and join it to its event."""
        self.touch(market.event.page)
        market.page = self.market_pages.put(market.number, market)
        self.markets.append(market)
        market.event.markets.append(market)
        market.rules.page = self.rules_pages.put(market.number, market.rules)

    def add_watch(self, market: Market, watch: PriceWatch) -> None:
        """Have a market's prices watched."""
        watch.page = self.watch_pages.put(market.number, watch)
        market.watch = watch

    def add_schedule(self, schedule: FeeSchedule) -> None:
        """Index a fee schedule."""
        schedule.page = self.schedule_pages.put(schedule.number, schedule)
        self.schedules.append(schedule)
        self.schedules_by_terms[schedule.terms()] = schedule

    def position(self, account: Account, market: Market) -> Position:
        """Return the account's position in the market, making it when there is none."""
        position = account.positions.get(market.number)
        if position is None:
            self.touch(self.treasury_page)
            self.touch(account.page)
            self.treasury.positions += 1
            position = Position(self.treasury.positions, account, market)
            self.add_position(position)
        return position

    def add_position(self, position: Position) -> None:
        """Index a position by account and by market."""
        position.page = self.position_pages.put(position.number, position)
        account = position.account
        account.positions[position.market.number] = position
        position.place = len(account.position_list)
        account.position_list.append(position)
        position.market.positions.append(position)

    def drop_position(self, position: Position) -> None:
        """Forget an empty position; the account's last one takes its place in the list."""
        account = position.account
        self.touch(account.page)
        last = account.position_list.pop()
        if last is not position:
            self.touch(last.page)
            last.place = position.place
            account.position_list[last.place] = last
        del account.positions[position.market.number]
        self.position_pages.drop(position.number)

    def add_key(self, key: Key) -> None:
        """Index a key."""
        key.page = self.key_pages.put(key.number, key)
        self.keys.append(key)
        self.keys_by_public[key.public_key] = key

    def add_sweep(self, kind: i64, account: i64, market: i64) -> Sweep:
        """Queue a sweep behind all others and return it."""
        sweep = Sweep(self.sweep_tail, kind, account, market)
        self.sweep_tail += 1
        self.sweeps[sweep.number] = sweep
        sweep.page = self.sweep_pages.put(sweep.number, sweep)
        return sweep

    def set_timer(self, kind: i64, subject: i64, due_ns: i64) -> None:
        """Have `kind` happen to `subject` at `due_ns`, instead of when it was to; 0 is never."""
        number = (kind << SUBJECT_BITS) | subject
        timer = self.timers.get(number)
        if timer is not None:
            self.drop_timer(timer)
        if due_ns != 0:
            self.add_timer(Timer(number, due_ns))

    def add_timer(self, timer: Timer) -> None:
        """Index a timer."""
        timer.page = self.timer_pages.put(timer.number, timer)
        self.timers[timer.number] = timer
        self.timers_due.add(timer)

    def drop_timer(self, timer: Timer) -> None:
        """Forget a timer."""
        self.timer_pages.drop(timer.number)
        del self.timers[timer.number]
        self.timers_due.remove(timer)

    def timer(self, kind: i64, subject: i64) -> Timer | None:
        """Return when `kind` happens to `subject`, None for never."""
        return self.timers.get((kind << SUBJECT_BITS) | subject)

    def first_timer(self) -> Timer | None:
        """Return the timer that is due first, or None when there is none."""
        first = self.timers_due.first()
        return first if isinstance(first, Timer) else None

    def next_due_ns(self) -> i64:
        """Return when something happens by itself, 0 for never."""
        due: i64 = 0
        order = self.orders.first_expiring()
        if order is not None:
            due = order.due_ns
        timer = self.first_timer()
        if timer is not None and (due == 0 or timer.due_ns < due):
            due = timer.due_ns
        return due

    def next_watermark(self) -> i64:
        """Return the id that all orders up to now are under."""
        return (self.id_base | self.treasury.orders) + 1

    def next_order_id(self) -> i64:
        """Hand out the next order id."""
        self.touch(self.treasury_page)
        self.treasury.orders += 1
        return self.id_base | self.treasury.orders

    def next_fill_id(self) -> i64:
        """Hand out the next fill id."""
        self.treasury.fills += 1
        return self.id_base | self.treasury.fills

    def rest(self, order: Order) -> None:
        """Put what is left of an order, whose owner is touched, into its book; and say so."""
        market = order.position.market
        self.touch(market.page)
        self.orders.add(order)
        market.order_count += 1
        order.account.order_count += 1
        self.stand(order)

    def stand(self, order: Order) -> None:
        """Put an order that has its place in every index behind all others at its price."""
        market = order.position.market
        level = market.book.rest(order)
        self.writer.order_rested(order)
        self.writer.depth(market, level.price, BID if order.is_bid else ASK, level.lots)
