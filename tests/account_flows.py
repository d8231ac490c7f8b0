"""Steps of flows that are about accounts and their money."""

from hypothesis import strategies as st

from tests import account_commands as a

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
