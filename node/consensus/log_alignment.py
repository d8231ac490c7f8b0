"""Bringing journal and snapshot together at start, whatever a crash left of them."""

from node.consensus.errors import SnapshotGapError
from node.consensus.journal import Journal


def align(journal: Journal, index: int, term: int) -> None:
    """Make `journal` start at or before the snapshot's end (index, term) and hold it.

    A journal that ends before the snapshot, or disagrees with it there, holds nothing that the
    snapshot does not: it is reset, as the paper does on installing a snapshot. Raises
    SnapshotGapError when entries between the two are missing. `index` 0 means that there is no
    snapshot.
    """
    if index == 0:
        if journal.base_index > 1:
            raise SnapshotGapError(0, journal.base_index)
        return
    if journal.base_index > index:
        raise SnapshotGapError(index, journal.base_index)
    if not journal.holds(index) or journal.term_at(index) != term:
        journal.reset(index, term)
        journal.sync()
