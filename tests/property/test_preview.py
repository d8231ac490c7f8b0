"""A preview says what the order then comes to, and changes nothing."""

import struct

from hypothesis import given, settings

from node.domain.codes import Code
from node.domain.terms import CloseReason
from node.engine.preview import Preview
from tests import commands as c
from tests.naive_records import Fact
from tests.venue_driver import SECOND_NS
from tests.venue_flows import PAUSE, Flow, Setting, Step, flows, settings_of_flows
from tests.venue_pair import Sender

# Each command of a flow is previewed first, so half as many flows must do.
FEWER = max(1, settings().max_examples // 2)


def previewed(flow: Flow, command: c.Place, sender: Sender) -> Preview:
    """Return the preview of an order, and check that asking changed nothing."""
    terms = command if isinstance(command, c.PlaceWithTerms) else with_terms(command)
    engine = flow.pair.engine
    session = engine.venue.session(sender.session)
    assert session is not None
    before = engine.checkpoint()
    seen = engine.venue.preview(terms.frame(1), 0, session.key_number)
    assert engine.checkpoint() == before
    return seen


def with_terms(order: c.Place) -> c.PlaceWithTerms:
    """Return the same order in the longer form."""
    who = (order.account, order.market, order.intent, order.price, order.lots)
    return c.PlaceWithTerms(*who, order.client_order_id, order.time_in_force)


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=flows)
def test_an_order_comes_to_what_its_preview_says(setting: Setting, steps: list[Step]) -> None:
    """Code, fills, fee, what rests, and the cash that is left: at any point of any flow."""
    flow = setting.start()
    flow.pair.engine.step_ns = 0  # A command comes when its preview was asked for.
    for step in steps:
        flow.pair.pass_time(SECOND_NS)
        if step.command is PAUSE:
            continue
        command = flow.command_of(step)
        sender = flow.sender_of(step, command)
        if isinstance(command, c.Place) and may_send(sender, command):
            compare(flow, command, sender)
        else:
            flow.pair.say(command, sender)


def may_send(sender: Sender, command: c.Place) -> bool:
    """Whether the order is the sender's to place: a preview does not look at that."""
    return sender.account in (0, command.account)


def compare(flow: Flow, command: c.Place, sender: Sender) -> None:
    """Preview an order, place it, and compare."""
    seen = previewed(flow, command, sender)
    reply = flow.pair.say(command, sender)
    assert (seen.code, seen.filled) == (reply.code, reply.filled), command
    if reply.code != Code.OK:
        return
    mine = [fact for fact in flow.pair.last.facts if fact.order_id == reply.result]
    fills = [fact for fact in mine if fact.what == "filled"]
    assert seen.fee == sum(fact.fee for fact in fills)
    assert seen.value == sum(fact.price * fact.lots for fact in fills)
    assert seen.rested == sum(fact.leaves for fact in mine if fact.what == "rested")
    if fell_together(flow.pair.last.facts, reply.result):
        return  # What its group's other orders give back is not of this order.
    given = [fact for fact in flow.pair.last.facts if fact.what == "received" and not fact.order_id]
    cash_free = flow.pair.engine.cash(command.account)[0]
    assert seen.cash_free + sum_of(given, command.account) == cash_free
    assert told(seen) == by_price(fills)


def fell_together(facts: list[Fact], order: int) -> bool:
    """Whether the order has triggered its group, and others of it went."""
    return any(
        fact.what == "closed" and fact.detail == CloseReason.ORDER_GROUP and fact.order_id != order
        for fact in facts
    )


def sum_of(given: list[Fact], account: int) -> int:
    """Return what an account was given as the fee account."""
    return sum(fact.fee for fact in given if fact.account == account)


def told(seen: Preview) -> list[tuple[int, int]]:
    """Return the preview's fills as (price, lots), neighbours at a price together."""
    return merged([(price, lots) for price, _, lots in struct.iter_unpack("<iiq", seen.fills())])


def by_price(fills: list[Fact]) -> list[tuple[int, int]]:
    """Return fills as (price, lots), neighbours at a price together."""
    return merged([(fact.price, fact.lots) for fact in fills])


def merged(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Add up the lots of neighbours at one price."""
    out: list[tuple[int, int]] = []
    for price, lots in pairs:
        if out and out[-1][0] == price:
            out[-1] = (price, out[-1][1] + lots)
        else:
            out.append((price, lots))
    return out
