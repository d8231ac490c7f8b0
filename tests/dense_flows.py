"""Flows of a busy market, from a seed: nearly all commands are valid, and many trade."""

from random import Random

from tests import commands as c
from tests import life_commands as life
from tests import order_commands as o
from tests.venue_flows import ACCOUNTS, Step


def dense_steps(seed: int, count: int) -> list[Step]:
    """Return steps of a busy market: nearly all valid, prices close together, often crossing."""
    random = Random(seed)
    return [dense_step(random, number + 1) for number in range(count)]


def dense_step(random: Random, number: int) -> Step:
    """Return one step of a busy market; `number` is its client order id if it places."""
    account, market = random.randint(1, ACCOUNTS), random.choice((1, 1, 1, 2))
    kind = random.random()
    if kind < 0.70:
        return Step(dense_order(random, account, market, number))
    if kind < 0.80:
        return Step(c.Cancel(0, market), random.randint(0, 9), random.random() < 0.5)
    if kind < 0.84:
        return dense_change(random, market, number)
    if kind < 0.94:
        reduce = c.Reduce(0, market, random.randint(1, 4))
        return Step(reduce, random.randint(0, 9), random.random() < 0.5)
    if kind < 0.96:
        return Step(quote_of(random, account, market, number))
    return Step(rare_command(random, account, market, kind))


def dense_order(random: Random, account: int, market: int, number: int) -> c.Place:
    """Return an order of a busy market, every third of a group."""
    intent = random.choice((1, 1, 3, 3, 2, 4))
    price = 5_000 + 100 * random.randint(-2, 2)
    size = random.choice((1, 2, 3, 5, 8, 20))
    time_in_force = random.choice((1, 1, 1, 1, 1, 1, 2, 3, 4))
    order = (account, market, intent, price, size, number, time_in_force)
    if random.random() < 0.3:
        return c.PlaceWithTerms(*order, group=1)
    return c.Place(*order)


def dense_change(random: Random, market: int, number: int) -> Step:
    """Return a step that changes an order of a busy market, or puts another in its stead."""
    change = (5_000 + 100 * random.randint(-2, 2), random.choice((0, 1, 3, 8, 20)))
    named = (random.randint(0, 9), random.random() < 0.5)
    if random.random() < 0.5:
        return Step(o.Amend(0, market, *change), *named)
    return Step(o.Replace(0, market, *change, new_client_order_id=number), *named)


def rare_command(random: Random, account: int, market: int, kind: float) -> c.Command:
    """Return a command that is not about a single order; `kind` is from 0.96 to 1."""
    if kind < 0.965:
        return o.OrderGroupReset(account, 1)
    if kind < 0.97:
        return c.Split(random.randint(3, 4), market, random.randint(1, 5))
    if kind < 0.98:
        return c.Merge(account, market, random.randint(1, 5))
    if kind < 0.985:
        ordinals = random.choice(((0,), (0, 1), (0, 2), (1,), (0, 1, 2)))
        return life.Convert(account, 1, random.randint(1, 4), ordinals)
    if kind < 0.99:
        scope = random.choice(((0, 0), (market, 0), (0, 1)))
        return c.CancelAll(account, *scope, random.choice((0, 0, 1, 2)))
    lives = (c.MarketHalt, c.MarketHalt, c.MarketOpen, c.MarketOpen, life.AuctionCall)
    return random.choice(lives)(market)


def quote_of(random: Random, account: int, market: int, number: int) -> o.Quote:
    """Return a quote of a few legs around the middle; some of them take others' places."""
    legs = []
    for place in range(random.randint(1, 4)):
        intent = random.choice((1, 1, 3, 3, 2, 4))
        price = 5_000 + 100 * random.randint(-8, -1)
        old = random.choice((0, 0, max(number - random.randint(1, 9), 1)))
        name = 1_000 * number + place
        where, lots = random.choice((market, 1)), random.randint(1, 4)
        legs.append(o.Leg(where, intent, price, lots, name, 0, old))
    return o.Quote(account, tuple(legs))
