"""Flows of commands for properties.

A small venue, small numbers, and every kind of trouble between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from hypothesis import strategies as st

from node.domain.genesis import Genesis
from node.domain.limits import Limit
from node.domain.terms import AccountMode, Intent, TimeInForce
from tests import account_flows
from tests import commands as c
from tests import order_commands as o
from tests import rule_commands as r
from tests.account_commands import AgentSet
from tests.life_commands import AuctionCall
from tests.life_flows import RESOLVERS, lives, resolutions, winners
from tests.order_flows import grouped_orders, groups, spending_orders
from tests.rule_flows import rules, valid_guards, valid_schedules
from tests.venue_driver import SECOND_NS, genesis
from tests.venue_pair import Sender, VenuePair

ACCOUNTS = 4
MARKETS = 3
MOST_LOTS = 1_000
FOREVER_NS = 1 << 62
PAUSE = c.Raw(b"")
NAMING = (c.Cancel, c.Reduce, o.Amend)
"""Commands that name an order that is there."""


@dataclass(frozen=True)
class Setting:
    """What a flow starts from: limits, funds, and the rules of its markets."""

    exclusive: bool
    tick: int
    fees: tuple[tuple[int, int], ...]
    cash: int
    fills_per_order: int
    cancels_per_command: int
    open_orders: int
    positions: int
    shard: int
    schedule: r.ScheduleCreate | None
    fee_account: int
    guards: r.GuardsSet | None
    challenge_seconds: int
    group_lots: int
    called: int

    def genesis(self) -> Genesis:
        """Return the genesis of this setting."""
        return genesis(
            self.shard,
            fills_per_order=self.fills_per_order,
            cancels_per_command=self.cancels_per_command,
            open_orders_per_account=self.open_orders,
            positions_per_account=self.positions,
            lots_per_order=MOST_LOTS,
            challenge_seconds=self.challenge_seconds,
            order_groups_per_account=3,
        )

    def start(self) -> "Flow":
        """Return the venue before the first command, with accounts 1 and 2 NET, 3 and 4 HOLD."""
        pair = VenuePair(self.genesis())
        modes = (AccountMode.NET, AccountMode.NET, AccountMode.HOLD, AccountMode.HOLD)
        senders = [pair.open_account(mode, self.cash) for mode in modes]
        event = pair.must(c.EventCreate(exclusive=int(self.exclusive))).result
        rules = [c.MarketCreate(event, self.tick, *fees) for fees in self.fees]
        for rule in rules:
            pair.must(rule)
        for market in range(1, MARKETS + 1):
            pair.must((AuctionCall if market <= self.called else c.MarketOpen)(market))
        if self.schedule is not None:
            pair.must(r.ScheduleAssign(1, pair.must(self.schedule).result))
        if self.guards is not None:
            pair.must(self.guards)
        if self.fee_account:
            pair.must(r.FeeAccountName(self.fee_account))
        for account in (3, 4):
            for market in range(1, min(MARKETS, self.positions) + 1):
                pair.say(c.Split(account, market, 15))
        self.make_groups(pair)
        bots = {}
        for account in (1, 3):
            pair.must(AgentSet(account, account_flows.bot_key(account)))
            bots[account] = pair.sender(account_flows.bot_key(account), account)
        for key in RESOLVERS:
            pair.grant_resolver(key)
        return Flow(pair, senders, bots)

    def make_groups(self, pair: VenuePair) -> None:
        """Give all accounts but the last a group of orders, if there are to be any."""
        for account in range(1, ACCOUNTS) if self.group_lots else ():
            pair.must(o.OrderGroupSet(account, 1, self.group_lots))


class Step(NamedTuple):
    """One command of a flow; `back` and `by_client` say how it names an order, if it names one."""

    command: c.Command
    back: int = 0
    by_client: bool = False
    as_operator: bool = False
    as_bot: bool = False


class Flow(NamedTuple):
    """A pair of venues and who speaks to it."""

    pair: VenuePair
    senders: list[Sender]
    bots: dict[int, Sender]

    def command_of(self, step: Step) -> c.Command:
        """Return the step's command with the order that it names filled in."""
        command, naive = step.command, self.pair.naive
        if not isinstance(command, NAMING):
            return command
        live = list(naive.orders.values())[::-1]
        if step.back >= len(live):  # Name one that is gone, or never was.
            gone = naive.first_id + 1 + (step.back * 7) % (naive.orders_made + 1)
            ids = (0, step.back + 1) if step.by_client else (gone, 0)
        else:
            order = live[step.back]
            ids = (0, order.client_order_id) if step.by_client else (order.order_id, 0)
            if command.account == 0:  # The owner's own.
                command = replace(command, account=order.account)
        if command.account == 0:
            command = replace(command, account=1)
        return replace(command, order_id=ids[0], client_order_id=ids[1])

    def sender_of(self, step: Step, command: c.Command) -> Sender:
        """Return who says the command: its account's own session, or the operator."""
        account = getattr(command, "account", 0)
        if step.as_bot and account in self.bots:
            return self.bots[account]
        if account in self.pair.naive.accounts:  # A subaccount's owner speaks for it.
            account = self.pair.naive.accounts[account].owner or account
        if step.as_operator or command.kind >= 32 or not 1 <= account <= len(self.senders):
            return self.pair.operator
        return self.senders[account - 1]

    def run(self, steps: list[Step]) -> Iterator[tuple[c.Command, Sender]]:
        """Say every step to both venues, yielding after each what was said and by whom."""
        for step in steps:
            if step.command is PAUSE:
                continue
            command = self.command_of(step)
            sender = self.sender_of(step, command)
            self.pair.say(command, sender)
            yield command, sender


