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
        "    agent.spending.read(value, at + records.AGENT_NEWEST)\n",
        "",
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
    Mutant(
        "group-counts-only-takers",
        "fills of a resting order do not count in its group",
        "node/engine/grouping.py",
        "    member = maker.membership\n    if member is not None and reaches",
        "    member = None\n    if member is not None and reaches",
    ),
    Mutant(
        "group-overfills",
        "the fill that reaches a group's limit is not cut to it",
        "node/engine/matching.py",
        "        most = most_to_fill(state, maker, taker)\n",
        "        most = min(maker.leaves, taker.leaves)\n",
    ),
    Mutant(
        "called-at-the-limit",
        "what meets in a call trades at the older order's price, not at that of the call",
        "node/engine/auction.py",
        "    execute(state, market, price, older, newer, lots, called=True)\n",
        "    execute(state, market, older.book_price, older, newer, lots, called=True)\n",
    ),
    Mutant(
        "called-at-the-first-price",
        "a call clears at the lowest price at which anything is exchanged",
        "node/engine/clearing.py",
        "        if lots > self.lots or excess < self.excess:\n",
        "        if self.lots == 0:\n",
    ),
    Mutant(
        "triggered-groups-take-orders",
        "a group that is triggered takes orders before it is reset",
        "node/engine/grouping.py",
        "    if group.state == terms.GROUP_TRIGGERED:\n        return Code.ORDER_GROUP_TRIGGERED\n",
        "",
    ),
    Mutant(
        "restore-forgets-group-fills",
        "a restored group of orders has filled nothing",
        "node/engine/order_group.py",
        "    group.fills.read(value, at + records.GROUP_NEWEST)\n",
        "",
    ),
)
