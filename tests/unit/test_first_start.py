"""Whether an empty journal may be trusted."""

from pathlib import Path

import pytest

from node.consensus.recovery_marker import RECOVERING_MARKER
from node.storage.data_directory import DataDirectory
from node.storage.errors import JournalLostError
from node.storage.first_start import (
    declare_fresh,
    note_started,
    require_memory,
    set_damaged_aside,
)


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    """Return a data directory that nobody has declared anything about."""
    made = DataDirectory(tmp_path / "node-1")
    made.create()
    return made


def write_journal(directory: DataDirectory) -> None:
    """Give the node a segment; its content does not matter here."""
    (directory.journal / "segment-00000001.journal").write_bytes(b"votes")


def test_an_empty_journal_is_trusted_only_in_a_fresh_directory(directory: DataDirectory) -> None:
    """A voter that lost its journal does not start as if it were new; a new one does."""
    with pytest.raises(JournalLostError, match="--recover"):
        require_memory(directory)
    declare_fresh(directory)
    require_memory(directory)


def test_the_first_start_ends_the_trust(directory: DataDirectory) -> None:
    """Once a journal has existed, losing it is noticed, whatever else is left."""
    declare_fresh(directory)
    write_journal(directory)
    note_started(directory)
    require_memory(directory)
    for segment in directory.journal.iterdir():
        segment.unlink()
    with pytest.raises(JournalLostError):
        require_memory(directory)


def test_what_is_set_aside_leaves_a_recovering_node(directory: DataDirectory) -> None:
    """A crash right after the damaged files were moved leaves a node that will not vote."""
    write_journal(directory)
    (directory.root / "state.lmdb").write_bytes(b"damaged")
    aside = set_damaged_aside(directory)
    assert aside is not None
    assert sorted(path.name for path in aside.iterdir()) == ["journal", "state.lmdb"]
    assert directory.recovering.exists()
    require_memory(directory)


def test_the_mark_is_the_one_that_consensus_reads(directory: DataDirectory) -> None:
    """Two layers that cannot import each other name the same file."""
    assert directory.recovering.name == RECOVERING_MARKER