settings_of_flows = st.builds(
    Setting,
    exclusive=st.booleans(),
    tick=st.sampled_from((1, 1, 100)),
    fees=st.tuples(*[st.tuples(*[st.sampled_from((0, 0, 1, 30, 200, 999, 1_000))] * 2)] * MARKETS),
    cash=st.sampled_from((10**9, 10**9, 2_000_000, 500_000)),
    fills_per_order=st.sampled_from((1_000, 1_000, 4, 2, 1)),
    cancels_per_command=st.sampled_from((256, 2, 1)),
    open_orders=st.sampled_from((100_000, 100_000, 100, 5)),
    positions=st.sampled_from((100, 100, 100, 2)),
    shard=st.sampled_from((0, 1, 32_767)),
    schedule=st.one_of(st.none(), valid_schedules),
    fee_account=st.sampled_from((0, 0, 1, 4)),
    guards=st.one_of(st.none(), st.none(), valid_guards),
    challenge_seconds=st.sampled_from((0, 0, 1, 3)),
    group_lots=st.sampled_from((0, 5, 12, 40)),
    called=st.sampled_from((0, 0, 1, 2)),
)

accounts = st.integers(1, ACCOUNTS)
markets = st.sampled_from((1, 1, 1, 2, 3))
any_account = st.one_of(accounts, accounts, accounts, st.sampled_from((0, -1, 5, 2**31 - 1)))
any_market = st.one_of(markets, markets, markets, st.sampled_from((0, -1, 4, 2**31 - 1)))
prices = st.sampled_from(
    (5_000, 4_900, 5_100, 4_800, 5_200) * 4
    + (4_700, 5_300, 100, 9_900, 1, 9_999, 4_999, 5_001, 3_333)
)
lots = st.one_of(st.integers(1, 12), st.integers(1, MOST_LOTS))
bad_lots = st.sampled_from((0, -1, MOST_LOTS + 1, 2**31, 2**63 - 1, -(2**63)))

