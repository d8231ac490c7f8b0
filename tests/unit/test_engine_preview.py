"""Previews of single orders, to the byte."""

import struct

import pytest

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import SCOPE_ACCOUNT, AccountMode, Intent, MatchKind, TimeInForce
from tests import account_commands as a
from tests import commands as c
from tests import rule_commands as r
from tests.venue_driver import VenueDriver, key_of
from tests.venue_pair import VenuePair


def prepared() -> VenueDriver:
    """Return a venue with an open market and two accounts."""
    pair = VenuePair()
    pair.open_account(AccountMode.NET, 10**9)
    pair.open_account(AccountMode.NET, 10**9)
    pair.must(c.EventCreate())
    pair.open_market(1)
    return pair.engine


def order(account: int, market: int, intent: int, price: int, lots: int) -> bytes:
    """Return the frame of an order."""
    return c.PlaceWithTerms(account, market, intent, price, lots, 999).frame(1)


def test_an_order_of_nobody_or_nowhere_has_a_code_and_nothing_else() -> None:
    """As if it had been placed."""
    venue = prepared().venue
    for account, market, code in ((9, 1, Code.UNKNOWN_ACCOUNT), (1, 9, Code.UNKNOWN_MARKET)):
        seen = venue.preview(order(account, market, Intent.BUY_YES, 5_000, 1), 0, 1)
        assert (seen.code, seen.filled, seen.rested, seen.fills()) == (code, 0, 0, b"")


def test_an_order_of_a_stopped_account_is_refused_first() -> None:
    """Whatever its market: as the order itself would be."""
    driver = prepared()
    driver.must(a.Stop(1, SCOPE_ACCOUNT, 1))
    for market in (1, 9):
        one = c.PlaceWithTerms(1, market, Intent.BUY_YES, 5_000, 1, 999)
        seen = driver.venue.preview(one.frame(1), 0, 1)
        assert seen.code == driver.say(one)[0].code == Code.ACCOUNT_STOPPED


def test_the_record_adds_up_neighbours_of_one_price_and_kind() -> None:
    """Two makers at a price are one entry, a transfer beside a mint is another."""
    driver = prepared()
    driver.must(c.buy_yes(1, 1, 4_000, 10, 1))
    driver.must(c.buy_no(2, 1, 6_000, 10, 2))  # Now 1 has YES, and 2 has NO.
    driver.must(c.sell_yes(1, 1, 4_500, 4, 3))
    driver.must(c.sell_yes(1, 1, 4_500, 3, 4))
    driver.must(c.buy_no(1, 1, 5_500, 5, 5))
    record = driver.venue.preview(order(2, 1, Intent.BUY_YES, 4_600, 14), 0, 1).record(77)
    cash = driver.cash(2)[0] - 12 * 4_500 - 2 * 4_600 + 10 * 10_000  # Ten pairs with its NO.
    head = (Code.OK, 2, 77, 12, 2, 12 * 4_500, 0, cash)
    assert struct.unpack_from("<iiqqqqqq", record) == head
    fills = [(4_500, MatchKind.TRANSFER, 7), (4_500, MatchKind.MINT, 5)]
    assert list(struct.iter_unpack("<iiq", record[56:])) == fills


def test_an_own_order_that_has_expired_gives_back_what_it_had_locked() -> None:
    """An order that comes first meets it, and closes it: so does its preview."""
    driver = prepared()
    expiry_ns = driver.venue.stamp_ns + 9 * driver.step_ns
    terms = (1, 1, Intent.BUY_NO, 5_000, 10)
    mine = [c.PlaceWithTerms(*terms, name, TimeInForce.GTD, expiry_ns) for name in range(1, 3)]
    driver.step_ns = 0
    for one in mine:
        driver.must(one)
    driver.venue.state.stamp_ns = expiry_ns  # As if a group had had no budget left for them.
    seen = driver.venue.preview(order(1, 1, Intent.BUY_YES, 5_000, 1), 0, 1)
    assert (seen.code, seen.filled, seen.rested) == (Code.OK, 0, 1)
    assert seen.cash_free == 10**9 - 5_000


