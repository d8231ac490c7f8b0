"""Sentences about agents, bounds, stops and presence."""

import re

from node.domain.commands import EVENT_ENTRY
from node.domain.terms import Scope, StopReason
from tests import account_commands as a
from tests.scenarios.amounts import LOT_DIGITS, MICRO_DIGITS, TIME_DIGITS, parse
from tests.scenarios.statements import NOBODY, TIMES_IN_FORCE, Meaning, Names, sentence

AGENT_FIELDS = {
    "orders": ("order_value", MICRO_DIGITS),
    "spend": ("spend", MICRO_DIGITS),
    "exposure": ("exposure", MICRO_DIGITS),
    "window": ("window_ns", TIME_DIGITS),
    "until": ("expiry_ns", TIME_DIGITS),
    "rate": ("rate", 0),
}
BOUNDS_FIELDS = {
    "orders": ("open_orders", 0),
    "positions": ("positions", 0),
    "size": ("order_lots", LOT_DIGITS),
    "value": ("order_value", MICRO_DIGITS),
    "position": ("position_lots", LOT_DIGITS),
}


@sentence(r"(?:for (?P<owner>\w+) )?lets agent (?P<name>\w+) trade(?: with (?P<terms>.+))?")
def _agent(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    owner = names.account(match["owner"] or speaker)
    fields: dict[str, object] = {}
    for term in (match["terms"] or "").split(", ") if match["terms"] else []:
        word, _, value = term.partition(" ")
        if word == "in":
            fields["allowed"] = tuple(entry_of(names, one) for one in value.split())
        elif word == "only":
            tifs = [TIMES_IN_FORCE["" if one == "GTC" else one] for one in value.split()]
            fields["times_in_force"] = sum(1 << tif for tif in tifs)
        else:
            name, digits = AGENT_FIELDS[word]
            fields[name] = parse(value, digits)
    command = a.AgentSet(owner, names.key(match["name"]), **fields)  # type: ignore[arg-type]
    return Meaning(command)


def entry_of(names: Names, word: str) -> int:
    """Return the entry of a market, or of all markets of an event."""
    kind, _, name = word.partition(":")
    if kind == "event":
        return names.events.get(name, NOBODY) | EVENT_ENTRY
    return names.market(word)


@sentence(r"(?:for (?P<owner>\w+) )?ends agent (?P<name>\w+)")
def _revoke(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    owner = names.account(match["owner"] or speaker)
    return Meaning(a.AgentRevoke(owner, names.key(match["name"])))


@sentence(
    r"(?:for (?P<owner>\w+) )?(?P<verb>stops|lets go) (?P<scope>key|account|market|venue|thing)"
    r"(?: (?P<name>\w+))?(?: for (?P<reason>\w+))?(?: reference (?P<reference>-?\d+))?"
)
def _stop(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    kind = a.Stop if match["verb"] == "stops" else a.StopLift
    scope = Scope.__members__.get(match["scope"].upper(), 9)
    account = names.account(match["owner"] or speaker)
    name = match["name"] or ""
    subject = int(name) if name.isdigit() else 0
    if scope == Scope.ACCOUNT:
        subject = names.account(name)
    elif scope == Scope.MARKET:
        subject = names.market(name)
    elif scope == Scope.KEY and not name.isdigit():
        subject = names.key_number(names.key(name))
    reason = StopReason.__members__.get((match["reason"] or "request").upper(), 9)
    return Meaning(kind(account, scope, subject, reason, int(match["reference"] or 0)))


@sentence(r"bounds (?P<scope>account|market|thing) (?P<name>\w+)(?: with (?P<terms>.+))?")
def _bounds(names: Names, _: str, match: re.Match[str]) -> Meaning:
    scope = Scope.__members__.get(match["scope"].upper(), 9)
    market = scope == Scope.MARKET
    subject = names.market(match["name"]) if market else names.account(match["name"])
    fields: dict[str, int] = {}
    for term in (match["terms"] or "").split(", ") if match["terms"] else []:
        word, _, value = term.partition(" ")
        if word == "reduce-only":
            fields["reduce_only"] = int(value or 1)
        else:
            name, digits = BOUNDS_FIELDS[word]
            fields[name] = parse(value, digits)
    return Meaning(a.BoundsSet(scope, subject, **fields))


@sentence(r"(?:for (?P<owner>\w+) )?is here until (?P<time>\S+)")
def _deadline(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(a.DeadlineSet(account, parse(match["time"], TIME_DIGITS)))


@sentence(
    r"(?:for (?P<owner>\w+) )?gives up (?P<scope>nothing|key|account|market) when disconnected"
)
def _on_disconnect(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    scope = Scope.__members__.get(match["scope"].upper(), 0)
    return Meaning(a.OnDisconnect(names.account(match["owner"] or speaker), scope))
