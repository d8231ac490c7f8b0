"""The largest numbers that the venue can meet: compiled integers wrap where Python's grow.

`make test` runs this file compiled and pure.
"""

from random import Random
from typing import Any

import pytest

from node.domain.codes import Code
from node.domain.genesis import Genesis
from node.domain.limits import Limit
from node.domain.terms import AccountMode, EventKind, FeeShape, Intent
from node.domain.units import MAX_LOTS, MAX_SUPPLY
from tests import account_commands as a
from tests import commands as c
from tests import rule_commands as r
from tests.naive_records import fee_of
from tests.venue_driver import genesis
from tests.venue_pair import Sender, VenuePair

HALF = MAX_SUPPLY // 2
PRICES = (1, 2, 4_999, 5_000, 5_001, 9_998, 9_999)
RATES = (0, 1, 999, 1_000)
I32_MAX = 2**31 - 1
I64_MAX = 2**63 - 1


def widest() -> Genesis:
    """Return the genesis with every bound on money and size at its widest."""
    return genesis(
        32_767,
        lots_per_order=MAX_LOTS,
        deposit_amount=MAX_SUPPLY,
        cancels_per_command=10_000,
        sweep_items_per_group=100_000,
    )


def rich_pair(taker_fee_bps: int, maker_fee_bps: int) -> tuple[VenuePair, Sender, Sender]:
    """Return a venue with one market in which two HOLD accounts own all the money there can be."""
    pair = VenuePair(widest())
    first = pair.open_account(AccountMode.HOLD, HALF)
    second = pair.open_account(AccountMode.HOLD, MAX_SUPPLY - HALF)
    pair.must(c.EventCreate())
    pair.open_market(1, 1, taker_fee_bps, maker_fee_bps)
    return pair, first, second


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("bps", RATES)
def test_the_largest_orders_are_exact_at_every_price_and_fee(price: int, bps: int) -> None:
    """Locks, fills, fees and what is set free agree with exact integers, for buyers and sellers."""
    pair, first, second = rich_pair(bps, 1_000 - bps)
    for account in (1, 2):
        pair.must(c.Split(account, 1, MAX_LOTS))
    number = 0
    for maker in Intent:
        for taker in (Intent.BUY_YES, Intent.SELL_YES, Intent.BUY_NO, Intent.SELL_NO):
            for size in (MAX_LOTS, MAX_LOTS - 1, 1):
                number += 2
                for sender, intent, cid in ((first, maker, number), (second, taker, number + 1)):
                    own_price = price if intent in (1, 2) else 10_000 - price
                    pair.say(c.Place(sender.account, 1, intent, own_price, size, cid), sender)
            pair.check()
            pair.say(c.CancelAll(1), first)
            pair.say(c.CancelAll(2), second)
    pair.check()
    assert pair.naive.fills_made > 0


def test_fees_of_many_large_fills_add_up_exactly() -> None:
    """The largest order, filled in uneven parts at the largest rate, pays one rounded sum."""
    random = Random(7)
    pair, first, second = rich_pair(1_000, 999)
    pair.say(c.buy_yes(1, 1, 9_999, MAX_LOTS, 1), first)
    left, cid = MAX_LOTS, 1
    while left:
        cid += 1
        size = min(left, random.choice((1, 3, 10**7 + 1, 10**9 + 7)))
        assert pair.say(c.buy_no(2, 1, random.choice((1, 2)), size, cid), second).filled == size
        left -= size
        pair.check()
    total = 999 * 9_999 * 1 * MAX_LOTS
    assert pair.engine.cash(1) == (HALF - 9_999 * MAX_LOTS - fee_of(total), 0)


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("rebate_bps", [1, 9_999, 10_000])
@pytest.mark.parametrize("cap", [0, 1, 10**13])
def test_flat_fees_caps_and_rebates_are_exact_at_their_bounds(
    price: int, rebate_bps: int, cap: int
) -> None:
    """The largest orders at the largest flat rate, in one fill and in uneven ones."""
    pair, first, second = rich_pair(0, 0)
    rates = r.ScheduleCreate(1_000, 1_000, FeeShape.FLAT, rebate_bps, cap)
    pair.must(r.ScheduleAssign(1, pair.must(rates).result))
    cid = 0
    for sizes in ((MAX_LOTS,), (1, 7, 10**9 + 7, MAX_LOTS - 10**9 - 15)):
        cid += 1
        pair.say(c.buy_yes(1, 1, price, MAX_LOTS, cid), first)
        for size in sizes:
            cid += 1
            pair.say(c.buy_no(2, 1, 10_000 - price, size, cid), second)
            pair.check()
        pair.must(r.FeeAccountName(2))
    pair.check()
    assert pair.naive.fills_made == 5