good_orders = st.builds(
    c.Place,
    account=accounts,
    market=markets,
    intent=st.sampled_from((1, 3, 2, 4, 1, 3)),
    price=prices,
    lots=st.sampled_from((*range(1, 13), *range(1, 13), 40, 77)),
    client_order_id=st.integers(1, 10**9),
    time_in_force=st.sampled_from((1, 1, 1, 1, 1, 1, 2, 3, 4)),
)
termed_orders = st.builds(
    c.PlaceWithTerms,
    account=accounts,
    market=markets,
    intent=st.sampled_from((1, 3, 2, 4, 1, 3)),
    price=prices,
    lots=st.sampled_from((*range(1, 13), 40)),
    client_order_id=st.integers(1, 10**9),
    time_in_force=st.sampled_from((5, 5, 5, 4, 1, 2, 3)),
    expiry_ns=st.one_of(
        st.sampled_from((0, FOREVER_NS, FOREVER_NS)), st.integers(20, 110).map(SECOND_NS.__mul__)
    ),
    accept_by_ns=st.one_of(st.just(0), st.integers(20, 110).map(SECOND_NS.__mul__)),
    spend=st.sampled_from((0,) * 30 + (1, -1)),
    self_trade=st.sampled_from((0, 1, 1, 2, 2, 3, -1)),
    flags=st.sampled_from((0,) * 20 + (2,) * 10 + (1 << 20,)),
    group=st.sampled_from((0,) * 8 + (1, 2)),
)
bad_orders = st.builds(
    c.Place,
    account=any_account,
    market=any_market,
    intent=st.one_of(st.sampled_from(list(Intent)), st.sampled_from((0, 5, -1, 2**15 - 1))),
    price=st.one_of(prices, st.sampled_from((0, -1, 10_000, 2**31 - 1, -(2**31)))),
    lots=st.one_of(lots, lots, bad_lots),
    client_order_id=st.one_of(st.integers(1, 5), st.sampled_from((0, -1, 2**63 - 1))),
    time_in_force=st.one_of(st.sampled_from(list(TimeInForce)), st.sampled_from((0, 6, -1))),
)
changes = {
    "account": st.sampled_from((0, 0, 0, 0, 1, 5)),
    "market": markets,
    "price": st.one_of(prices, st.sampled_from((0, 0, 0, -1, 10_000))),
    "lots": st.one_of(st.integers(0, 12), st.integers(0, 12), lots, bad_lots),
}
targets = st.tuples(
    st.one_of(
        st.builds(c.Cancel, account=st.sampled_from((0, 0, 0, 1, 5)), market=markets),
        st.builds(
            c.Reduce,
            account=st.sampled_from((0, 0, 0, 1, 5)),
            market=markets,
            lots=st.one_of(st.integers(1, 8), st.integers(1, 8), bad_lots),
        ),
        st.builds(o.Amend, **changes),
        st.builds(o.Amend, **changes),
        st.builds(
            o.Replace,
            **changes,
            new_client_order_id=st.one_of(st.integers(1, 10**9), st.integers(0, 3)),
        ),
    ),
    st.integers(0, 12),
    st.booleans(),
)
legs = st.builds(
    o.Leg,
    market=markets,
    intent=st.sampled_from((1, 1, 2, 3, 3, 4, 5)),
    price=st.integers(3_000, 6_000) | st.sampled_from((0, 4_000, 5_000, 10_000)),
    lots=lots,
    client_order_id=st.integers(10**6, 10**9) | st.integers(0, 12),
    flags=st.sampled_from((0, 0, 0, 1, 2, 4)),
    old_client_order_id=st.sampled_from((0, 0, 0)) | st.integers(1, 12),
)
quotes = st.builds(
    o.Quote,
    account=any_account,
    legs=st.lists(legs, min_size=1, max_size=4).map(tuple),
    claimed=st.sampled_from((None, None, None, None, None, 0, 9)),
)
sets = st.one_of(
    st.builds(c.Split, account=any_account, market=any_market, lots=st.one_of(lots, bad_lots)),
    st.builds(c.Merge, account=any_account, market=any_market, lots=st.one_of(lots, bad_lots)),
    st.builds(c.Merge, account=accounts, market=markets, lots=st.integers(1, 3)),
)
mass = st.one_of(
    st.builds(
        c.CancelAll,
        account=any_account,
        market=st.one_of(st.just(0), any_market),
        event=st.sampled_from((0, 0, 1, 2)),
        side=st.sampled_from((0, 0, 1, 2, 3)),
    ),
    st.builds(c.Redeem, account=any_account, market=any_market),
)
lifecycle = st.one_of(
    st.builds(c.MarketOpen, market=any_market),
    st.builds(c.MarketHalt, market=markets),
    st.builds(c.MarketHalt, market=any_market),
    st.builds(c.MarketOpen, market=markets),
    st.builds(c.MarketClose, market=st.sampled_from((2, 3, 0))),
    st.builds(
        c.MarketResolve,
        market=any_market,
        price=st.sampled_from((0, 0, 10_000, 10_000, 5_000, 3_333, -1, 10_001)),
    ),
    st.builds(c.MarketVoid, market=any_market),
)
administration = st.one_of(
    rules,
    rules,
    st.builds(
        c.Deposit,
        account=any_account,
        amount=st.sampled_from((1, 99_999, 0, -1, 10**15, 10**15 + 1, 2**63 - 1)),
        cursor=st.integers(3, 9),
    ),
    st.builds(
        c.Configure,
        limit=st.sampled_from((Limit.FILLS_PER_ORDER, Limit.LOTS_PER_ORDER, -1, len(Limit))),
        value=st.sampled_from((0, 1, 5, 1_000, 2**63 - 1)),
    ),
    st.builds(
        c.MarketCreate,
        event=st.sampled_from((1, 0, 2)),
        tick=st.sampled_from((1, 0, 3, 10_000, 5_000)),
        taker_fee_bps=st.sampled_from((0, 1_000, 1_001, -1)),
    ),
)
orders = st.builds(Step, good_orders)
named = targets.map(lambda target: Step(*target))


