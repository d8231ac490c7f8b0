"""Steps of flows that are about orders for money, and groups of orders."""

from hypothesis import strategies as st

from tests import commands as c
from tests import order_commands as o

accounts = st.integers(1, 4)
markets = st.sampled_from((1, 1, 1, 2, 3))
prices = st.sampled_from((5_000, 4_900, 5_100, 4_800, 5_200))

spending_orders = st.builds(
    c.PlaceWithTerms,
    account=accounts,
    market=markets,
    intent=st.sampled_from((1, 3, 1, 3, 1, 3, 2, 4)),
    price=prices,
    lots=st.one_of(st.just(0), st.integers(1, 40)),
    client_order_id=st.integers(1, 10**9),
    time_in_force=st.sampled_from((2, 3, 2, 3, 2, 3, 1)),
    spend=st.one_of(st.integers(0, 60_000), st.sampled_from((0, 0, 1, 10**18, 10**18 + 1))),
    flags=st.sampled_from((0, 0, 1)),
    group=st.sampled_from((0, 0, 1)),
)
grouped_orders = st.builds(
    c.PlaceWithTerms,
    account=accounts,
    market=markets,
    intent=st.sampled_from((1, 3, 2, 4, 1, 3)),
    price=prices,
    lots=st.sampled_from((*range(1, 13), 40)),
    client_order_id=st.integers(1, 10**9),
    time_in_force=st.sampled_from((1, 1, 1, 1, 4, 2, 3, 3)),
    group=st.sampled_from((1,) * 12 + (2, 2, 3, 4, -1)),
)
groups = st.one_of(
    st.builds(
        o.OrderGroupSet,
        account=st.sampled_from((1, 2, 3, 4, 1, 2, 3, 4, 0, 9)),
        group=st.sampled_from((1, 1, 1, 1, 2, 3, 4, 0, -1)),
        lots=st.one_of(st.integers(1, 20), st.sampled_from((0, 100, -1, 10**10, 10**10 + 1))),
    ),
    st.builds(o.OrderGroupReset, account=accounts, group=st.sampled_from((1, 1, 1, 2, 0))),
    st.builds(o.OrderGroupReset, account=st.integers(-1, 5), group=st.integers(1, 3)),
    st.builds(o.OrderGroupTrigger, account=accounts, group=st.sampled_from((1, 1, 2, 0))),
)