@pytest.mark.parametrize("wild", [I64_MAX, -I64_MAX - 1, MAX_SUPPLY + 1, -1])
def test_wild_terms_of_schedules_are_refused(wild: int) -> None:
    """A cap at the ends of 64 bits, rates and shares at those of 32."""
    pair, _, _ = rich_pair(0, 0)
    assert pair.say(r.ScheduleCreate(cap=wild)).code == Code.FEE_CAP_OUT_OF_RANGE
    for edge in (I32_MAX, -I32_MAX - 1, -1):
        assert pair.say(r.ScheduleCreate(taker_bps=edge)).code == Code.FEE_OUT_OF_RANGE
        assert pair.say(r.ScheduleCreate(rebate_bps=edge)).code == Code.REBATE_OUT_OF_RANGE
        assert pair.say(r.ScheduleCreate(shape=edge)).code == Code.FEE_SHAPE_INVALID
        assert pair.say(r.ScheduleAssign(1, edge)).code == Code.UNKNOWN_SCHEDULE
        assert pair.say(r.FeeAccountName(edge)).code == Code.UNKNOWN_ACCOUNT
    assert pair.say(r.ScheduleCreate(1_000, 1_000, 2, 10_000, MAX_SUPPLY)).code == Code.OK


def test_all_the_money_there_is_can_be_locked_and_freed() -> None:
    """Ten thousand of the largest orders lock the whole supply; nothing overflows on the way."""
    pair, first, second = rich_pair(1_000, 1_000)
    placed = 0
    for cid in range(1, 10_001):
        reply = pair.say(c.buy_yes(1, 1, 9_999, MAX_LOTS, cid), first)
        if reply.code != Code.OK:
            assert reply.code == Code.INSUFFICIENT_FUNDS
            break
        placed += 1
    lock = 9_999 * MAX_LOTS + fee_of(1_000 * 25_000_000 * MAX_LOTS)
    assert placed == HALF // lock
    assert pair.engine.cash(1) == (HALF - placed * lock, placed * lock)
    assert pair.engine.depth(1)[next(iter(pair.engine.depth(1)))] == placed * MAX_LOTS
    pair.say(c.CancelAll(1), first)
    pair.check()
    assert pair.say(c.CancelAll(2), second).filled == 0


def test_cheap_lots_sum_up_to_the_supply() -> None:
    """At the lowest price a level holds the most lots: still within 64 bits."""
    pair, first, _ = rich_pair(0, 0)
    for cid in range(1, 1_001):
        pair.say(c.buy_yes(1, 1, 1, MAX_LOTS, cid), first)
    assert list(pair.engine.depth(1).values()) == [1_000 * MAX_LOTS]
    pair.check()


def test_the_supply_ends_at_its_bound() -> None:
    """The last micro-USDC is credited, the next is refused, and no sum wraps on the way."""
    pair = VenuePair(widest())
    pair.open_account(AccountMode.NET, MAX_SUPPLY - 1)
    for amount, code in (
        (MAX_SUPPLY, Code.SUPPLY_EXCEEDED),
        (2, Code.SUPPLY_EXCEEDED),
        (I64_MAX, Code.AMOUNT_OUT_OF_RANGE),
        (-I64_MAX - 1, Code.AMOUNT_OUT_OF_RANGE),
        (1, Code.OK),
    ):
        assert pair.say(c.Deposit(1, amount, 2)).code == code
    assert pair.say(c.Deposit(1, 1, 3)).code == Code.SUPPLY_EXCEEDED
    assert pair.engine.cash(1) == (MAX_SUPPLY, 0)


