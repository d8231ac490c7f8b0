"""Commands that set what trading is bound to, for the flows of properties."""

from hypothesis import strategies as st

from tests import rule_commands as r
from tests.venue_driver import SECOND_NS

MARKETS = 3

schedules = st.builds(
    r.ScheduleCreate,
    taker_bps=st.sampled_from((0, 1, 30, 333, 1_000, 1_000, 1_001, -1)),
    maker_bps=st.sampled_from((0, 0, 1, 20, 999)),
    shape=st.sampled_from((1, 1, 2, 2, 2, 0)),
    rebate_bps=st.sampled_from((0, 1, 2_500, 3_333, 10_000, 10_001)),
    cap=st.sampled_from((0, 0, 1, 150, 20_000, 10**18, -1, 10**18 + 1)),
)
valid_schedules = st.builds(
    r.ScheduleCreate,
    taker_bps=st.sampled_from((1, 30, 333, 1_000)),
    maker_bps=st.sampled_from((0, 1, 20)),
    shape=st.sampled_from((1, 2)),
    rebate_bps=st.sampled_from((0, 1, 2_500, 3_333, 10_000)),
    cap=st.sampled_from((0, 0, 1, 150, 20_000)),
)
assignments = st.builds(
    r.ScheduleAssign,
    market=st.sampled_from((1, 1, 1, 2, 3, 0)),
    schedule=st.integers(0, 5),
)
fee_accounts = st.builds(r.FeeAccountName, account=st.sampled_from((1, 2, 3, 4, 0, 9)))
grids = st.builds(
    r.GridSet,
    market=st.sampled_from((1, 1, 1, 2, 3, 0)),
    tick=st.sampled_from((1, 1, 1, 100, 100, 50, 0, 3)),
    edge=st.sampled_from((0, 0, 400, 4_900, 5_000, 37, -1)),
    edge_tick=st.sampled_from((0, 0, 10, 1, 50, 100, -1)),
    min_lots=st.sampled_from((0, 0, 0, 2, 5, -1, 10**10 + 1)),
    min_value=st.sampled_from((0, 0, 0, 25_000, -1, 10**18 + 1)),
)
guards = st.builds(
    r.GuardsSet,
    market=st.sampled_from((1, 1, 1, 2, 3, 0)),
    reference=st.sampled_from((0, 0, 5_000, 4_800, 9_999, 10_000, -1)),
    band=st.sampled_from((0, 0, 100, 300, 9_999, 10_000, -1)),
    move=st.sampled_from((0, 100, 150, 300)),
    window_ns=st.sampled_from((8, 8 * SECOND_NS, 30 * SECOND_NS)),
    pause_ns=st.sampled_from((1, SECOND_NS, 5 * SECOND_NS)),
)
bands = st.builds(
    r.GuardsSet,
    market=st.sampled_from((1, 1, 1, 2, 3, 0)),
    reference=st.sampled_from((0, 0, 5_000, 4_800, 9_999, 10_000, -1)),
    band=st.sampled_from((0, 100, 300, 9_999, 10_000, -1)),
    move=st.sampled_from((0, 0, 0, 10_000, -1)),
    window_ns=st.sampled_from((0, 0, 0, 7)),
    pause_ns=st.sampled_from((0, 0, 0, -1)),
)
valid_guards = st.builds(
    r.GuardsSet,
    market=st.just(1),
    reference=st.sampled_from((0, 5_000)),
    band=st.sampled_from((0, 0, 300)),
    move=st.sampled_from((100, 100, 200)),
    window_ns=st.sampled_from((8 * SECOND_NS, 20 * SECOND_NS)),
    pause_ns=st.sampled_from((1, 3 * SECOND_NS)),
)
rules = st.one_of(schedules, assignments, assignments, fee_accounts, grids, grids, guards, bands)
