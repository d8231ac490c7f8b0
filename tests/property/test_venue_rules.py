"""The engine against the naive venue, command by command, and what holds after each."""

from hypothesis import given, settings
from hypothesis import strategies as st

from node.domain.limits import Limit
from node.domain.terms import ResolutionStage
from tests import commands as c
from tests import life_commands as life
from tests.dense_flows import dense_steps
from tests.naive_records import SETTLED
from tests.venue_flows import Setting, Step, endings, flows, settings_of_flows
from tests.venue_pair import VenuePair

# At least two hundred flows, whatever the profile says.
AT_LEAST = max(200, settings().max_examples)


@settings(max_examples=AT_LEAST)
@given(setting=settings_of_flows, steps=flows, ending=endings)
def test_the_engine_agrees_with_the_naive_venue_on_every_command(
    setting: Setting, steps: list[Step], ending: list[Step]
) -> None:
    """Replies, fills, executions, leaves, balances and depth are equal; money is conserved."""
    flow = setting.start()
    for _ in flow.run(steps + ending):
        flow.pair.check()


@settings(max_examples=AT_LEAST)
@given(setting=settings_of_flows, seed=st.integers(0, 2**32), count=st.integers(100, 200))
def test_the_engine_agrees_with_the_naive_venue_in_a_busy_market(
    setting: Setting, seed: int, count: int
) -> None:
    """The same for longer flows that match, mint, merge and meet themselves all the time."""
    flow = setting.start()
    for _ in flow.run(dense_steps(seed, count)):
        pass
    flow.pair.check()


@settings(max_examples=AT_LEAST)
@given(setting=settings_of_flows, steps=flows, data=st.data())
def test_a_settled_venue_holds_nothing_but_cash_and_fees(
    setting: Setting, steps: list[Step], data: st.DataObject
) -> None:
    """However a flow went, once every market is settled all collateral is cash again."""
    flow = setting.start()
    for _ in flow.run(steps):
        pass
    pair = flow.pair
    end_windows(pair)
    for number in pair.naive.markets:
        if pair.naive.markets[number].is_before_close:
            pair.must(c.MarketClose(number))
    for number in data.draw(st.permutations(list(pair.naive.markets))):
        settle(pair, number)
    pair.check()
    assert pair.engine.venue.state.treasury.collateral == 0
    assert not pair.engine.venue.work_pending


def end_windows(pair: VenuePair) -> None:
    """Let what is proposed become final, and operators resolve at once from now on."""
    pair.must(c.Configure(Limit.CHALLENGE_SECONDS, 0))
    for _ in range(4):
        pair.say(c.MarketOpen(0))


def settle(pair: VenuePair, number: int) -> None:
    """Bring a market to its end, whatever state it is in.

    The first of an exclusive event takes what is left.
    """
    market = pair.naive.markets[number]
    if market.state in SETTLED:
        return
    known = pair.naive.resolutions.get(number)
    disputed = known is not None and known.stage == ResolutionStage.DISPUTED
    if market.event.exclusive:
        spent = sum(other.price for other in market.event.markets if other.state in SETTLED)
        kind = life.Decide if disputed else c.MarketResolve
        pair.must(kind(number, 10_000 - spent))
    else:
        pair.must(c.MarketVoid(number))
