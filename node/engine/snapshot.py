"""Snapshots.

A venue rebuilt from canonical pages, and the digests of such pages without a venue.
"""

from collections.abc import Iterable

from node.domain import records
from node.domain.genesis import Genesis
from node.engine.checkpoint import StateTree
from node.engine.loader import Loader
from node.engine.snapshot_error import SnapshotError
from node.engine.venue import Venue


def digests(pages: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return the (state, ledger) digests of pages given as (key, bytes)."""
    tree = StateTree()
    for key, value in pages:
        kind, number = split_key(key)
        tree.set(kind, number, value)
    tree.rehash_all()
    return tree.digests()


def split_key(key: bytes) -> tuple[int, int]:
    """Return a page key's kind and number."""
    if len(key) != records.PAGE_KEY_SIZE:
        raise SnapshotError(f"a page key has {records.PAGE_KEY_SIZE} bytes, not {len(key)}")
    return int.from_bytes(key[:2], "big"), int.from_bytes(key[2:], "big")


def restore(genesis: Genesis, pages: Iterable[tuple[bytes, bytes]]) -> Venue:
    """Rebuild the venue whose pages these are, in key order.

    Raises SnapshotError when they contradict.
    """
    venue = Venue(genesis, pristine=False)
    loader = Loader(venue.state)
    for key, value in pages:
        kind, number = split_key(key)
        venue.tree.set(kind, number, value)
        loader.load(kind, number, value)
    loader.finish()
    venue.tree.rehash_all()
    return venue
