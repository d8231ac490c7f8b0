"""The sentences about groups of orders."""

import re

from tests import order_commands as o
from tests.scenarios.amounts import LOT_DIGITS, parse
from tests.scenarios.statements import Meaning, Names, sentence

KINDS = {"resets": o.OrderGroupReset, "triggers": o.OrderGroupTrigger}


@sentence(r"(?:for (?P<owner>\w+) )?limits group (?P<group>-?\d+) to (?P<shares>-?[\d.]+)")
def _limit(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(
        o.OrderGroupSet(account, int(match["group"]), parse(match["shares"], LOT_DIGITS))
    )


@sentence(r"(?:for (?P<owner>\w+) )?deletes group (?P<group>-?\d+)")
def _delete(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(o.OrderGroupSet(account, int(match["group"]), 0))


@sentence(r"(?:for (?P<owner>\w+) )?(?P<verb>resets|triggers) group (?P<group>-?\d+)")
def _reset(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(KINDS[match["verb"]](account, int(match["group"])))
