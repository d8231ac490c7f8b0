"""The sentences with which an operator sets what trading is bound to."""

import re

from node.domain.terms import FeeShape
from tests import rule_commands as r
from tests.scenarios.amounts import LOT_DIGITS, MICRO_DIGITS, PRICE_DIGITS, TIME_DIGITS, parse
from tests.scenarios.statements import NOBODY, Meaning, Names, sentence


@sentence(
    r"makes (?P<shape>flat |odd )?schedule (?P<name>\w+)(?: taker (?P<taker>-?\d+))?"
    r"(?: maker (?P<maker>-?\d+))?(?: rebate (?P<rebate>-?\d+))?(?: cap (?P<cap>\S+))?"
)
def _create_schedule(names: Names, _: str, match: re.Match[str]) -> Meaning:
    shapes = {None: FeeShape.SHAPED, "flat ": FeeShape.FLAT, "odd ": 9}
    command = r.ScheduleCreate(
        int(match["taker"] or 0),
        int(match["maker"] or 0),
        shapes[match["shape"]],
        int(match["rebate"] or 0),
        parse(match["cap"] or "0", MICRO_DIGITS),
    )
    return Meaning(command, names.schedules, match["name"])


@sentence(r"gives (?P<market>\w+) schedule (?P<name>\w+)")
def _assign_schedule(names: Names, _: str, match: re.Match[str]) -> Meaning:
    schedule = names.schedules.get(match["name"], NOBODY)
    return Meaning(r.ScheduleAssign(names.market(match["market"]), schedule))


@sentence(
    r"gives (?P<market>\w+) the tick (?P<tick>\S+)(?:, under (?P<edge>\S+) (?P<edge_tick>\S+))?"
    r"(?:, at least (?P<lots>\S+) shares)?(?:, worth (?P<value>\S+))?"
)
def _set_grid(names: Names, _: str, match: re.Match[str]) -> Meaning:
    command = r.GridSet(
        names.market(match["market"]),
        parse(match["tick"], PRICE_DIGITS),
        parse(match["edge"] or "0", PRICE_DIGITS),
        parse(match["edge_tick"] or "0", PRICE_DIGITS),
        parse(match["lots"] or "0", LOT_DIGITS),
        parse(match["value"] or "0", MICRO_DIGITS),
    )
    return Meaning(command)


@sentence(
    r"guards (?P<market>\w+):(?: reference (?P<reference>\S+))?(?: band (?P<band>\S+))?"
    r"(?: move (?P<move>\S+))?(?: in (?P<window>\S+))?(?: pauses (?P<pause>\S+))?"
)
def _set_guards(names: Names, _: str, match: re.Match[str]) -> Meaning:
    command = r.GuardsSet(
        names.market(match["market"]),
        parse(match["reference"] or "0", PRICE_DIGITS),
        parse(match["band"] or "0", PRICE_DIGITS),
        parse(match["move"] or "0", PRICE_DIGITS),
        parse(match["window"] or "0", TIME_DIGITS),
        parse(match["pause"] or "0", TIME_DIGITS),
    )
    return Meaning(command)


@sentence(r"names (?P<name>\w+) the fee account")
def _name_fee_account(names: Names, _: str, match: re.Match[str]) -> Meaning:
    return Meaning(r.FeeAccountName(names.account(match["name"])))