def mixed(weights: list[tuple[int, st.SearchStrategy[Step]]]) -> st.SearchStrategy[Step]:
    """Return steps of the given kinds in proportion to their weights."""
    table = [kind for weight, kind in weights for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(lambda number: table[number])


# A pause says nothing: a flow cannot be short, but most of a failing one shrinks to pauses.
pauses = st.just(Step(PAUSE))
trading_steps = mixed(
    [
        (1, pauses),
        (14, orders),
        (4, named),
        (1, st.builds(Step, quotes)),
        (1, st.builds(Step, sets)),
    ]
)
steps = mixed(
    [
        (1, pauses),
        (26, orders),
        (3, st.builds(Step, termed_orders)),
        (4, st.builds(Step, spending_orders)),
        (4, st.builds(Step, grouped_orders)),
        (3, st.builds(Step, groups, as_operator=st.booleans())),
        (2, st.builds(Step, bad_orders, as_operator=st.booleans())),
        (7, named),
        (2, st.builds(Step, sets)),
        (1, st.builds(Step, quotes)),
        (1, st.builds(Step, mass)),
        (1, st.builds(Step, lifecycle)),
        (1, st.builds(Step, administration)),
        (2, st.builds(Step, account_flows.owners, as_operator=st.booleans())),
        (1, st.builds(Step, account_flows.paces)),
        (2, st.builds(Step, account_flows.risk, as_operator=st.booleans())),
        (4, st.builds(Step, st.one_of(good_orders, account_flows.risk), as_bot=st.just(True))),
        (2, st.builds(Step, lives)),
    ]
)
flows = st.lists(steps, min_size=40, max_size=80)
endings = st.lists(
    st.one_of(
        winners.map(Step),
        resolutions.map(Step),
        resolutions.map(Step),
        st.sampled_from(
            [c.MarketClose(market) for market in range(1, MARKETS + 1) for _ in range(2)]
            + [
                kind(market, price)
                for market in range(1, MARKETS + 1)
                for kind, price in (
                    (c.MarketResolve, 0),
                    (c.MarketResolve, 10_000),
                    (c.MarketVoid, 0),
                )
            ]
        ).map(Step),
    ),
    max_size=14,
)
