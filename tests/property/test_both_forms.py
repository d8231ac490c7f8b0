"""The compiled core and its interpreted sources are one machine: same bytes in, same bytes out."""

from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node._pure import build_form, pure
from node.domain.terms import Role
from tests import account_commands, commands, life_commands, rule_commands

OPERATOR_KEY = bytes(range(32))
BROKER_KEY = bytes(range(32, 64))
ACCOUNTS = 8
MARKETS = 4
GROUPS = 60
COMMANDS_PER_GROUP_MAX = 40

# Where 64, 32 and 16 bits end, and one beyond: compiled integers wrap there, Python's do not.
EDGES = (
    0,
    1,
    -1,
    2**15,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    10**10,
    10**18,
    2**62,
    2**63 - 1,
    -(2**63),
)


class Form(NamedTuple):
    """One form of the core."""

    venue: ModuleType
    genesis: ModuleType
    limits: ModuleType
    snapshot: ModuleType

    @classmethod
    def load(cls) -> "Form":
        """Import the core in the form that imports give now."""
        names = (
            "node.engine.venue",
            "node.domain.genesis",
            "node.domain.limits",
            "node.engine.snapshot",
        )
        return cls(*(import_module(name) for name in names))

    def make_genesis(self) -> Any:
        """Return the genesis that both forms start from, with small limits that flows do reach."""
        bounds = list(self.genesis.default_limits())
        bounds[self.limits.SWEEP_ITEMS_PER_GROUP] = 16
        bounds[self.limits.CANCELS_PER_COMMAND] = 4
        bounds[self.limits.FILLS_PER_ORDER] = 8
        bounds[self.limits.OPEN_ORDERS_PER_ACCOUNT] = 50
        bounds[self.limits.CHECKPOINT_BYTES] = 65_536
        return self.genesis.Genesis(bytes(16), 0, OPERATOR_KEY, tuple(bounds))


@pytest.fixture(scope="module")
def forms() -> tuple[Form, Form]:
    """Return the core compiled and pure, or skip where it was not compiled."""
    if build_form() == "pure":
        pytest.skip("the core is not compiled here, there is only one form")
    compiled = Form.load()
    with pure():
        interpreted = Form.load()
    for module in compiled:
        assert str(module.__file__).endswith(tuple(EXTENSION_SUFFIXES)), module
    for module in interpreted:
        assert str(module.__file__).endswith(".py"), module
    return compiled, interpreted


def flow(seed: int) -> Iterator[bytes]:
    """Yield the groups of a venue's first minutes: sensible, nonsensical and damaged commands."""
    random = Random(seed)
    sequence = 0

    def said(command: commands.Command) -> bytes:
        nonlocal sequence
        sequence += 1
        return commands.record(1, command.frame(sequence))

    stamp = 1_700_000_000_000_000_000
    yield commands.group([commands.record(0, commands.SessionOpen(OPERATOR_KEY).frame(0))], stamp)
    yield commands.group([said(command) for command in opening()], stamp + 1)
    for _ in range(GROUPS):
        stamp += random.choice((0, 1, 10**6, 10**9, -5))
        count = random.randrange(COMMANDS_PER_GROUP_MAX)
        records = [said(drawn(random)) for _ in range(count)]
        if random.random() < 0.1:
            records.append(damaged(random, sequence))
        yield commands.group(records, stamp)


def opening() -> Iterator[commands.Command]:
    """Yield what makes accounts, money and open markets."""
    yield commands.KeyGrant(BROKER_KEY, Role.BROKER)
    for number in range(1, ACCOUNTS + 1):
        yield commands.AccountOpen(bytes([number] * 20), bytes([100 + number] * 32), 1 + number % 2)
        yield commands.Deposit(number, 10**10, number)
    yield commands.EventCreate(b"both forms", 1)
    for number in range(1, MARKETS + 1):
        yield commands.MarketCreate(1, (1, 10)[number % 2], 100 * number, 30)
    for number in range(1, MARKETS + 1):
        yield commands.MarketOpen(number)


def drawn(random: Random) -> commands.Command:
    """Return a command: mostly an order near the middle, sometimes anything."""
    account = random.randint(1, ACCOUNTS)
    market = random.randint(1, MARKETS)
    cid = random.randint(1, 400)
    lots = random.choice((1, 7, 100, random.randint(1, 10**6)))
    price = random.choice((5_000, 10 * random.randint(490, 510), random.randint(1, 9_999)))
    kind = random.random()
    if kind < 0.55:
        intent, tif = random.randint(1, 4), random.choice((1, 1, 1, 2, 3, 4))
        return commands.Place(account, market, intent, price, lots, cid, tif)
    if kind < 0.65:
        return commands.Cancel(account, market, 0, cid)
    if kind < 0.75:
        return commands.Reduce(account, market, lots, 0, cid)
    if kind < 0.85:
        return random.choice((commands.Split, commands.Merge))(account, market, lots)
    if kind < 0.95:
        return at_the_edge(random, account, market)
    return rare(random, account, market)


