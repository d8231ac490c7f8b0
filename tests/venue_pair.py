"""The engine and the naive venue side by side: every command goes to both, and both must agree."""

from dataclasses import astuple
from typing import Any, NamedTuple

from node.domain.codes import Code
from node.domain.genesis import Genesis
from node.domain.limits import Limit
from node.domain.terms import AccountMode, CloseReason, MarketState, Role, Side
from tests import commands as c
from tests.naive_book import WHOLE, NaiveSchedule
from tests.naive_records import SETTLED, Fact, NaivePosition
from tests.naive_risk import NaiveRisk
from tests.venue_driver import (
    OPERATOR_KEY,
    Applied,
    Reply,
    VenueDriver,
    address_of,
    genesis,
    key_of,
)

MASS_REASONS = (
    CloseReason.CANCEL_ALL,
    CloseReason.MARKET_CLOSED,
    CloseReason.OFF_GRID,
    CloseReason.KEY_STOPPED,
    CloseReason.ACCOUNT_STOPPED,
    CloseReason.MARKET_STOPPED,
    CloseReason.DEADLINE_PASSED,
    CloseReason.REDUCE_ONLY,
    CloseReason.PAUSED,
    CloseReason.ORDER_GROUP,
)


class Sender(NamedTuple):
    """A session and what its key may do."""

    session: int
    role: Role
    account: int = 0
    key: int = 1


class VenuePair:
    """A venue driver and a naive venue that hear the same commands, one a group."""

    def __init__(self, start: Genesis | None = None) -> None:
        """Start both from one genesis."""
        self.start = start or genesis()
        self.engine = VenueDriver(self.start)
        self.naive = NaiveRisk(self.start.limits, self.start.shard, OPERATOR_KEY)
        self.operator = Sender(self.engine.operator, Role.OPERATOR)
        self.last = Applied([], [])

    def open_account(self, mode: AccountMode, cash: int) -> Sender:
        """Open and fund the next account; return the sender that trades for it."""
        number = len(self.naive.accounts) + 1
        self.must(c.AccountOpen(address_of(number), key_of(number), mode))
        if cash:
            self.must(c.Deposit(number, cash, self.naive.deposit_cursor + 1))
        return self.sender(key_of(number), number)

    def sender(self, public_key: bytes, account: int) -> Sender:
        """Open a session for a trader's key; return who speaks in it."""
        key: Any = self.engine.venue.key_by_public(public_key)
        session = self.engine.open_session(public_key)
        return Sender(session, Role.TRADER, account, key.number)

    def grant_resolver(self, public_key: bytes) -> None:
        """Register a resolver's key at both."""
        _, applied = self.engine.say(c.KeyGrant(public_key, Role.RESOLVER))
        assert applied.replies[0].code == Code.OK
        self.naive.resolvers.append(public_key)
        self.naive.keys[public_key] = len(self.naive.keys) + 1

    def open_market(
        self, event: int, tick: int = 1, taker_fee_bps: int = 0, maker_fee_bps: int = 0
    ) -> int:
        """Create and open a market in an event; return its number."""
        market = self.must(c.MarketCreate(event, tick, taker_fee_bps, maker_fee_bps)).result
        self.must(c.MarketOpen(market))
        return market

    def must(self, command: c.Command) -> Reply:
        """Say what cannot but succeed, as the operator."""
        reply = self.say(command)
        assert reply.code == Code.OK, (command, reply)
        return reply

    def say(self, command: c.Command, sender: Sender | None = None) -> Reply:
        """Say a command to both and compare all that they answer."""
        sender = sender or self.operator
        expired = self.naive.begin_group(self.engine.venue.stamp_ns + self.engine.step_ns)
        fills = self.naive.fills
        expected = self.naive.apply(command, *sender[1:])
        facts, fills = expired + self.naive.facts, fills + self.naive.fills
        self.naive.end_group()
        facts, fills = facts + self.naive.facts, fills + self.naive.fills
        reply, applied = self.engine.say(command, sender.session)
        self.last = applied
        if isinstance(command, c.CancelAll):
            # How many of its orders go at once and how many with the sweep is the engine's choice.
            assert reply.filled <= min(
                expected.filled, self.naive.limits[Limit.CANCELS_PER_COMMAND]
            )
            expected = expected._replace(filled=reply.filled)
        assert (reply.code, reply.result, reply.filled) == expected, command
        assert applied.fills == fills, command
        assert in_order(applied.facts) == in_order(facts), command
        return reply

    def pass_time(self, span_ns: int) -> None:
        """Let time pass without a command; what happens by itself must be the same."""
        step_ns, self.engine.step_ns = self.engine.step_ns, span_ns
        facts = self.naive.begin_group(self.engine.venue.stamp_ns + span_ns)
        self.naive.end_group()
        applied = self.engine.apply_records([])
        assert in_order(applied.facts) == in_order(facts + self.naive.facts)
        self.engine.step_ns = step_ns

    def check(self) -> None:
        """Compare all state, and check what must hold whatever happens."""
        self.check_equal()
        check_conserved(self.engine)
        check_keys(self.engine)
        check_groups(self.engine, self.naive)
        for market in self.naive.markets:
            check_book(self.engine, market)

    def check_equal(self) -> None:
        """Compare every balance, position, order and depth."""
        engine = self.engine
        treasury = engine.venue.state.treasury
        assert (treasury.deposits, treasury.fees) == (self.naive.deposits, self.naive.fees)
        pending = sum(amount for _, amount in self.naive.withdrawals.values())
        assert (treasury.withdrawn, treasury.pending) == (self.naive.withdrawn, pending)
        counters = (treasury.orders, treasury.fills, treasury.deposit_cursor)
        naive = self.naive
        assert counters == (naive.orders_made, naive.fills_made, naive.deposit_cursor)
        for number, account in self.naive.accounts.items():
            assert engine.cash(number) == (account.cash_free, account.cash_locked), number
            for market in self.naive.markets:
                position = account.positions.get(market, NaivePosition())
                assert engine.shares(number, market) == astuple(position), (number, market)
        for number, record in self.naive.markets.items():
            assert engine.state_of(number) == record.state, number
            depth = record.book.depth()
            assert engine.depth(number) == depth, number
            assert engine.feed.levels(number) == depth, number
            resting = [order for levels in record.book.levels.values() for order in flat(levels)]
            assert sorted(engine.queue(number)) == sorted(
                (order.order_id, order.leaves) for order in resting
            )


