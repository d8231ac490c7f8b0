"""The sentences about orders that change."""

import re

from tests import order_commands as o
from tests.scenarios.amounts import LOT_DIGITS, PRICE_DIGITS, parse
from tests.scenarios.statements import INTENTS, NOBODY, Meaning, Names, ids_of, sentence


def change_of(match: re.Match[str]) -> tuple[int, int]:
    """Return the price and the total size that a sentence gives, 0 for what it leaves out."""
    return parse(match["price"] or "0", PRICE_DIGITS), parse(match["shares"] or "0", LOT_DIGITS)


@sentence(
    r"(?:for (?P<owner>\w+) )?amends (?P<by>client id of )?(?P<label>\w+) to"
    r"(?: (?P<shares>-?[\d.]+))?(?: @ (?P<price>\S+))?"
)
def _amend(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(o.Amend(account, 1, *change_of(match), *ids_of(names, match)))


@sentence(
    r"replaces (?P<by>client id of )?(?P<label>\w+) with"
    r"(?: (?P<shares>-?[\d.]+))?(?: @ (?P<price>\S+))?"
    r"(?: as (?P<new>\w+))?(?: client_id=(?P<id>-?\d+))?"
)
def _replace(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    named, label = ids_of(names, match), match["new"] or ""
    names.next_client_order_id += 1
    name = int(match["id"] or names.next_client_order_id)
    names.client_orders[label] = name
    change = change_of(match)
    command = o.Replace(names.account(speaker), 1, *change, *named, new_client_order_id=name)
    return Meaning(command, names.orders, label)


LEG = re.compile(
    r"(?P<verb>buy|sell) (?P<size>\S+) (?P<token>YES|NO)(?: of (?P<market>\w+))? @ (?P<price>\S+)"
    r"(?: instead of (?P<old>\w+))?(?: as (?P<label>\w+))?(?P<odd>(?: \w+=-?\d+)*)"
)


@sentence(r"(?:for (?P<owner>\w+) )?quotes (?P<legs>.*?)(?: \((?P<count>\d+) legs\))?")
def _quote(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    legs = [_leg(names, words) for words in match["legs"].split(" and ")]
    claimed = int(match["count"]) if match["count"] else None
    return Meaning(o.Quote(names.account(match["owner"] or speaker), tuple(legs), claimed))


def _leg(names: Names, words: str) -> o.Leg:
    match = LEG.fullmatch(words)
    if match is None:
        raise ValueError(f"no leg of a quote reads: {words}")
    odd = {key: int(value) for key, value in re.findall(r"(\w+)=(-?\d+)", match["odd"])}
    old = names.client_orders.get(match["old"], NOBODY) if match["old"] else 0
    names.next_client_order_id += 1
    name = odd.get("client_id", names.next_client_order_id)
    names.client_orders[match["label"] or ""] = name
    return o.Leg(
        names.market(match["market"]),
        INTENTS[f"{match['verb']}s", match["token"]],
        parse(match["price"], PRICE_DIGITS),
        parse(match["size"], LOT_DIGITS),
        name,
        odd.get("flags", 0),
        old,
    )
