"""A few nodes' data directories, made as nodes make them.

One log, snapshots at some of its indexes.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path

from node.consensus.journal import Journal
from node.domain.genesis import Genesis, default_limits
from node.domain.terms import Intent
from node.engine.venue import Venue
from node.storage.data_directory import DataDirectory, genesis_hash
from node.storage.probe import inspect
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.snapshot_store import SnapshotStore
from tests import commands

OPERATOR = b"\xaa" * 32
GENESIS = Genesis(bytes(16), 0, OPERATOR, default_limits())
NO_OP = b"\x01"
REGULAR = b"\x00"


@dataclass
class Log:
    """Entries as Raft stores them, and every reply that applying them came to."""

    entries: list[tuple[bytes, int, int]] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)


def build_log(groups: int, *, seed: int = 1, checkpoint_every: int = 0) -> Log:
    """Return a log of a busy little venue.

    Eight accounts, two markets, orders of every intent, cancels, retries.
    """
    rng = random.Random(seed)
    log = Log([(NO_OP, 1, 1)])
    venue = Venue(GENESIS)
    sequence = 0
    setup: list[commands.Command] = [commands.EventCreate(), commands.MarketCreate(1, 1, 50, 20)]
    setup += [commands.MarketCreate(1, 1, 0, 0), commands.MarketOpen(1), commands.MarketOpen(2)]
    for account in range(1, 9):
        setup.append(
            commands.AccountOpen(bytes([account]) * 20, bytes([account]) * 32, 1 + account % 2)
        )
        setup.append(commands.Deposit(account, 50_000_000, account))
    for number in range(groups):
        records = []
        if number == 0:
            records.append(commands.record(0, commands.SessionOpen(OPERATOR).frame(0)))
        for command in setup if number == 1 else _orders(rng, number, groups):
            sequence += number > 0
            records.append(commands.record(1, command.frame(sequence)))
        if checkpoint_every and number and number % checkpoint_every == 0:
            sequence += 1
            records.append(commands.record(1, commands.Checkpoint().frame(sequence)))
        index = len(log.entries) + 1
        if rng.random() < 0.1:
            log.entries.append((NO_OP, index, 1))
            index += 1
        group = commands.group(records, index * 1_000_000, trailer=b"trace" if number % 3 else b"")
        log.entries.append((REGULAR + group, index, 1))
        venue.apply(index, group)
        log.replies += [venue.replies[at : at + 48] for at in range(0, len(venue.replies), 48)]
    return log


def _orders(rng: random.Random, number: int, groups: int) -> list[commands.Command]:
    if number == 0:
        return []
    if number == groups - 2:
        return [commands.MarketClose(2)]
    if number == groups - 1:
        return [commands.MarketResolve(2, 7_300)]
    made: list[commands.Command] = []
    for place in range(rng.randrange(1, 9)):
        account, market = rng.randrange(1, 9), rng.randrange(1, 3)
        choice = rng.random()
        if choice < 0.75:
            price, lots = rng.randrange(4_700, 5_300), rng.randrange(1, 40)
            intent = rng.choice(list(Intent))
            cid = number * 100 + place + 1
            made.append(
                commands.Place(
                    account, market, intent, price, lots, cid, rng.choice((1, 1, 1, 2, 3, 4))
                )
            )
        elif choice < 0.85:
            made.append(commands.Split(account, market, rng.randrange(1, 50)))
        elif choice < 0.95:
            made.append(
                commands.Cancel(
                    account, market, client_order_id=rng.randrange(100, number * 100 + 101)
                )
            )
        else:
            made.append(commands.CancelAll(account, rng.randrange(3)))
    return made


def write_node(
    root: Path, log: Log, *, snapshot_at: int = 0, cut: bool = False, last: int | None = None
) -> Path:
    """Write a node's data directory with `log` up to `last`, a snapshot at `snapshot_at`.

    With `cut` the journal starts at the snapshot's index, as it does once the snapshot is durable.
    """
    directory = DataDirectory(root)
    directory.create()
    directory.write_genesis(GENESIS)
    entries = log.entries[:last]
    journal = Journal(directory.journal)
    journal.save_vote(1, 1)
    for entry in entries:
        journal.append(*entry)
        if entry[1] % 10 == 0:
            journal.sync()
    journal.commit = entries[-1][1]
    journal.hint_commit()
    journal.sync()
    if snapshot_at:
        meta = write_snapshot(root, entries[:snapshot_at])
        if cut:
            journal.drop_before(meta.index)
            journal.sync()
    journal.close()
    return root


def write_snapshot(root: Path, entries: list[tuple[bytes, int, int]]) -> SnapshotMeta:
    """Commit, in two checkpoints, the snapshot that these entries come to."""
    store = SnapshotStore(
        root, genesis_hash=genesis_hash(GENESIS), probe=lambda path: inspect(path, _no_digests)
    )
    venue = Venue(GENESIS)
    half = len(entries) // 2
    meta = _commit(store, venue, entries[:half])
    meta = _commit(store, venue, entries[half:]) or meta
    store.close()
    assert meta is not None
    return meta


def _commit(
    store: SnapshotStore, venue: Venue, entries: list[tuple[bytes, int, int]]
) -> SnapshotMeta | None:
    for payload, index, _ in entries:
        if payload.startswith(REGULAR):
            venue.apply(index, payload[1:])
    checkpoint = venue.freeze()
    while not checkpoint.step(10):
        pass
    latest = store.latest()
    if latest is not None and latest.index == checkpoint.log_index:
        return None
    meta = SnapshotMeta(
        checkpoint.log_index,
        1,
        1,
        checkpoint.chain_digest,
        checkpoint.state_digest,
        checkpoint.ledger_digest,
        checkpoint.page_count,
        checkpoint.stamp_ns,
        genesis_hash(GENESIS),
    )
    store.commit(checkpoint.changes, meta)
    return meta


def _no_digests(_: object) -> tuple[bytes, bytes]:
    raise AssertionError
