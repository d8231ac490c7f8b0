"""What is kept of accounts and keys survives a snapshot, and a snapshot without it is refused."""

import pytest
from blake3 import blake3

from node.domain.codes import Code
from node.domain.terms import Intent, Scope
from node.engine.snapshot import restore
from node.engine.snapshot_error import SnapshotError
from tests import account_commands as a
from tests import commands as c
from tests.venue_driver import VenueDriver, address_of, genesis, key_of

BOT = b"bot".ljust(32, b".")
KINDS = {20: "KINSHIP", 21: "CONDUCT", 22: "WITHDRAWAL", 23: "AGENT", 24: "BOUNDS", 25: "STOP"}


def busy_driver() -> tuple[VenueDriver, int]:
    """Return a venue that has a record of every kind, and the session of account 1's agent."""
    driver = VenueDriver(genesis(sweep_items_per_group=16, rate_refill=1_000))
    for number in (1, 2):
        driver.must(c.AccountOpen(address_of(number), key_of(number)))
        driver.must(c.Deposit(number, 10**9, number))
    driver.must(c.EventCreate())
    for market in (1, 2):
        driver.must(c.MarketCreate(1))
        driver.must(c.MarketOpen(market))
    driver.must(a.SubaccountOpen(1))
    driver.must(a.Transfer(1, 3, 1_000, 5))
    driver.must(a.WithdrawRequest(2, 500))
    driver.must(a.AgentSet(1, BOT, spend=400_000, window_ns=3_600 * 10**9, allowed=(1,)))
    bot = driver.open_session(BOT)
    driver.must(c.Place(1, 1, Intent.BUY_YES, 4_000, 10, 1), bot)
    driver.must(c.Place(2, 1, Intent.BUY_NO, 6_000, 10, 1))
    driver.must(c.Place(1, 1, Intent.BUY_YES, 3_000, 10, 2), bot)
    driver.must(a.OnDisconnect(1, Scope.KEY), bot)
    driver.must(a.DeadlineSet(2, 10**15))
    driver.must(a.BoundsSet(Scope.ACCOUNT, 1, position_lots=50))
    driver.must(a.BoundsSet(Scope.MARKET, 2, order_lots=5))
    orders = [c.Place(2, 1, Intent.BUY_YES, 1_000, 1, 100 + n) for n in range(20)]
    driver.say_all(orders)
    driver.say_all([a.Stop(2, Scope.ACCOUNT, 2, 2, 77), a.Stop(2, Scope.KEY, 3, 2)])
    return driver, bot


def test_a_restored_venue_goes_on_as_the_other_does() -> None:
    """Budgets, exposures, bounds, stops that sweep, pace and deadlines: the same digests."""
    driver, bot = busy_driver()
    twin = driver.restored()
    later = [
        (c.Place(1, 1, Intent.BUY_YES, 3_000, 100, 3), bot),
        (c.Place(1, 1, Intent.BUY_YES, 3_000, 20, 4), bot),
        (c.Place(1, 2, Intent.BUY_YES, 3_000, 1, 5), bot),
        (a.Transfer(1, 3, 1_000, 5), None),
        (a.StopLift(2, Scope.ACCOUNT, 2), None),
        (a.WithdrawConfirm(1), None),
        (a.Stop(1, Scope.KEY, 4, 1), None),
        (c.Place(1, 2, Intent.BUY_YES, 3_000, 6, 6), None),
    ]
    codes = []
    for command, session in later:
        one, other = driver.say(command, session)[0], twin.say(command, session)[0]
        assert one == other
        codes.append(one.code)
    assert Code.POSITION_LIMIT_EXCEEDED in codes
    assert Code.AGENT_MARKET_NOT_ALLOWED in codes
    assert Code.TRANSFER_ALREADY_DONE in codes
    assert Code.ORDER_TOO_LARGE in codes
    assert driver.checkpoint().state_digest == twin.checkpoint().state_digest
    assert driver.venue.digest == twin.venue.digest
    assert len(driver.venue.state.watched_sessions) == len(twin.venue.state.watched_sessions) == 1


