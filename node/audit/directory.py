"""What an audit reads: genesis, snapshot and journal of a node, running or not, or a backup."""

from pathlib import Path
from typing import Final, NamedTuple

from node.consensus.file_system import FileSystem
from node.consensus.journal_recovery import JournalEntry, recover
from node.domain.genesis import Genesis
from node.storage.backup import is_backup, restore_backup
from node.storage.data_directory import DataDirectory
from node.storage.errors import StorageError
from node.storage.probe import ProbeReport, copy_live, probe_file
from node.storage.snapshot_file import read_meta, read_pages
from node.storage.snapshot_meta import SnapshotMeta

_ATTEMPTS: Final = 5
"""A running node may cut its journal behind a snapshot newer than the one just copied."""


class JournalSummary(NamedTuple):
    """The journal as its segments add up.

    Indexes, Raft state, and whether a tail was never durable.
    """

    base_index: int
    first_index: int
    last_index: int
    commit_index: int
    term: int
    vote: int
    entries: int
    payload_bytes: int
    segments: int
    torn_tail: bool


class NodeData(NamedTuple):
    """One node, read and checked for damage; `snapshot` is a sound file that nobody writes to."""

    root: Path
    live: bool
    genesis: Genesis
    snapshot: Path | None
    meta: SnapshotMeta | None
    probe: ProbeReport | None
    journal: JournalSummary
    entries: list[JournalEntry]

    @property
    def snapshot_index(self) -> int:
        """Return the index of the snapshot, 0 when there is none."""
        return self.meta.index if self.meta is not None else 0

    @property
    def last_index(self) -> int:
        """Return how far the node's data reaches."""
        return max(self.journal.last_index, self.snapshot_index)

    @property
    def starts_at_genesis(self) -> bool:
        """Return whether the journal holds everything since genesis, the snapshot's part too."""
        return self.journal.base_index == 1 and self.journal.last_index >= self.snapshot_index

    @property
    def start_index(self) -> int:
        """Return the index behind which a replay starts."""
        return 0 if self.starts_at_genesis else self.snapshot_index

    def snapshot_pages(self) -> list[tuple[bytes, bytes]]:
        """Return the pages of the snapshot, which there must be, in key order."""
        # Without one the journal reaches back to genesis: `open_node` saw to it.
        assert self.snapshot is not None
        return list(read_pages(self.snapshot))


class AuditError(Exception):
    """The directory cannot be audited as it is."""


def open_node(root: Path, scratch: Path) -> NodeData:
    """Read the data directory or backup at `root`; copies go to `scratch`, an empty directory.

    A running node is not disturbed: its snapshot is copied by LMDB's own reader, its journal read
    as far as it is durable. Raises SnapshotDamagedError, JournalDamageError, StorageError or
    AuditError.
    """
    if is_backup(root):
        restore_backup(root, scratch / "restored")
        return _read(DataDirectory(scratch / "restored"), root, scratch, live=False)
    directory = DataDirectory(root)
    if not directory.genesis.exists():
        raise AuditError(
            f"{root} is neither the data directory of a node nor a backup: it has no genesis.bin"
        )
    if directory.in_use():
        return _read(directory, root, scratch, live=True)
    with directory.locked():
        return _read(directory, root, scratch, live=False)


def _read(directory: DataDirectory, root: Path, scratch: Path, *, live: bool) -> NodeData:
    genesis = directory.read_genesis()
    for attempt in range(_ATTEMPTS):
        snapshot, probe = _snapshot(directory, scratch / f"snapshot-{attempt}", live=live)
        meta = read_meta(snapshot) if snapshot is not None else None
        try:
            journal, entries = read_journal(directory.journal)
        except FileNotFoundError:
            continue  # A running node deleted a segment between the listing and the reading.
        reached = meta.index if meta is not None else 0
        if journal.base_index <= reached + 1:
            return NodeData(root, live, genesis, snapshot, meta, probe, journal, entries)
        if not live:
            raise AuditError(
                f"{root}: the snapshot ends at index {reached}, the journal "
                f"starts at {journal.base_index}"
            )
    raise AuditError(
        f"{root}: the node cut its journal {_ATTEMPTS} times while it was read; try again"
    )


def _snapshot(
    directory: DataDirectory, target: Path, *, live: bool
) -> tuple[Path | None, ProbeReport | None]:
    if not directory.snapshot.exists():
        return None, None
    if live:
        return target, copy_live(directory.snapshot, target)
    return directory.snapshot, probe_file(directory.snapshot)


def read_journal(directory: Path) -> tuple[JournalSummary, list[JournalEntry]]:
    """Return what the journal in `directory` holds, without changing it.

    Raises JournalDamageError when it is damaged.
    """
    if not directory.is_dir():
        raise StorageError(f"there is no journal at {directory}")
    recovered = recover(FileSystem(), directory)
    entries = [
        JournalEntry(index, term, payload[0], payload[1:])
        for payload, index, term in recovered.entries
        if payload
    ]
    summary = JournalSummary(
        recovered.base_index,
        entries[0].index if entries else 0,
        entries[-1].index if entries else 0,
        recovered.commit,
        recovered.term,
        recovered.vote,
        len(entries),
        sum(len(entry.payload) for entry in entries),
        len(recovered.segments),
        recovered.torn is not None,
    )
    return summary, entries
