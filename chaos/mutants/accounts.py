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
    Mutant(
        "stopped-orders-fill",
        "an order of a stopped account still trades before the sweep has closed it",
        "node/engine/order.py",
        "        if conduct is not None and self.id < conduct.watermark:\n            return conduct.reason\n        placer",
        "        placer",
    ),
    Mutant(
        "restore-forgets-budget",
        "a restored agent has spent nothing",
        "node/engine/standing.py",
        "        agent.buckets[number] = read_i64_le(value, at + records.AGENT_BUCKETS + 8 * number)\n",
        "        agent.buckets[number] = 0\n",
    ),
    Mutant(
        "restore-forgets-key-orders",
        "a restored key has none of its orders, so that stopping it closes none",
        "node/engine/standing.py",
        "        key.append(order)\n",
        "",
    ),
    Mutant(
        "legs-lock-nothing",
        "the orders of a quote rest, and what they may cost stays free",
        "node/engine/quoting.py",
        "        ledger.lock(order)\n",
        "",
    ),
)
