"""Every kind of command, with how often it is sent: a new command is one more entry here.

`tests/chaos/test_workloads.py` fails when a command of `node.domain.commands` has none.
"""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from chaos.workloads import lives, takers
from chaos.workloads.knowledge import Knowledge
from node.domain import commands, terms
from node.domain.limits import Limit
from node.protocol.command_frames import CommandFrames

Write = Callable[[CommandFrames, Random, Knowledge], None]


class Workload(NamedTuple):
    """How one kind of command is written, and its weight among the others of its role."""

    kind: int
    weight: int
    write: Write


def _market(random: Random, known: Knowledge) -> int:
    """Name a market: mostly the first, rarely one that does not exist."""
    if random.random() < 0.01:
        return known.markets + 1
    return 1 if random.random() < 0.6 else random.randint(1, known.markets)


def _place(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    known.note_place(frames.next_sequence)
    intent = random.choice((terms.BUY_YES, terms.BUY_YES, terms.BUY_NO, terms.BUY_NO,
                            terms.SELL_YES, terms.SELL_NO))  # fmt: skip
    time_in_force = random.choice(
        (terms.GTC, terms.GTC, terms.GTC, terms.GTC, terms.IOC, terms.FOK, terms.POST_ONLY)
    )
    name = (
        known.old_client_order_id(random) if random.random() < 0.02 else known.new_client_order_id()
    )
    price = 5_000 + 100 * random.randint(-3, 3)
    if random.random() < 0.01:
        price = random.choice((0, 1, 9_999, 10_000))
    market = _market(random, known)
    lots = random.choice((1, 2, 3, 5, 8, 20))
    if random.random() < 0.01:
        lots = random.choice((0, -1, 1 << 40, (1 << 63) - 1))
    frames.place(known.account, market, name, price, intent, time_in_force, lots)


def _place_with_terms(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    known.note_place(frames.next_sequence)
    intent = random.choice((terms.BUY_YES, terms.BUY_NO, terms.SELL_YES, terms.SELL_NO))
    time_in_force = random.choice(
        (terms.GTD, terms.GTC, terms.GTC, terms.POST_ONLY, terms.IOC, terms.IOC, terms.FOK)
    )
    price, lots = 5_000 + 100 * random.randint(-3, 3), random.choice((1, 2, 3, 5, 8, 20))
    now_ns = known.now_ns()
    expiry_ns = now_ns + random.choice((0, 50_000_000, 300_000_000, 3_600_000_000_000))
    spend = flags = 0
    if time_in_force in (terms.GTC, terms.IOC, terms.FOK):
        expiry_ns = 0
    if time_in_force in (terms.IOC, terms.FOK):
        spend, lots = random.choice(((0, lots), (0, lots), (lots * 4_000, 40), (lots * 5_000, 0)))
        flags = random.choice((0, 0, terms.REDUCE_ONLY))
    accept_by_ns = random.choice((0, 0, now_ns + 100_000_000, now_ns + 3_600_000_000_000))
    frames.place_with_terms(
        known.account,
        _market(random, known),
        known.new_client_order_id(),
        price,
        intent,
        time_in_force,
        lots,
        expiry_ns,
        accept_by_ns,
        random.choice((terms.CANCEL_RESTING, terms.CANCEL_TAKER, terms.CANCEL_BOTH)),
        flags or random.choice((0, 0, terms.CANCEL_ON_PAUSE)),
        spend,
        random.choice((0, 0, 1, 1, 1, 1, 2)),
    )


def _named(random: Random, known: Knowledge) -> tuple[int, int]:
    """Name an order by either id."""
    if random.random() < 0.5:
        return known.old_order_id(random), 0
    return 0, known.old_client_order_id(random)


def _cancel(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.cancel(known.account, _market(random, known), *_named(random, known))


def _reduce(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    market, lots = _market(random, known), random.randint(1, 4)
    frames.reduce(known.account, market, *_named(random, known), lots)


def _terms_of_change(random: Random) -> tuple[int, int]:
    """Draw a price and a total size; 0 leaves either as it is."""
    price = random.choice((0, 0, 5_000 + 100 * random.randint(-3, 3)))
    return price, random.choice((0, 1, 2, 5, 20, 40))


def _amend(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    named, changed = _named(random, known), _terms_of_change(random)
    frames.amend(known.account, _market(random, known), *named, *changed)


def _replace(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    known.note_place(frames.next_sequence)
    named, changed = _named(random, known), _terms_of_change(random)
    name = known.new_client_order_id()
    frames.replace(known.account, _market(random, known), *named, *changed, name)


def _quote(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Quote one or two sides; now and then instead of an order that may still be there."""
    known.note_place(frames.next_sequence)
    legs = []
    for intent in random.choice(((terms.BUY_YES, terms.BUY_NO), (terms.BUY_YES,), (terms.BUY_NO,))):
        price = 5_000 - 100 * random.randint(1, 6)
        old = known.old_client_order_id(random) if random.random() < 0.4 else 0
        name, lots = known.new_client_order_id(), random.choice((1, 2, 5, 20))
        legs.append((_market(random, known), price, intent, 0, lots, name, old))
    frames.quote(known.account, legs)


def _cancel_all(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    scope = random.choice(((0, 0), (1, 0), (known.markets, 0), (0, 1), (0, 2)))
    frames.cancel_all(known.account, *scope, random.choice((0, 0, terms.BID, terms.ASK)))


def _order_group_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.order_group_set(known.account, random.randint(1, 2), random.choice((0, 4, 6, 10)))


def _order_group(kind: int) -> Write:
    def write(frames: CommandFrames, random: Random, known: Knowledge) -> None:
        frames.order_group(kind, known.account, random.randint(1, 2))

    return write


def _split(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.split(known.account, _market(random, known), random.randint(1, 30))


def _merge(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.merge(known.account, _market(random, known), random.randint(1, 5))


def _redeem(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.redeem(known.account, random.randint(1, known.markets))


def _account_open(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del known
    mode = random.choice((terms.NET, terms.HOLD))
    frames.account_open(mode, random.randbytes(20), random.randbytes(32))


def _deposit(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    if random.random() < 0.9:
        known.deposits += 1
    account, amount = random.randint(1, known.accounts), random.randint(1, 50) * 10_000
    frames.deposit(account, amount, known.deposits)


def _event_create(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del known
    frames.event_create(random.randint(0, 2), f"event {random.randrange(1_000)}")


def _market_create(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del known
    fees = random.choice(((0, 0), (100, 0), (250, 40), (1_000, 1_000)))
    frames.market_create(random.choice((1, 1, 2)), random.choice((1, 50, 100)), *fees, "market")


def _lifecycle(kind: int, price: Callable[[Random], int] = lambda _random: 0) -> Write:
    def write(frames: CommandFrames, random: Random, known: Knowledge) -> None:
        market = random.randint(1 if kind <= commands.MARKET_HALT else 2, known.markets)
        frames.lifecycle(kind, market, price(random))

    return write


def _key_grant(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    known.keys += 1
    role = random.choice((terms.TRADER, terms.BROKER, terms.OPERATOR))
    account = random.randint(1, known.accounts) if role == terms.TRADER else 0
    frames.key_grant(role, account, b"granted key".ljust(28, b".") + known.keys.to_bytes(4, "big"))


def _key_revoke(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    number = random.randint(1, known.keys + 1)
    frames.key_revoke(b"granted key".ljust(28, b".") + number.to_bytes(4, "big"))


def _configure(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del known
    limit, values = random.choice(
        (
            (Limit.FILLS_PER_ORDER, (2, 8, 1_000)),
            (Limit.CANCELS_PER_COMMAND, (2, 8, 256)),
            (Limit.OPEN_ORDERS_PER_ACCOUNT, (8, 40, 100_000)),
            (Limit.SWEEP_ITEMS_PER_GROUP, (16, 64)),
        )
    )
    frames.configure(limit, random.choice(values))


def _schedule_create(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del known
    rates = random.choice(((0, 0), (100, 20), (1_000, 0), (300, 0)))
    shape, rebate = random.choice((terms.SHAPED, terms.FLAT)), random.choice((0, 2_500, 10_000))
    frames.schedule_create(shape, *rates, rebate, random.choice((0, 0, 1_000, 50)))


def _schedule_assign(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.schedule_assign(random.randint(1, known.markets), random.randint(1, 12))


def _grid_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    tick, edge, edge_tick = random.choice(((1, 0, 0), (50, 0, 0), (100, 0, 0), (100, 4_900, 10)))
    least = random.choice((0, 0, 2)), random.choice((0, 0, 15_000))
    frames.grid_set(random.randint(1, known.markets), tick, edge, edge_tick, *least)


def _guards_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    reference, band = random.choice(((0, 0), (5_000, 300), (0, 200)))
    move = random.choice((0, 200, 400))
    spans = (random.choice((80_000_000, 1_000_000_000)), random.choice((1, 50_000_000)))
    market = random.randint(1, known.markets)
    frames.guards_set(market, reference, band, move, *(spans if move else (0, 0)))


def _fee_account_name(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.fee_account_name(random.randint(1, known.accounts))


def _checkpoint(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    del random, known
    frames.checkpoint()


def _subaccount_open(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.subaccount_open(known.account, random.choice((terms.NET, terms.HOLD)))


def _transfer(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    known.transfers += random.random() < 0.9
    ends = [known.account, random.randint(1, known.accounts + known.subaccounts)]
    random.shuffle(ends)
    frames.transfer(ends[0], ends[1], random.randint(1, 9) * 10_000, known.transfers)


def _withdraw_request(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.withdraw_request(known.account, random.randint(1, 9) * 10_000)


def _withdraw_answer(kind: int) -> Write:
    def write(frames: CommandFrames, random: Random, known: Knowledge) -> None:
        known.withdrawals += random.random() < 0.7
        frames.withdraw_answer(kind, known.withdrawals)

    return write


def _agent_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    market = random.choice((0, 1, commands.EVENT_ENTRY | 1))
    frames.agent_set(
        known.account,
        b"agent".ljust(28, b".") + random.randint(1, 20).to_bytes(4, "big"),
        random.choice((10**9, 50_000)),
        random.choice((10**9, 1_000_000)),
        random.choice((10**9, 3_600 * 10**9)),
        random.choice((10**9, 200_000)),
        known.now_ns() + random.choice((10**9, 3_600 * 10**9)),
        random.choice((1, 1_000)),
        random.choice((0b111110, 0b10)),
        random.choice(((), (market,))),
    )


def _agent_revoke(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    key = b"agent".ljust(28, b".") + random.randint(1, 20).to_bytes(4, "big")
    frames.agent_revoke(known.account, key)


def _stop(kind: int) -> Write:
    def write(frames: CommandFrames, random: Random, known: Knowledge) -> None:
        account = known.account
        frames.stop(kind, account, terms.SCOPE_ACCOUNT, account, random.randint(1, 5), 1)

    return write


def _deadline_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    ahead_ns = random.choice((2 * 10**9, 5 * 10**9, 3_600 * 10**9))
    frames.deadline_set(known.account, random.choice((0, known.now_ns() + ahead_ns)))


def _on_disconnect(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    frames.on_disconnect(known.account, random.choice((0, 0, terms.SCOPE_KEY, terms.SCOPE_ACCOUNT)))


def _bounds_set(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    if random.random() < 0.3:
        market = random.randint(1, known.markets)
        frames.bounds_set(terms.SCOPE_MARKET, market, 0, 0, 0, 0, 0, 900)
        return
    account = random.randint(1, known.accounts)
    orders, lots = random.choice((0, 0, 20)), random.choice((0, 0, 300))
    reduce_only = int(random.random() < 0.1)
    frames.bounds_set(terms.SCOPE_ACCOUNT, account, reduce_only, orders, 0, 0, 0, lots)


TRADER: Final = (
    Workload(commands.PLACE, 95, _place),
    Workload(commands.PLACE_WITH_TERMS, 24, _place_with_terms),
    Workload(commands.PLACE_WITH_TERMS, 10, takers.take),
    Workload(commands.CANCEL, 12, _cancel),
    Workload(commands.REDUCE, 8, _reduce),
    Workload(commands.AMEND, 8, _amend),
    Workload(commands.REPLACE, 6, _replace),
    Workload(commands.QUOTE, 4, _quote),
    Workload(commands.CANCEL_ALL, 1, _cancel_all),
    Workload(commands.ORDER_GROUP_SET, 4, _order_group_set),
    Workload(commands.ORDER_GROUP_RESET, 3, _order_group(commands.ORDER_GROUP_RESET)),
    Workload(commands.ORDER_GROUP_TRIGGER, 1, _order_group(commands.ORDER_GROUP_TRIGGER)),
    Workload(commands.SPLIT, 4, _split),
    Workload(commands.MERGE_SETS, 3, _merge),
    Workload(commands.REDEEM, 2, _redeem),
    Workload(commands.SUBACCOUNT_OPEN, 1, _subaccount_open),
    Workload(commands.TRANSFER, 2, _transfer),
    Workload(commands.WITHDRAW_REQUEST, 1, _withdraw_request),
    Workload(commands.AGENT_SET, 1, _agent_set),
    Workload(commands.AGENT_REVOKE, 1, _agent_revoke),
    Workload(commands.STOP, 1, _stop(commands.STOP)),
    Workload(commands.STOP_LIFT, 3, _stop(commands.STOP_LIFT)),
    Workload(commands.DEADLINE_SET, 1, _deadline_set),
    Workload(commands.ON_DISCONNECT, 1, _on_disconnect),
    Workload(commands.CONVERT, 4, lives.convert),
    Workload(commands.MERGE_OUTCOMES, 1, lives.merge_outcomes),
)
OPERATOR: Final = (
    Workload(commands.CHECKPOINT, 14, _checkpoint),
    Workload(commands.DEPOSIT, 10, _deposit),
    Workload(commands.MARKET_OPEN, 6, _lifecycle(commands.MARKET_OPEN)),
    Workload(commands.MARKET_HALT, 2, _lifecycle(commands.MARKET_HALT)),
    Workload(commands.MARKET_CLOSE, 1, _lifecycle(commands.MARKET_CLOSE)),
    Workload(
        commands.MARKET_RESOLVE,
        2,
        _lifecycle(commands.MARKET_RESOLVE, lambda random: random.choice((0, 3_333, 10_000))),
    ),
    Workload(commands.MARKET_VOID, 1, _lifecycle(commands.MARKET_VOID)),
    Workload(commands.ACCOUNT_OPEN, 2, _account_open),
    Workload(commands.EVENT_CREATE, 1, _event_create),
    Workload(commands.MARKET_CREATE, 1, _market_create),
    Workload(commands.KEY_GRANT, 2, _key_grant),
    Workload(commands.KEY_REVOKE, 1, _key_revoke),
    Workload(commands.CONFIGURE, 2, _configure),
    Workload(commands.SCHEDULE_CREATE, 3, _schedule_create),
    Workload(commands.SCHEDULE_ASSIGN, 3, _schedule_assign),
    Workload(commands.GRID_SET, 2, _grid_set),
    Workload(commands.GUARDS_SET, 2, _guards_set),
    Workload(commands.FEE_ACCOUNT_NAME, 1, _fee_account_name),
    Workload(commands.BOUNDS_SET, 2, _bounds_set),
    Workload(commands.WITHDRAW_CONFIRM, 2, _withdraw_answer(commands.WITHDRAW_CONFIRM)),
    Workload(commands.WITHDRAW_REJECT, 1, _withdraw_answer(commands.WITHDRAW_REJECT)),
    Workload(commands.AUCTION_CALL, 3, lives.auction_call),
    Workload(commands.MARKET_TIMES, 2, lives.market_times),
    Workload(commands.PAUSE, 3, lives.pause),
    Workload(commands.EVENT_RESOLVE, 1, lives.event_resolve),
    Workload(commands.OUTCOME_NAME, 1, lives.outcome_name),
    Workload(commands.PROPOSE, 2, lives.propose),
    Workload(commands.DECIDE, 1, lives.decide),
    Workload(commands.DISPUTE, 1, lives.dispute),
    Workload(commands.ATTEST, 3, lives.attest),
    Workload(commands.KEY_GRANT, 1, lives.grant_resolver),
)
"""One operator is assumed: with two, deposit cursors would mostly be rejected."""


def write_one(
    workloads: tuple[Workload, ...], frames: CommandFrames, random: Random, known: Knowledge
) -> None:
    """Write one command, drawn by weight."""
    weights = [workload.weight for workload in workloads]
    (chosen,) = random.choices(workloads, weights)
    chosen.write(frames, random, known)