def flat(levels: dict[int, list[Any]]) -> list[Any]:
    """Return the orders of all levels."""
    return [order for level in levels.values() for order in level]


def in_order(facts: list[Fact]) -> list[Fact]:
    """Return facts, sorted where nobody promises an order: mass cancels and payouts."""
    mass = [fact for fact in facts if is_mass(fact)]
    return [fact for fact in facts if not is_mass(fact)] + sorted(mass)


def is_mass(fact: Fact) -> bool:
    """Whether the fact may be a sweep's."""
    return fact.what == "redeemed" or (fact.what == "closed" and fact.detail in MASS_REASONS)


def check_conserved(engine: VenueDriver) -> None:
    """Check invariant 7: all that came and did not leave is somewhere; locks = cost of orders."""
    state: Any = engine.venue.state
    accounts = state.accounts[1:]
    cash = sum(account.cash_free + account.cash_locked for account in accounts)
    held = sum(market.collateral for market in state.markets[1:])
    held += sum(event.collateral for event in state.events[1:])
    assert state.treasury.collateral == held
    treasury = state.treasury
    assert treasury.deposits - treasury.withdrawn == cash + treasury.pending + held + treasury.fees
    for account in accounts:
        assert min(account.cash_free, account.cash_locked) >= 0
        orders = account.orders_by_client.values()
        assert len(orders) == account.order_count
        assert sum(order.is_bid for order in orders) == account.bid_count
        assert account.cash_locked == sum(lock_of(order) for order in orders)
        for position in account.positions.values():
            check_position(position)
    for event in state.events[1:]:
        check_shares(event)


