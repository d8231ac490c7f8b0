"""Sentences about the lives of markets and events: times, pauses."""

import re

from node.domain.terms import PauseLevel, PauseScope
from tests import commands as c
from tests import life_commands as life
from tests.scenarios.amounts import LOT_DIGITS, PRICE_DIGITS, TIME_DIGITS, parse
from tests.scenarios.statements import NOBODY, Meaning, Names, sentence

LEVELS = {
    "none": PauseLevel.NONE,
    "post-only": PauseLevel.POST_ONLY,
    "cancel-only": PauseLevel.CANCEL_ONLY,
    "halted": PauseLevel.HALTED,
    "asleep": 9,
}
LEVEL_NAMES = {int(level): name for name, level in LEVELS.items()}


@sentence(
    r"schedules (?P<market>\w+)(?: to open at (?P<opens>\S+))?"
    r"(?: (?:and|to) close at (?P<closes>\S+))?"
)
def _schedule(names: Names, _: str, match: re.Match[str]) -> Meaning:
    opens, closes = (parse(match[name] or "0", TIME_DIGITS) for name in ("opens", "closes"))
    return Meaning(life.MarketTimes(names.market(match["market"]), opens, closes))


@sentence(r"calls(?P<off> off)? (?P<market>\w+)(?: at (?P<begins>\S+))?")
def _call(names: Names, _: str, match: re.Match[str]) -> Meaning:
    begins = -1 if match["off"] else parse(match["begins"] or "0", TIME_DIGITS)
    return Meaning(life.AuctionCall(names.market(match["market"]), begins))


@sentence(
    r"pauses (?P<what>venue|event|market|account|planet)(?: (?P<name>\w+))?"
    r" at (?P<level>\S+)"
)
def _pause(names: Names, _: str, match: re.Match[str]) -> Meaning:
    scope = scope_of(match["what"])
    subject = subject_of(names, scope, match["name"])
    return Meaning(life.Pause(scope, subject, LEVELS[match["level"]]))


def scope_of(word: str) -> int:
    """Return the scope that a word names; 9 is none."""
    return PauseScope.__members__.get(word.upper(), 9)


def subject_of(names: Names, scope: int, name: str | None) -> int:
    """Return the number of a paused thing, 0 when none is named."""
    known = {
        PauseScope.EVENT: names.events,
        PauseScope.MARKET: names.markets,
        PauseScope.ACCOUNT: names.accounts,
    }
    return known.get(PauseScope(scope), {}).get(name, NOBODY) if name and scope < NOBODY else 0


@sentence(
    r"(?:for (?P<owner>\w+) )?"
    r"converts (?P<size>\S+) NO of (?P<markets>\w+(?: and \w+)*) in (?P<event>\w+)"
)
def _convert(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    # The markets of the event that scenarios convert in are the first ones: ordinal = number - 1.
    ordinals = [
        names.market(name) - 1 for name in match["markets"].split(" and ") if name != "nothing"
    ]
    owner = names.account(match["owner"] or speaker)
    event, lots = names.events.get(match["event"], NOBODY), parse(match["size"], LOT_DIGITS)
    return Meaning(life.Convert(owner, event, lots, tuple(ordinals)))


@sentence(r"merges (?P<size>\S+) YES of every outcome of (?P<event>\w+)")
def _merge_outcomes(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    event, lots = names.events.get(match["event"], NOBODY), parse(match["size"], LOT_DIGITS)
    return Meaning(life.MergeOutcomes(names.account(speaker), event, lots))


@sentence(r"names (?P<market>\w+) (?P<name>\w+|\"\")")
def _name(names: Names, _: str, match: re.Match[str]) -> Meaning:
    name = match["name"].strip('"')
    return Meaning(life.OutcomeName(names.market(match["market"]), name.encode()))


@sentence(r"resolves event (?P<event>\w+): (?P<winner>\w+) wins")
def _resolve_event(names: Names, _: str, match: re.Match[str]) -> Meaning:
    event = names.events.get(match["event"], NOBODY)
    return Meaning(life.EventResolve(event, names.market(match["winner"])))


@sentence(r"creates placeholder (?P<name>\w+) in (?P<event>\w+)")
def _create_placeholder(names: Names, _: str, match: re.Match[str]) -> Meaning:
    event = names.events.get(match["event"], NOBODY)
    return Meaning(c.MarketCreate(event, 100, name=b""), names.markets, match["name"])


@sentence(r"(?P<verb>proposes|decides) (?P<market>\w+) at (?P<price>\S+)(?: on (?P<evidence>\w+))?")
def _propose(names: Names, _: str, match: re.Match[str]) -> Meaning:
    kind = life.Propose if match["verb"] == "proposes" else life.Decide
    price = parse(match["price"], PRICE_DIGITS)
    return Meaning(kind(names.market(match["market"]), price, evidence_of(match["evidence"])))


@sentence(r"disputes (?P<market>\w+)(?: on (?P<evidence>\w+))?")
def _dispute(names: Names, _: str, match: re.Match[str]) -> Meaning:
    return Meaning(life.Dispute(names.market(match["market"]), evidence_of(match["evidence"])))


@sentence(
    r"attests (?:for (?P<resolver>\w+) )?(?P<market>\w+) at (?P<price>\S+)"
    r"(?: on (?P<evidence>\w+))?(?: in round (?P<turn>\d+))?"
)
def _attest(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    command = life.Attest(
        names.market(match["market"]),
        parse(match["price"], PRICE_DIGITS),
        names.key(match["resolver"] or speaker),
        int(match["turn"] or 0),
        evidence_of(match["evidence"]),
    )
    return Meaning(command)


def evidence_of(word: str | None) -> bytes:
    """Return a hash that a word stands for."""
    return (word or "").encode().ljust(32, b"\0")
