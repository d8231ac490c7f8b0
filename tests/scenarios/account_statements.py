"""Sentences about accounts, their money and what they may do."""

import re

from node.domain.terms import AccountMode
from tests import account_commands as a
from tests.scenarios.amounts import MICRO_DIGITS, parse
from tests.scenarios.statements import Meaning, Names, sentence


@sentence(r"(?:for (?P<owner>\w+) )?opens subaccount (?P<name>\w+)(?: mode (?P<mode>\w+))?")
def _open_subaccount(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    mode = AccountMode.__members__.get(match["mode"] or "NET", 9)
    owner = names.account(match["owner"] or speaker)
    return Meaning(a.SubaccountOpen(owner, mode), names.accounts, match["name"])


@sentence(
    r"(?:for (?P<owner>\w+) )?transfers (?P<amount>\S+) to (?P<to>\w+) as number (?P<number>-?\d+)"
)
def _transfer(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    giver, taker = names.account(match["owner"] or speaker), names.account(match["to"])
    amount = parse(match["amount"], MICRO_DIGITS)
    return Meaning(a.Transfer(giver, taker, amount, int(match["number"])))


@sentence(r"(?:for (?P<owner>\w+) )?asks to withdraw (?P<amount>\S+)")
def _withdraw(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(a.WithdrawRequest(account, parse(match["amount"], MICRO_DIGITS)))


@sentence(r"(?P<verb>confirms|rejects) withdrawal (?P<number>-?\d+)")
def _answer(_: Names, __: str, match: re.Match[str]) -> Meaning:
    kind = a.WithdrawConfirm if match["verb"] == "confirms" else a.WithdrawReject
    return Meaning(kind(int(match["number"])))