@pytest.mark.parametrize("wild", [I64_MAX, -I64_MAX - 1, 2**32, 2**32 + 1, -(2**32), 2**48, -1])
def test_wild_64_bit_fields_are_refused(wild: int) -> None:
    """Sizes, cursors, amounts and ids at the ends of 64 bits, or that only look small in 32."""
    pair, first, _ = rich_pair(0, 0)
    pair.must(c.Configure(Limit.LOTS_PER_ORDER, 1_000))
    pair.must(c.Configure(Limit.DEPOSIT_AMOUNT, 1_000))
    pair.must(c.Split(1, 1, 10))
    pair.say(c.buy_yes(1, 1, 5_000, 10, 1), first)
    for command in (
        c.buy_yes(1, 1, 5_000, wild, 2),
        c.sell_yes(1, 1, 5_000, wild, 2),
        c.Split(1, 1, wild),
        c.Merge(1, 1, wild),
        c.Reduce(1, 1, 1, order_id=wild),
        c.Cancel(1, 1, order_id=wild),
        c.Cancel(1, 1, client_order_id=wild),
    ):
        assert pair.say(command, first).code != Code.OK, command
    assert pair.say(c.Deposit(1, wild, 3)).code != Code.OK
    assert pair.say(c.Deposit(1, 1, wild)).code != Code.OK
    assert pair.say(c.Configure(Limit.FEE_BPS, wild)).code != Code.OK
    pair.check()


@pytest.mark.parametrize("wild", [I32_MAX, -I32_MAX - 1, -1, 2**16 + 1])
def test_wild_32_bit_fields_are_refused(wild: int) -> None:
    """Numbers and prices at the ends of 32 bits, or that only look small in 16."""
    pair, _, _ = rich_pair(0, 0)
    for command in (
        c.buy_yes(wild, 1, 5_000, 1, 2),
        c.buy_yes(1, wild, 5_000, 1, 2),
        c.buy_yes(1, 1, wild, 1, 2),
        c.Cancel(wild, 1, 1),
        c.CancelAll(wild),
        c.CancelAll(1, wild),
        c.Redeem(wild, 1),
        c.Redeem(1, wild),
        c.Split(wild, 1, 1),
        c.Split(1, wild, 1),
        c.Deposit(wild, 1, 3),
        c.MarketCreate(wild),
        c.MarketCreate(1, wild),
        c.MarketCreate(1, 1, wild),
        c.MarketCreate(1, 1, 0, wild),
        c.MarketHalt(wild),
        c.MarketResolve(wild, 1),
        c.Configure(wild, 1),
    ):
        assert pair.say(command).code != Code.OK, command
    pair.must(c.MarketClose(1))
    assert pair.say(c.MarketResolve(1, wild)).code == Code.RESOLUTION_PRICE_OUT_OF_RANGE
    pair.check()


def test_an_event_of_no_known_kind_is_exclusive() -> None:
    """What a later version may mean by a number, it is at least that one outcome wins."""
    pair = VenuePair()
    pair.must(c.EventCreate(exclusive=7))
    record: Any = pair.engine.venue.event(1)
    assert record.exclusive == EventKind.EXCLUSIVE


def test_an_agent_s_list_has_no_negative_entries() -> None:
    """A market's number, or an event's with its bit."""
    pair, _, _ = rich_pair(0, 0)
    for entry in (-1, -(2**31)):
        terms = a.AgentSet(1, b"bot".ljust(32, b"."), allowed=(1, entry))
        assert pair.say(terms).code == Code.AGENT_TERMS_INVALID


@pytest.mark.parametrize("wild", [0, 6, -1, 2**15 - 1, -(2**15), 256 + 1])
def test_wild_16_bit_fields_are_refused(wild: int) -> None:
    """An intent or time in force is one of a few, not something that looks like one in 8 bits."""
    pair, first, _ = rich_pair(0, 0)
    assert pair.say(c.Place(1, 1, wild, 1, 1, 1), first).code == Code.INTENT_INVALID
    assert pair.say(c.Place(1, 1, 1, 1, 1, 1, wild), first).code == Code.TIME_IN_FORCE_INVALID


def test_ids_of_the_last_shard_are_positive() -> None:
    """A shard of 15 bits leaves an id's sign alone."""
    pair, first, second = rich_pair(0, 0)
    reply = pair.say(c.buy_yes(1, 1, 5_000, 1, I64_MAX), first)
    assert reply.result == (32_767 << 48) + 1 > 0
    pair.say(c.buy_no(2, 1, 5_000, 1, 1), second)
    pair.check()  # The fill's id is compared, too.