def check_shares(event: Any) -> None:
    """Check that what stands behind an event's shares is what they are worth, whoever wins."""
    owed, left, open_markets = 0, WHOLE, []
    for market in event.markets:
        yes = sum(position.yes_free + position.yes_locked for position in market.positions)
        no = sum(position.no_free + position.no_locked for position in market.positions)
        worth = market.price * yes + (WHOLE - market.price) * no
        settled = market.state in SETTLED
        if event.exclusive:
            assert market.collateral == 0
            owed, left = owed + worth * settled, left - market.price * settled
            open_markets += [] if settled else [(yes, no)]
        else:
            assert market.collateral == (worth if settled else WHOLE * yes)
            assert settled or yes == no
    for yes, no in open_markets:
        all_no = sum(other for _, other in open_markets)
        assert event.collateral == owed + WHOLE * all_no + left * (yes - no)
    assert open_markets or event.collateral == owed


def check_keys(engine: VenueDriver) -> None:
    """Check that each key knows its orders, oldest first, and what they have locked."""
    state: Any = engine.venue.state
    of_key: dict[int, list[Any]] = {key.number: [] for key in state.keys[1:]}
    for account in state.accounts[1:]:
        for order in account.orders_by_client.values():
            of_key[order.key].append(order)
    for key in state.keys[1:]:
        orders, order = [], key.first_order
        while order is not None:
            orders.append(order)
            order = order.newer_of_key
        assert orders == sorted(of_key[key.number], key=lambda one: one.id)
        assert key.exposure == sum(order.cash_locked for order in orders)


def check_groups(engine: VenueDriver, naive: NaiveRisk) -> None:
    """Check that each group has its limit, its fills and its orders, oldest first."""
    state: Any = engine.venue.state
    pages = state.registers.order_groups.table.by_number.values()
    groups = [group for page in pages for group in page.records if group is not None]
    known = {(group.account.number, group.number): group for group in groups}
    assert known.keys() == naive.groups.keys()
    for named, group in known.items():
        expected = naive.groups[named]
        filled = group.fills.total(state.stamp_ns)
        assert (group.limit, group.state) == (expected.limit, 1 + expected.triggered), named
        assert filled == expected.filled(naive.now_ns), named
        assert group.state != 1 or filled < group.limit
        orders, member = [], group.first
        while member is not None:
            orders.append(member.order)
            member = member.newer
        mine = [one for one in naive.accounts[named[0]].orders.values() if one.group == named[1]]
        assert [one.id for one in orders] == sorted(one.order_id for one in mine)
        assert all(one.membership.group is group for one in orders)


def check_position(position: Any) -> None:
    """Check that nothing is negative, locks are what sales hold, and NET pairs are gone."""
    free = (position.yes_free, position.no_free)
    assert min(*free, position.yes_locked, position.no_locked) >= 0
    locked = {2: 0, 4: 0}
    working = {True: 0, False: 0}
    for listed in (position.bids, position.asks):
        order = listed.first
        while order is not None:
            assert position.listed(order) is listed
            working[order.is_bid] += order.leaves
            if order.intent in locked:
                locked[order.intent] += order.leaves
            assert order.newer is None or order.newer.id > order.id
            order = order.newer
    assert (position.yes_locked, position.no_locked) == (locked[2], locked[4])
    assert (position.open_bids, position.open_asks) == (working[True], working[False])
    assert position.account.mode == AccountMode.HOLD or min(free) == 0


def lock_of(order: Any) -> int:
    """Return what a buy order must have locked, worked out from its record alone."""
    if order.intent in (2, 4):
        return 0
    agreed = order.schedule
    rates = (agreed.taker_bps, agreed.maker_bps, agreed.shape, agreed.rebate_bps, agreed.cap)
    schedule = NaiveSchedule(*rates)
    so_far = order.fee_whole * 10**8 + order.fee_rest
    most = so_far + schedule.worst(order.price) * order.leaves
    return int(order.price * order.leaves + schedule.due(most) - schedule.due(so_far))


def check_book(engine: VenueDriver, market: int) -> None:
    """Check invariant 8: never crossed or locked, first in first out, leaves within the order."""
    record: Any = engine.venue.market(market)
    called = (MarketState.AUCTION, MarketState.UNCROSSING)
    assert record.state in called or not record.book.is_crossed
    for side, price in engine.depth(market):
        level = record.book.side(side == Side.BID).level(price)
        order = level.head
        total, last = 0, 0
        while order is not None:
            assert last < order.priority
            assert 0 < order.leaves <= order.lots
            total, last = total + order.leaves, order.priority
            order = order.behind
        assert total == level.lots > 0
