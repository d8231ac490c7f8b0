"""Invariants of money and books, looked at after every group."""

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.audit.canonical import read_state
from node.audit.conservation import check_conservation
from node.domain.terms import AUCTION, UNCROSSING
from node.engine.snapshot import restore


class MoneyIsConserved(Invariant):
    """What came and has not left is cash, collateral and fees, exactly; nothing is negative.

    Locks against orders, positions against collateral and the rest of the ledger are audited from
    the canonical pages, by code that knows nothing of the engine, at the end of the run and at some
    groups on the way.
    """

    name = "money is conserved"
    _AUDIT_EVERY = 40

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Add up."""
        if not first or host.node is None:
            return
        venue = host.node.machine.venue
        state = venue.state
        treasury = state.treasury
        held = treasury.fees + treasury.collateral + treasury.pending + treasury.withdrawn
        for account in state.accounts:
            if account is not None:
                held += account.cash_free + account.cash_locked
                if account.cash_free < 0 or account.cash_locked < 0:
                    self.require(
                        holds=False,
                        what=f"account {account.number} is negative behind {applied.index}",
                    )
        self.require(
            held == treasury.deposits,
            f"{treasury.deposits} micro-USDC were deposited, {held} are held or gone behind "
            f"{applied.index}",
        )
        if len(self.cluster.log.by_index) % self._AUDIT_EVERY == 0:
            self._audit()

    def _audit(self) -> None:
        """Audit the canonical pages of the replay that follows the log."""
        replay = self.cluster.replay
        index = replay.digests().index
        conservation = check_conservation(read_state(replay.canonical_pages()))
        what = "; ".join(conservation.findings[:3])
        self.require(not conservation.findings, f"behind {index}: {what}")

    def ended(self) -> None:
        """Audit the state that all have come to."""
        self._audit()


class BooksAreSound(Invariant):
    """No book is crossed after a group, but in a call; the oldest order at a price is first."""

    name = "books are sound"

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Look at the best prices, and at their levels."""
        if not first or host.node is None:
            return
        for market in host.node.machine.venue.state.markets:
            if market is None:
                continue
            bids, asks = market.book.bids, market.book.asks
            self.require(
                bids.best < asks.best or market.state in {AUCTION, UNCROSSING},
                f"market {market.number} bids {bids.best} and asks {asks.best} behind "
                f"{applied.index}",
            )
            for side in (bids, asks):
                level = side.level(side.best) if 0 < side.best < 10_000 else None
                order = level.head if level is not None else None
                while order is not None and order.behind is not None:
                    self.require(
                        order.priority < order.behind.priority,
                        f"order {order.behind.id} stands behind {order.id} at {side.best}",
                    )
                    order = order.behind


class StopsHold(Invariant):
    """What is stopped has no order that could trade, and an account's locks are its keys' locks."""

    name = "stops hold"

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Look at the orders of stopped accounts and keys, and at what keys have locked."""
        if not first or host.node is None:
            return
        state = host.node.machine.venue.state
        locked = 0
        for account in state.accounts:
            if account is None:
                continue
            locked += account.cash_locked
            if account.stop is not None:
                living = [
                    order.id
                    for order in account.orders_by_client.values()
                    if not order.is_dead(state.stamp_ns)
                ]
                self.require(
                    not living,
                    f"account {account.number} is stopped behind {applied.index}, and its orders "
                    f"{living[:3]} live",
                )
        exposed = sum(key.exposure for key in state.keys if key is not None)
        self.require(
            exposed == locked,
            f"orders of accounts have locked {locked}, those of keys {exposed} micro-USDC behind "
            f"{applied.index}",
        )


class SnapshotsRestore(Invariant):
    """Every durable snapshot and the log behind it come to the digest that all others have."""

    name = "snapshot and log give the live digest"

    def ended(self) -> None:
        """Restore each host's snapshot and replay."""
        log = self.cluster.log
        for host in self.cluster.hosts.values():
            latest = host.store.latest()
            if latest is None:
                continue
            venue = restore(self.cluster.setting.genesis, host.store.pages())
            known = log.by_index.get(venue.log_index)
            self.require(
                known is not None and known.digest == venue.digest,
                f"node {host.number}'s snapshot at {venue.log_index} has another chain digest",
            )
            for point in self.cluster.replay.checkpoints:
                if point.index == latest.index:
                    self.require(
                        (point.state, point.ledger) == (latest.state_digest, latest.ledger_digest),
                        f"node {host.number}'s snapshot at {latest.index} is not the state that a "
                        "replay of the log comes to there",
                    )
            for applied in log.in_order():
                if applied.index > venue.log_index:
                    venue.apply(applied.index, applied.group)
                    self.require(
                        venue.digest == applied.digest,
                        f"node {host.number}'s snapshot at {latest.index} and the log differ from "
                        f"the live digest at {applied.index}",
                    )
