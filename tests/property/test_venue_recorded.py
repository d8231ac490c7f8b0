"""The engine and the naive venue on recorded flow: every reply, fill, execution and balance."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from node.domain.codes import Code
from node.domain.terms import AccountMode
from tests import commands as c
from tests.naive_records import Fact, Fill
from tests.recorded_flow import ACCOUNTS, CASH, commands_of, market_count, recorded_files
from tests.venue_driver import address_of, key_of
from tests.venue_pair import VenuePair, check_book, check_conserved

GROUP = 500

FILES = recorded_files()
NO_FILES = pytest.param(
    None, id="none", marks=pytest.mark.skip("no recorded flow: set QUORUMBOOK_FLOW_DIR")
)
RECORDED = [pytest.param(path, id=path.name) for path in FILES] or [NO_FILES]


def prepared(markets: int, exclusive: int) -> VenuePair:
    """Return a pair with funded accounts and the markets of one event, open."""
    pair = VenuePair()
    for number in range(1, ACCOUNTS + 1):
        pair.must(c.AccountOpen(address_of(number), key_of(number), AccountMode.NET))
        pair.must(c.Deposit(number, CASH, number))
    pair.must(c.EventCreate(exclusive=exclusive))
    for _ in range(markets):
        pair.must(c.MarketCreate(1))
    for market in range(1, markets + 1):
        pair.must(c.MarketOpen(market))
    return pair


@pytest.mark.parametrize("path", RECORDED)
def test_the_engine_agrees_with_the_naive_venue_on_recorded_flow(path: Path) -> None:
    """Every command of the file comes to the same, and only what the flow explains is rejected."""
    pair = prepared(market_count(path), exclusive=1)
    engine, naive = pair.engine, pair.naive
    commands = commands_of(path)
    codes: Counter[tuple[str, Code]] = Counter()
    while group := list(islice(commands, GROUP)):
        applied = engine.say_all(group)
        facts: list[Fact] = []
        fills: list[Fill] = []
        for command, reply in zip(group, applied.replies, strict=True):
            expected = naive.apply(command)
            assert (reply.code, reply.result, reply.filled) == expected, command
            codes[type(command).__name__, reply.code] += 1
            facts += naive.facts
            fills += naive.fills
        assert applied.facts == facts
        assert applied.fills == fills
        check_conserved(engine)
        for market in naive.markets:
            check_book(engine, market)
    pair.check()
    # An order that is gone when its reduction comes was filled: only that the flow explains.
    explained = {("Place", Code.OK), ("Reduce", Code.OK), ("Reduce", Code.UNKNOWN_ORDER)}
    assert set(codes) <= explained, codes


@pytest.mark.parametrize("path", RECORDED)
def test_a_recorded_event_settles_to_the_last_unit(path: Path) -> None:
    """Closing the markets and letting the first one win turns all collateral into cash again."""
    pair = prepared(market_count(path), exclusive=1)
    for command in islice(commands_of(path), 3_000):
        pair.engine.must(command) if isinstance(command, c.Place) else pair.engine.say(command)
    driver = pair.engine
    driver.must(c.Configure(0, 16))
    for market in pair.naive.markets:
        driver.must(c.MarketClose(market))
    while driver.venue.work_pending:
        driver.apply_records([])
    for market in pair.naive.markets:
        assert driver.depth(market) == {}
        driver.must(c.MarketResolve(market, 10_000 if market == 1 else 0))
        check_conserved(driver)
    while driver.venue.work_pending:
        driver.apply_records([])
        check_conserved(driver)
    assert driver.venue.state.treasury.collateral == 0
    assert sum(driver.cash(number)[0] for number in pair.naive.accounts) == CASH * ACCOUNTS