def test_a_preview_is_refused_as_its_sender_s_order_would_be() -> None:
    """A revoked key, an agent past its time or its rate, an account past its pace."""
    driver = prepared()
    bot = b"bot of account 1".ljust(32, b".")
    frame = order(1, 1, Intent.BUY_YES, 5_000, 1)
    driver.must(a.AgentSet(1, bot, expiry_ns=driver.venue.stamp_ns + 60 * driver.step_ns, rate=1))
    session = driver.open_session(bot)
    number = driver.venue.session(session)
    assert number is not None
    key = number.key_number
    assert driver.venue.preview(frame, 0, key).code == Code.OK
    driver.step_ns = 0
    driver.must(c.buy_yes(1, 1, 5_000, 1, 5), session)
    assert driver.venue.preview(frame, 0, key).code == Code.AGENT_RATE_EXCEEDED
    driver.step_ns = 60 * 10**9
    driver.apply_records([])
    assert driver.venue.preview(frame, 0, key).code == Code.AGENT_EXPIRED
    driver.must(c.KeyRevoke(bot))
    assert driver.venue.preview(frame, 0, key).code == Code.KEY_REVOKED


def test_a_preview_keeps_the_pace_of_its_account() -> None:
    """An account whose bucket is empty is told so, and asking takes nothing; no operator is."""
    driver = prepared()
    driver.must(c.Configure(Limit.RATE_REFILL, 1))
    driver.must(c.Configure(Limit.RATE_BURST, 1))
    frame = order(1, 1, Intent.BUY_YES, 5_000, 1)
    session = driver.open_session(key_of(1))
    opened = driver.venue.session(session)
    assert opened is not None
    key = opened.key_number
    for _ in range(3):
        assert driver.venue.preview(frame, 0, key).code == Code.OK
    driver.step_ns = 0
    driver.must(c.buy_yes(1, 1, 5_000, 1, 5), session)
    assert driver.venue.preview(frame, 0, key).code == Code.RATE_EXCEEDED
    assert driver.venue.preview(frame, 0, 1).code == Code.OK


@pytest.mark.parametrize("guarded", [False, True])
def test_a_preview_ends_where_matching_would(guarded: bool) -> None:
    """At the limit of fills, and before a fill that would pause the market."""
    driver = prepared()
    if guarded:
        driver.must(r.GuardsSet(1, 0, 0, 50, 10**10, 10**9))
    else:
        driver.must(c.Configure(Limit.FILLS_PER_ORDER, 1))
    for number, price in ((1, 5_000), (2, 5_100)):
        driver.must(c.buy_no(2, 1, 10_000 - price, 4, number))
    seen = driver.venue.preview(order(1, 1, Intent.BUY_YES, 5_100, 8), 0, 1)
    assert (seen.code, seen.filled, seen.rested) == (Code.OK, 4, 0)
    free = driver.cash(1)[0]
    assert seen.cash_free == free - 4 * 5_000
    assert driver.must(c.buy_yes(1, 1, 5_100, 8, 9)).filled == 4
    assert driver.cash(1) == (seen.cash_free, 0)


def test_a_preview_of_too_little_money_fills_nothing() -> None:
    """A buy for an amount that does not pay for one lot of the first order that it meets."""
    driver = prepared()
    driver.must(c.buy_no(2, 1, 5_000, 4, 1))
    for spend, filled in ((4_999, 0), (9_999, 1)):
        one = c.PlaceWithTerms(1, 1, Intent.BUY_YES, 5_000, 0, 999, TimeInForce.IOC, spend=spend)
        seen = driver.venue.preview(one.frame(1), 0, 1)
        assert (seen.code, seen.filled) == (Code.OK, filled)
        assert seen.cash_free == driver.cash(1)[0] - 5_000 * filled
