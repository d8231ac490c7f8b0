"""Damage to a snapshot file is found by the probe before a node opens the file."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest

from node.storage import durable
from node.storage.errors import SnapshotDamagedError
from node.storage.probe import copy_live, probe_file
from node.storage.seal import break_seal, seal_path
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.snapshot_store import SnapshotStore
from tests.unit.audited_cluster import build_log, write_snapshot

ROOTS = [
    (page * 4096 + offset, bit) for page in (0, 1) for offset in range(160) for bit in range(8)
]
"""Every bit of LMDB's two root pages."""

_WORKER = """
import sys
from pathlib import Path
from node.engine.snapshot import digests
from node.storage.probe import inspect
path = Path(sys.argv[1])
sound = path.read_bytes()
for line in sys.stdin:
    offset, bit, length = map(int, line.split())
    content = bytearray(sound[: len(sound) - length])
    if bit >= 0:
        content[offset] ^= 1 << bit
    path.write_bytes(content)
    try:
        report = inspect(path, digests)
        print(f"sound {report.index} {report.state_digest}", flush=True)
    except Exception as error:
        print(f"found {type(error).__name__}", flush=True)
    path.write_bytes(sound)
"""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SnapshotMeta]:
    """Return the directory of a store with a snapshot of a busy venue, and its meta."""
    directory = tmp_path_factory.mktemp("snapshot")
    return directory, write_snapshot(directory, build_log(120).entries)


class Prober:
    """Probe many damaged versions of one file in a child.

    A child that dies found its damage too.
    """

    def __init__(self, path: Path) -> None:
        """Damage `path` again and again; it is whole again in between."""
        self._path = path
        self._sound = path.read_bytes()
        self._child = self._start()
        self.crashes = 0

    def _start(self) -> "Popen[str]":
        command = [executable, "-c", _WORKER, str(self._path)]
        return Popen(command, stdin=PIPE, stdout=PIPE, text=True)

    def verdict(self, offset: int, bit: int, cut: int = 0) -> str:
        """Return what the probe says of the file with one bit flipped, or `cut` bytes shorter."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{offset} {bit} {cut}\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            self.crashes += 1
            self.stop()
            self._path.write_bytes(self._sound)
            self._child = self._start()
            return "found crash"
        return answer.strip()

    def stop(self) -> None:
        """End the child."""
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            pipe.close()
        self._child.wait()


@pytest.fixture
def copied(snapshot: tuple[Path, SnapshotMeta], tmp_path: Path) -> Path:
    """Return a copy of the snapshot file with its seal."""
    for path in snapshot[0].glob("state.lmdb*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "state.lmdb"


def _bits(size: int, count: int) -> Iterator[tuple[int, int]]:
    rng = random.Random(11)
    for _ in range(count):
        yield rng.randrange(size), rng.randrange(8)


def test_a_sound_snapshot_passes_with_what_its_meta_says(
    snapshot: tuple[Path, SnapshotMeta],
) -> None:
    """The report carries index, page count and the digests recomputed from the pages."""
    directory, meta = snapshot

    report = probe_file(directory / "state.lmdb")

    assert (report.index, report.page_count, report.sealed) == (meta.index, meta.page_count, True)
    assert report.state_digest == meta.state_digest.hex()
    assert report.ledger_digest == meta.ledger_digest.hex()


def test_every_flipped_bit_of_a_sealed_file_is_found(copied: Path) -> None:
    """Wherever the bit is, free space included: 1,000 random flips and every bit of both roots."""
    prober = Prober(copied)
    size = copied.stat().st_size
    try:
        missed = [
            place
            for place in [*ROOTS, *_bits(size, 1_000)]
            if not prober.verdict(*place).startswith("found")
        ]
    finally:
        prober.stop()

    assert missed == []
    assert prober.crashes == 0


def test_every_truncation_is_found(copied: Path) -> None:
    """A file that lost its end, by a byte or by all of it, with or without its seal."""
    size = copied.stat().st_size
    cuts = [1, 100, 4_095, 4_096, 4_097, size // 2, size - 8_192, size - 4_096, size - 10, size]
    for sealed in (True, False):
        if not sealed:
            seal_path(copied).unlink()
        prober = Prober(copied)
        try:
            verdicts = [prober.verdict(0, -1, cut) for cut in cuts]
        finally:
            prober.stop()
        # Without a seal a cut that leaves the last page whole enough for nothing to be missing is
        # harmless.
        harmless = f"sound {probe_file(copied).index} {probe_file(copied).state_digest}"
        assert all(
            verdict.startswith("found") or (not sealed and verdict == harmless)
            for verdict in verdicts
        ), verdicts
        assert prober.crashes == 0


def test_without_a_seal_no_flipped_bit_changes_what_is_served(
    snapshot: tuple[Path, SnapshotMeta], copied: Path
) -> None:
    """After an interrupted commit a flip is found, or the state is the same bit for bit."""
    break_seal(copied, snapshot[1].index, snapshot[1].index + 100)
    sound = probe_file(copied)
    prober = Prober(copied)
    harmless = f"sound {sound.index} {sound.state_digest}"
    try:
        verdicts = [
            prober.verdict(*place) for place in [*ROOTS, *_bits(copied.stat().st_size, 1_000)]
        ]
    finally:
        prober.stop()

    assert {verdict for verdict in verdicts if verdict.startswith("sound")} <= {harmless}
    assert sum(verdict.startswith("found") for verdict in verdicts) > 300


def test_a_damaged_file_is_refused_with_what_was_found_and_what_to_do(copied: Path) -> None:
    """The parent's error names the file, the finding and the command that rebuilds the node."""
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    copied.write_bytes(content)

    with pytest.raises(
        SnapshotDamagedError, match=r"state.lmdb is damaged: its bytes differ.*--recover"
    ):
        probe_file(copied)


def test_the_snapshot_of_a_running_node_is_copied_and_probed_beside_its_commits(
    snapshot: tuple[Path, SnapshotMeta], copied: Path, tmp_path: Path
) -> None:
    """Another process may copy while this one has the store open."""
    store = SnapshotStore(copied.parent)

    report = copy_live(copied, tmp_path / "copy.lmdb")

    assert report.index == snapshot[1].index
    assert store.latest() == snapshot[1]
    assert report.state_digest == snapshot[1].state_digest.hex()
    assert probe_file(tmp_path / "copy.lmdb").state_digest == report.state_digest
    store.close()


def test_a_copy_that_was_damaged_before_it_was_hashed_is_refused(
    snapshot: tuple[Path, SnapshotMeta], copied: Path, tmp_path: Path
) -> None:
    """Size and hash may be right and the snapshot wrong: the probe's child has the last word."""
    donor = SnapshotStore(copied.parent)
    path, digest, size = donor.copy()
    donor.close()
    content = bytearray(path.read_bytes())
    content[content.index(b"\x05" * 20) + 3] ^= 2  # Inside the address of account 5.
    (tmp_path / "own").mkdir()
    store = SnapshotStore(tmp_path / "own")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content)

    with pytest.raises(SnapshotDamagedError, match="checksum of page"):
        store.install(damaged, durable.hash_file(damaged), size)
    assert store.latest() is None

    assert store.install(path, digest, size) == snapshot[1] == store.latest()
    store.close()
    assert probe_file(tmp_path / "own" / "state.lmdb").sealed