@pytest.mark.parametrize("kind", [5, 8, 4])
def test_a_snapshot_whose_subjects_are_missing_is_refused(kind: int) -> None:
    """Records of accounts, keys and markets that are not there."""
    driver, _ = busy_driver()
    pages = driver.checkpoint().values
    for record in KINDS:
        kept = {
            key: value
            for key, value in pages.items()
            if int.from_bytes(key[:2], "big") in {1, 2, 3, record} - {kind}
        }
        if (kind, record) in {(5, 21), (8, 20)}:
            continue
        with pytest.raises(SnapshotError):
            restore(driver.genesis, kept.items())


def test_every_kind_of_record_is_there() -> None:
    """The venue of these tests has them all."""
    driver, _ = busy_driver()
    kinds = {int.from_bytes(key[:2], "big") for key in driver.checkpoint().values}
    assert kinds >= KINDS.keys()


def test_an_address_that_is_taken_is_no_subaccount_s() -> None:
    """Whoever has opened an account under that address before keeps it."""
    driver = VenueDriver()
    driver.must(c.AccountOpen(address_of(1), key_of(1)))
    seed = b"quorumbook subaccount" + address_of(1) + (1).to_bytes(8, "little")
    driver.must(c.AccountOpen(blake3(seed).digest()[:20], key_of(2)))
    assert driver.say(a.SubaccountOpen(1))[0].code == Code.ACCOUNT_EXISTS


def test_the_client_of_no_session_is_not_gone() -> None:
    """The leader's record about a session that was evicted meanwhile changes nothing."""
    driver = VenueDriver()
    applied = driver.apply_records([c.record(0, a.SessionGone(99, 1).frame(0))])
    assert applied.replies[0].code == Code.UNKNOWN_SESSION
    short = a.SessionGone(1, 1).frame(0)[:-8]
    short = (24).to_bytes(4, "little") + short[4:]
    assert driver.apply_records([c.record(0, short)]).replies[0].code == Code.MALFORMED


def test_a_stop_of_no_market_is_refused() -> None:
    """A snapshot says that a market is stopped, and has no such market."""
    driver = VenueDriver()
    driver.must(c.EventCreate())
    driver.must(c.MarketCreate(1))
    driver.must(a.Stop(0, Scope.MARKET, 1))
    pages = driver.checkpoint().values
    kept = {
        key: value
        for key, value in pages.items()
        if int.from_bytes(key[:2], "big") in {1, 2, 3, 25}
    }
    with pytest.raises(SnapshotError):
        restore(driver.genesis, kept.items())


@pytest.mark.parametrize("scope", [0, Scope.KEY, Scope.ACCOUNT])
def test_an_evicted_session_gives_up_what_its_client_s_going_would(scope: int) -> None:
    """It makes room for another one: nobody is left who would hear that its client is gone."""
    driver = VenueDriver(genesis(sessions_per_key=1))
    driver.must(c.AccountOpen(address_of(1), key_of(1)))
    driver.must(c.Deposit(1, 10**9, 1))
    driver.must(c.EventCreate())
    driver.must(c.MarketCreate(1))
    driver.must(c.MarketOpen(1))
    session = driver.open_session(key_of(1))
    driver.must(a.OnDisconnect(1, scope), session)
    driver.must(c.Place(1, 1, Intent.BUY_YES, 4_000, 10, 1), session)
    driver.must(c.Place(1, 1, Intent.BUY_YES, 3_000, 10, 2))
    driver.open_session(key_of(1))

    left = {0: 2, Scope.KEY: 1, Scope.ACCOUNT: 0}[scope]
    assert len(driver.queue(1)) == left
    assert driver.restored().venue.digest == driver.venue.digest
