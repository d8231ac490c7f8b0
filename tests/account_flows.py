"""Steps of flows that are about accounts and their money."""

from hypothesis import strategies as st

from node.domain.limits import Limit
from tests import account_commands as a
from tests import commands as c

accounts = st.sampled_from((1, 2, 3, 4, 5, 6, 7, 0, -1, 2**31 - 1))
amounts = st.sampled_from((1, 5_000, 100_000, 400_000, 10**9, 0, -1, 2**63 - 1, -(2**63)))
numbers = st.one_of(st.integers(1, 60), st.sampled_from((0, -1, 2**62)))

owners = st.one_of(
    st.builds(a.SubaccountOpen, account=accounts, mode=st.sampled_from((1, 1, 2, 2, 0, 3, -1))),
    st.builds(
        a.Transfer,
        account=st.sampled_from((1, 2, 5, 6)),
        to=st.sampled_from((1, 2, 5, 6)),
        amount=amounts,
        number=numbers,
    ),
    st.builds(a.Transfer, account=accounts, to=accounts, amount=amounts, number=numbers),
    st.builds(a.WithdrawRequest, account=accounts, amount=amounts),
    st.builds(a.WithdrawConfirm, withdrawal=st.integers(-1, 6)),
    st.builds(a.WithdrawReject, withdrawal=st.integers(-1, 6)),
)

FAR_NS = 1 << 62
agent_accounts = st.sampled_from((1, 1, 1, 3, 3, 2, 0))


def bot_key(account: int) -> bytes:
    """Return the public key of the account's agent."""
    return b"agent" + account.to_bytes(27, "big")


budgets = st.builds(
    a.AgentSet,
    account=agent_accounts,
    public_key=st.sampled_from((bot_key(1), bot_key(1), bot_key(3), bot_key(2), bytes(32))),
    order_value=st.sampled_from((10**18, 60_000, 30_000, 0, -1)),
    spend=st.sampled_from((10**18, 200_000, 100_000, 0)),
    window_ns=st.sampled_from((3_600 * 10**9, 15 * 10**9, 10**9, 10**9 - 1)),
    exposure=st.sampled_from((10**18, 80_000, 40_000, 0)),
    expiry_ns=st.sampled_from((FAR_NS,) * 8 + (60 * 10**9, 0)),
    rate=st.sampled_from((10**6, 10**6, 1, 0)),
    times_in_force=st.sampled_from((0b111110, 0b111110, 0b010010, 0)),
    allowed=st.sampled_from(((), (), (1,), (1, 2), (0, 1 << 30 | 1), (-1,))),
)
what_to_stop = {
    "account": st.sampled_from((1, 2, 3)),
    "scope": st.sampled_from((1, 2, 3, 4, 0)),
    "subject": st.sampled_from((0, 1, 2, 3, 6, 7, 99)),
    "reason": st.sampled_from((1, 2, 5, 0, 6)),
    "reference": st.just(7),
}
lifts = st.builds(a.StopLift, **what_to_stop)
stops = st.one_of(st.builds(a.Stop, **what_to_stop), lifts, lifts)
bounds = st.builds(
    a.BoundsSet,
    scope=st.sampled_from((2, 2, 3, 1)),
    subject=st.sampled_from((1, 2, 3, 4, 9)),
    reduce_only=st.sampled_from((0, 0, 0, 1, 2)),
    open_orders=st.sampled_from((0, 0, 3, -1)),
    positions=st.sampled_from((0, 0, 1)),
    order_lots=st.sampled_from((0, 0, 8)),
    order_value=st.sampled_from((0, 0, 30_000)),
    position_lots=st.sampled_from((0, 0, 15, 2**63 - 1)),
)
presence = st.one_of(
    st.builds(
        a.DeadlineSet,
        account=st.sampled_from((1, 2, 3, 0)),
        deadline_ns=st.one_of(st.just(0), st.integers(20, 110).map((10**9).__mul__)),
    ),
    st.builds(a.OnDisconnect, account=st.sampled_from((1, 2, 3)), scope=st.integers(0, 3)),
)
revocations = st.builds(
    a.AgentRevoke,
    account=agent_accounts,
    public_key=st.sampled_from((bot_key(1), bot_key(3), bytes(32))),
)
risk = st.one_of(budgets, budgets, stops, bounds, bounds, presence, revocations)
paces = st.builds(
    c.Configure,
    limit=st.sampled_from((Limit.RATE_REFILL, Limit.RATE_BURST, Limit.RATE_COST_CANCEL)),
    value=st.sampled_from((0, 1, 5, 10, 30, 1_000)),
)
