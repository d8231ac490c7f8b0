"""Planted bugs in the rules of accounts: whose money it is, and what may be done with it."""

from typing import Final

from chaos.mutants.mutant import Mutant

ACCOUNTS: Final = (
    Mutant(
        "transfer-made-twice",
        "a transfer that is said again moves its money again",
        "node/engine/ownership.py",
        "    if kinship is not None and number <= kinship.last_transfer:\n",
        "    if kinship is not None and number < kinship.last_transfer:\n",
    ),
    Mutant(
        "withdrawal-locks-nothing",
        "a request to withdraw leaves the money free",
        "node/engine/ledger.py",
        "    account.cash_free -= amount\n    treasury.pending += amount\n",
        "    treasury.pending += amount\n",
    ),
)
