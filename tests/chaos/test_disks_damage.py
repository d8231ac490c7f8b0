"""Damage at rest: what it says was done was done, and what it says must follow does follow."""

import shutil
from pathlib import Path
from random import Random

import pytest

from chaos.disks.damage import (
    PAGE_BYTES,
    Damage,
    DamageKind,
    Duty,
    NothingToDamageError,
    Part,
    damage_node,
)
from chaos.disks.journal_layout import SEGMENT_HEADER_BYTES, read_layout
from node.audit.directory import read_journal
from node.consensus.errors import JournalDamageError
from node.consensus.journal import Journal
from node.consensus.journal_segment import SEGMENT_HEADER_SIZE
from node.storage.errors import SnapshotDamagedError
from node.storage.probe import probe_file
from tests.unit.audited_cluster import build_log, write_node

SEEDS = 250


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a stopped node: a snapshot, and a journal of several segments."""
    log = build_log(120)
    folder = write_node(tmp_path_factory.mktemp("stopped") / "node", log, snapshot_at=60)
    shutil.rmtree(folder / "journal")
    journal = Journal(folder / "journal", segment_bytes=8_000)
    journal.save_vote(1, 1)
    for entry in log.entries:
        journal.append(*entry)
        if entry[1] % 3 == 0:
            journal.sync()
    journal.commit = log.entries[-1][1]
    journal.close()
    return folder


@pytest.fixture
def folder(stopped: Path, tmp_path: Path) -> Path:
    """Return a copy that may be hurt."""
    return shutil.copytree(stopped, tmp_path / "node")


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file and its bytes."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def verdict(folder: Path) -> tuple[bool, bool, int]:
    """Return whether the journal is refused, whether its tail is dropped, and how far it goes."""
    try:
        summary, _ = read_journal(folder / "journal")
    except JournalDamageError:
        return True, False, 0
    return False, summary.torn_tail, summary.last_index


def check_duty(damage: Damage, folder: Path, whole: int) -> None:
    """Assert that the product does what `damage` says that it owes."""
    refused, dropped, reached = verdict(folder)
    said = f"{damage.said}: {damage.duty} since {damage.why}"
    if damage.duty is Duty.REFUSE:
        assert refused, said
    elif damage.duty is Duty.TELL:
        assert (refused, dropped) == (False, True), said
    elif damage.duty is Duty.START:
        assert (refused, reached) == (False, whole), said


def test_the_layout_is_the_one_that_the_product_writes(stopped: Path) -> None:
    """Every byte of every segment is header or record, and the newest segment is marked."""
    segments = read_layout(stopped / "journal")

    assert SEGMENT_HEADER_BYTES == SEGMENT_HEADER_SIZE
    assert len(segments) > 2
    for segment in segments:
        assert segment.records[-1].end == segment.path.stat().st_size
    assert [segment.marked for segment in segments] == [False] * (len(segments) - 1) + [True]


def test_the_product_owes_what_damage_to_a_journal_says(folder: Path) -> None:
    """For hundreds of seeds and every kind, the journal's reader does what the duty says."""
    whole = verdict(folder)[2]
    seen = set()
    for seed in range(SEEDS):
        damage = damage_node(folder, Random(seed), part=Part.JOURNAL)
        seen.add((damage.kind, damage.duty))

        check_duty(damage, folder, whole)
        damage.undo()

    assert {kind for kind, _ in seen} == set(DamageKind)
    assert {duty for _, duty in seen} >= {Duty.REFUSE, Duty.TELL, Duty.START}


@pytest.mark.parametrize("kind", list(DamageKind))
def test_a_sealed_snapshot_is_refused_whatever_is_hurt(folder: Path, kind: DamageKind) -> None:
    """While the seal is there, no damage to the snapshot passes the probe."""
    for seed in range(2):
        damage = damage_node(folder, Random(seed), part=Part.SNAPSHOT, kind=kind)
        if damage.file.name == "state.lmdb":
            assert damage.duty is Duty.REFUSE
            with pytest.raises((SnapshotDamagedError, FileNotFoundError)):
                probe_file(damage.file)
        else:
            assert damage.duty is Duty.START
            assert probe_file(folder / "state.lmdb").sealed is False
        damage.undo()


def test_one_file_changes_and_comes_back(folder: Path) -> None:
    """Exactly the file that is named differs, where it is said to; `undo` leaves no trace."""
    sound = contents(folder)
    for seed in range(40):
        damage = damage_node(folder, Random(seed))
        hurt = contents(folder)

        differing = {path for path in sound if sound[path] != hurt.get(path)}
        assert differing == {damage.file}
        after = hurt.get(damage.file, b"")
        assert after[: damage.offset] == sound[damage.file][: damage.offset]
        if damage.kind in {DamageKind.FLIPPED_BIT, DamageKind.ZEROED_PAGE}:
            assert damage.length <= PAGE_BYTES
            end = damage.offset + damage.length
            assert after[end:] == sound[damage.file][end:]
        damage.undo()
        assert contents(folder) == sound


def test_equal_seeds_give_equal_damage(folder: Path) -> None:
    """A report that names the seed is enough to do the same again."""
    first = damage_node(folder, Random(5))
    first.undo()

    assert damage_node(folder, Random(5)) == first


def test_a_node_without_the_part_has_nothing_to_damage(folder: Path) -> None:
    """Asked for the impossible, it says so and touches nothing."""
    for path in folder.glob("state.lmdb*"):
        path.unlink()
    before = contents(folder)

    with pytest.raises(NothingToDamageError, match="snapshot"):
        damage_node(folder, Random(1), part=Part.SNAPSHOT)

    assert contents(folder) == before