def at_the_edge(random: Random, account: int, market: int) -> commands.Command:
    """Return a command whose numbers are where integers of some width end."""

    def edge(bits: int) -> int:
        half = 1 << (bits - 1)
        return (random.choice(EDGES) + half) % (2 * half) - half

    return random.choice(
        (
            commands.Place(account, market, edge(16), edge(32), edge(64), edge(64), edge(16)),
            commands.Place(account, market, 1, 5_000, edge(64), edge(64)),
            commands.Reduce(account, market, edge(64), edge(64), edge(64)),
            commands.Cancel(edge(32), edge(32), edge(64), edge(64)),
            commands.Split(account, market, edge(64)),
            commands.Merge(account, market, edge(64)),
            commands.Deposit(account, edge(64), edge(64)),
            commands.Configure(edge(32), edge(64)),
            commands.MarketCreate(edge(32), edge(32), edge(32), edge(32)),
            rule_commands.ScheduleCreate(edge(32), edge(32), edge(32), edge(32), edge(64)),
            rule_commands.ScheduleAssign(edge(32), edge(32)),
            rule_commands.FeeAccountName(edge(32)),
            rule_commands.GuardsSet(edge(32), edge(32), edge(32), edge(32), edge(64), edge(64)),
            rule_commands.GridSet(edge(32), edge(32), edge(32), edge(32), edge(64), edge(64)),
            account_commands.SubaccountOpen(edge(32), edge(32)),
            account_commands.Transfer(edge(32), edge(32), edge(64), edge(64)),
            account_commands.WithdrawRequest(account, edge(64)),
            account_commands.WithdrawConfirm(edge(64)),
            account_commands.AgentSet(account, bytes([200]) * 32, edge(64), edge(64), edge(64)),
            account_commands.AgentSet(
                account, bytes([201]) * 32, exposure=edge(64), expiry_ns=edge(64), rate=edge(32)
            ),
            account_commands.Stop(edge(32), edge(32), edge(32), edge(32), edge(64)),
            account_commands.DeadlineSet(account, edge(64)),
            account_commands.OnDisconnect(account, edge(32)),
            account_commands.BoundsSet(
                *(edge(32) for _ in range(5)), *(edge(64) for _ in range(3))
            ),
        )
    )


def rare(random: Random, account: int, market: int) -> commands.Command:
    """Return one of the commands that change much at once."""
    return random.choice(
        (
            commands.CancelAll(account, market),
            commands.CancelAll(account),
            commands.Redeem(account, market),
            account_commands.SubaccountOpen(account),
            account_commands.Transfer(
                account, random.randint(1, 2 * ACCOUNTS), 1_000, random.randint(1, 60)
            ),
            account_commands.WithdrawRequest(account, 1_000),
            account_commands.WithdrawConfirm(random.randint(1, 20)),
            account_commands.AgentSet(
                account, bytes([210 + account]) * 32, random.randrange(10**8)
            ),
            account_commands.AgentRevoke(account, bytes([210 + account]) * 32),
            account_commands.Stop(account, 2, account, 1),
            account_commands.StopLift(account, 2, account, 1),
            account_commands.DeadlineSet(account, random.choice((0, 2**62))),
            account_commands.OnDisconnect(account, 1),
            account_commands.BoundsSet(2, account, 0, 30, 0, 0, 0, random.choice((0, 500_000))),
            account_commands.WithdrawReject(random.randint(1, 20)),
            rule_commands.ScheduleCreate(
                random.choice((0, 77, 1_000)), 3, random.choice((1, 2)), 3_333, 10**6
            ),
            rule_commands.ScheduleAssign(market, random.randint(1, 6)),
            rule_commands.FeeAccountName(account),
            rule_commands.GuardsSet(market, 0, 0, 40, 10**9, random.choice((10**6, 10**9))),
            rule_commands.GuardsSet(market, 5_000, random.choice((0, 4_000))),
            rule_commands.GridSet(market, random.choice((1, 10)), 0, 0, random.choice((0, 2))),
            rule_commands.GridSet(market, 10, random.choice((100, 4_980)), random.choice((1, 5))),
            commands.MarketHalt(market),
            life_commands.AuctionCall(market, random.choice((0, 0, -1, 2**62))),
            commands.MarketOpen(market),
            commands.MarketClose(market) if random.random() < 0.2 else commands.MarketOpen(market),
            commands.MarketResolve(market, random.randint(0, 10_000)),
            commands.MarketVoid(market) if random.random() < 0.2 else commands.Checkpoint(),
            commands.Checkpoint(),
        )
    )


def damaged(random: Random, sequence: int) -> bytes:
    """Return a record that is out of turn, cut short or not a command at all."""
    whole = commands.record(
        1, commands.Split(1, 1, 1).frame(random.choice((sequence, 0, -1, 2**62)))
    )
    return random.choice((whole, whole[: random.randrange(len(whole))], random.randbytes(24)))


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32))
def test_both_forms_say_and_keep_the_same(forms: tuple[Form, Form], seed: int) -> None:
    """For every group: equal replies, events and chain digests; at checkpoints, equal states."""
    compiled, interpreted = forms
    venues = [form.venue.Venue(form.make_genesis()) for form in forms]
    pages: list[dict[bytes, bytes]] = [{}, {}]
    for index, group in enumerate(flow(seed), start=1):
        said = []
        for venue, stored in zip(venues, pages, strict=True):
            venue.apply(index, group)
            said.append((venue.replies, venue.events, venue.digest, venue.checkpoint_due))
            if venue.checkpoint_due:
                said[-1] += checkpointed(venue, stored)
        assert said[0] == said[1], f"group {index}"
    assert pages[0] == pages[1]
    if pages[0]:
        restored = sorted(pages[0].items())
        assert compiled.snapshot.digests(restored) == interpreted.snapshot.digests(restored)


def checkpointed(venue: Any, stored: dict[bytes, bytes]) -> tuple[Any, ...]:
    """Take a checkpoint into `stored`; return what identifies it."""
    checkpoint = venue.freeze()
    while not checkpoint.step(3):
        pass
    for key, value in checkpoint.changes:
        if value:
            stored[key] = value
        else:
            stored.pop(key, None)
    return (checkpoint.state_digest, checkpoint.ledger_digest, checkpoint.page_count)
