"""An audit counts what is to be withdrawn and what has left."""

import pytest

from node.audit.canonical import CanonicalState, WithdrawalRecord, read_state
from node.audit.conservation import check_conservation
from tests import account_commands as a
from tests import commands as c
from tests.venue_driver import VenueDriver, address_of, key_of


@pytest.fixture
def state() -> CanonicalState:
    """Return a venue with one withdrawal that waits, one that was paid, and one rejected."""
    driver = VenueDriver()
    driver.must(c.AccountOpen(address_of(1), key_of(1)))
    driver.must(c.Deposit(1, 100, 1))
    for amount in (10, 20, 30):
        driver.must(a.WithdrawRequest(1, amount))
    driver.must(a.WithdrawConfirm(2))
    driver.must(a.WithdrawReject(3))
    return read_state(driver.checkpoint().values.items())


def test_what_waits_and_what_has_left_is_counted(state: CanonicalState) -> None:
    """Nothing is wrong, and the totals say where the money is."""
    totals, findings = check_conservation(state)
    assert findings == []
    assert (totals.deposits, totals.withdrawn, totals.pending, totals.cash_free) == (
        100,
        20,
        10,
        70,
    )


@pytest.mark.parametrize("field", ["withdrawn", "pending"])
def test_a_wrong_sum_is_found(state: CanonicalState, field: str) -> None:
    """One micro-USDC more in the treasury's own sums is seen."""
    treasury = state.treasury._replace(**{field: getattr(state.treasury, field) + 1})
    assert check_conservation(state._replace(treasury=treasury)).findings


@pytest.mark.parametrize(
    ("request_", "finding"),
    [
        (WithdrawalRecord(3, 1, 1), "deposits are"),
        (WithdrawalRecord(3, 9, 1), "of account 9"),
        (WithdrawalRecord(3, 1, 0), "is 0 of account 1"),
        (WithdrawalRecord(4, 1, 1), "is none of 3"),
    ],
)
def test_a_request_that_cannot_be_is_found(
    state: CanonicalState, request_: WithdrawalRecord, finding: str
) -> None:
    """Of an account that is not there, of nothing, or never asked for."""
    withdrawals = [*state.withdrawals, request_]
    findings = check_conservation(state._replace(withdrawals=withdrawals)).findings
    assert any(finding in found for found in findings), findings
