"""Bringing journal and snapshot together at start, whatever a crash left of them."""

from node.consensus.errors import SnapshotGapError
from node.consensus.journal import Journal


def may_have_forgotten(journal: Journal, index: int, term: int) -> bool:
    """Tell whether promises may be missing from `journal`, beside a snapshot of (index, term).

    An entry is committed when a quorum holds it durably, each behind the record of its term. So a
    journal whose term is below the snapshot's was not of that quorum, or has lost its tail since:

    - A follower applies what is committed before its own journal has synced it, and the snapshot
      of that may be durable first. A crash then leaves such a journal, and nothing is forgotten:
      promises in the newer terms were waiting for the journal.
    - Segments were lost, and with them votes in the newer terms and acknowledged entries.

    Nothing on disk tells the two apart, so the node must not vote before it has recovered. That
    costs no cluster its leader: crashes alone bring only a minority here.

    A journal of the snapshot's term that ends before it is the trace of an interrupted
    installation too. Its term and vote are there, and it votes.
    """
    return index > 0 and journal.term < term


def align(journal: Journal, index: int, term: int) -> None:
    """Make `journal` start at or before the snapshot's end (index, term) and hold it.

    A journal that ends before the snapshot, or disagrees with it there, holds nothing that the
    snapshot does not: it is reset, as the paper does on installing a snapshot. Whether it still
    holds what this node promised is another question: ask `may_have_forgotten` first. Raises
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
        if journal.term < term:
            journal.save_vote(term, 0)  # No log without its term: the next start must not doubt it.
        journal.reset(index, term)
        journal.sync()
