"""Commands about the lives of markets and events, for flows."""

from hypothesis import strategies as st

from node.domain.terms import PauseLevel, PauseScope
from tests import life_commands as life
from tests.venue_driver import SECOND_NS

FOREVER_NS = 1 << 62
times = st.one_of(st.just(0), st.integers(18, 110).map(SECOND_NS.__mul__))

timings = st.builds(
    life.MarketTimes,
    market=st.sampled_from((2, 3, 3, 0, 5)),
    opens_at_ns=st.one_of(st.just(0), times),
    closes_at_ns=st.one_of(st.just(0), times, st.just(FOREVER_NS)),
)
calls = st.builds(
    life.AuctionCall,
    market=st.sampled_from((1, 2, 3, 3, 0, 5)),
    begins_at_ns=st.one_of(st.just(0), st.just(0), st.just(-1), times),
)
pauses = st.builds(
    life.Pause,
    scope=st.sampled_from((1, 2, 3, 3, 3, 4, 4, 4, 0, 5)),
    subject=st.sampled_from((1, 1, 2, 3, 0, 0, 9)),
    level=st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4)),
)
relief = st.sampled_from(
    [life.Pause(PauseScope.VENUE), life.Pause(PauseScope.EVENT, 1)]
    + [life.Pause(PauseScope.MARKET, number) for number in (1, 2, 3)]
    + [life.Pause(PauseScope.ACCOUNT, number, PauseLevel.NONE) for number in (1, 2, 3, 4)]
)
conversions = st.builds(
    life.Convert,
    account=st.sampled_from((1, 2, 3, 3, 4, 4, 0, 9)),
    event=st.sampled_from((1,) * 12 + (0, 2)),
    lots=st.sampled_from((1, 1, 2, 3, 5, 8, 0, -1, 1_001)),
    ordinals=st.sampled_from(
        ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), (0, 1), (), (3,), (0, 1_023))
    ),
)
unions = st.builds(
    life.MergeOutcomes,
    account=st.sampled_from((1, 2, 3, 3, 4, 4, 9)),
    event=st.sampled_from((1,) * 8 + (0, 2)),
    lots=st.sampled_from((1, 2, 3, 0, 1_001)),
)
winners = st.builds(
    life.EventResolve, event=st.sampled_from((1, 1, 1, 0)), winner=st.sampled_from((1, 2, 3, 4))
)
names = st.builds(
    life.OutcomeName, market=st.sampled_from((1, 4, 5)), name=st.sampled_from((b"", b"a name"))
)
RESOLVERS = tuple(b"resolver".ljust(31, b".") + bytes([number]) for number in range(3))
outcomes_of_markets = st.sampled_from((0, 0, 10_000, 10_000, 5_000, -1, 10_001))
evidences = st.sampled_from((bytes(32), bytes(32), b"photo".ljust(32, b".")))
proposals = st.builds(
    life.Propose,
    market=st.sampled_from((1, 2, 3, 9)),
    price=outcomes_of_markets,
    evidence=evidences,
)
decisions = st.builds(life.Decide, market=st.sampled_from((1, 2, 3, 9)), price=outcomes_of_markets)
disputes = st.builds(life.Dispute, market=st.sampled_from((1, 2, 3, 9)))
attestations = st.builds(
    life.Attest,
    market=st.sampled_from((1, 2, 3, 9)),
    price=outcomes_of_markets,
    public_key=st.sampled_from((*RESOLVERS, *RESOLVERS, bytes(32))),
    turn=st.sampled_from((0, 0, 0, 1, 1, 2)),
    evidence=evidences,
)
resolutions = st.one_of(proposals, attestations, attestations, disputes, decisions)
lives = st.one_of(timings, calls, pauses, relief, conversions, conversions, unions, names)
