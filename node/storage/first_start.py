"""Whether a node may trust an empty journal: only in a cluster's first hour.

A voter that lost its journal has forgotten its votes, and must not come back as if it were new. So
an empty journal counts as new only beside the file `fresh`, which whoever creates the cluster puts
there and the first start takes away. Otherwise the node must recover from its peers before it
votes.
"""

from pathlib import Path

from node.storage import durable
from node.storage.data_directory import DIRECTORY_MODE, DataDirectory
from node.storage.errors import JournalLostError
from node.storage.snapshot_store import SNAPSHOT_NAME


def declare_fresh(directory: DataDirectory) -> None:
    """Say, durably, that this node has never taken part in its cluster."""
    durable.write_whole(directory.fresh, b"")


def require_memory(directory: DataDirectory) -> None:
    """Return if the node remembers its votes, never cast any, or recovers.

    Raises JournalLostError otherwise.
    """
    has_journal = any(directory.journal.glob("segment-*"))
    if not (has_journal or directory.fresh.exists() or directory.recovering.exists()):
        raise JournalLostError(directory.journal)


def note_started(directory: DataDirectory) -> None:
    """Note that the journal exists, durably: from now on an empty one means that it was lost."""
    durable.remove(directory.fresh)


def set_damaged_aside(directory: DataDirectory) -> Path | None:
    """Move the journal and snapshot to `damaged-N`; return that, or None when there was nothing.

    Before anything is moved the node is marked as recovering, so that a crash on the way cannot
    make it start as if it were new: it votes again only when it holds all that it may have
    promised.
    """
    with directory.locked():
        durable.write_whole(directory.recovering, b"")
        damaged = [
            path
            for path in directory.root.iterdir()
            if path == directory.journal or path.name.startswith(SNAPSHOT_NAME)
        ]
        if not damaged:
            return None
        names = (directory.root / f"damaged-{number}" for number in range(1, 10_000))
        target = next(path for path in names if not path.exists())
        target.mkdir(mode=DIRECTORY_MODE)
        for path in damaged:
            path.rename(target / path.name)
        durable.sync_directory(target)
        durable.sync_directory(directory.root)
    return target
