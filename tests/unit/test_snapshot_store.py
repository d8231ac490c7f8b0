"""The snapshot store keeps whole snapshots, replaces them whole, and says what it cannot do."""

import resource
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import google_crc32c
import pytest
from blake3 import blake3

from node.storage import snapshot_file
from node.storage.errors import (
    SnapshotContradictionError,
    SnapshotDamagedError,
    SnapshotFullError,
    SnapshotMismatchError,
)
from node.storage.probe import ProbeReport, inspect
from node.storage.seal import check_seal, seal_path
from node.storage.snapshot_meta import SnapshotMeta, decode_meta
from node.storage.snapshot_store import SnapshotStore

GENESIS = bytes(range(32))


def page(kind: int, number: int, size: int = 600, fill: int = 1) -> tuple[bytes, bytes]:
    """Return a page of `size` bytes that differ with `fill`."""
    key = kind.to_bytes(2, "big") + number.to_bytes(8, "big")
    return key, (blake3(key + bytes([fill])).digest() * (size // 32 + 1))[:size]


def digests(pages: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Stand in for the engine's digests: any change of any page changes both."""
    state = blake3()
    for key, value in pages:
        state.update(key).update(value)
    return state.digest(), blake3(state.digest()).digest()


def meta_for(index: int, pages: dict[bytes, bytes], genesis: bytes = GENESIS) -> SnapshotMeta:
    """Return the meta of a whole snapshot."""
    state, ledger = digests(sorted(pages.items()))
    return SnapshotMeta(
        index,
        7,
        6,
        bytes([index % 256]) * 32,
        state,
        ledger,
        len(pages),
        index * 10,
        genesis,
        ((1, "127.0.0.1:9001"),),
    )


def probe(path: Path) -> ProbeReport:
    """Probe a byte-for-byte copy in this process, which may have the file itself open."""
    with TemporaryDirectory(dir=path.parent) as directory:
        copied = Path(shutil.copy(path, directory))
        if seal_path(path).exists():
            shutil.copy(seal_path(path), directory)
        return inspect(copied, digests)


def open_store(directory: Path, **options: int) -> SnapshotStore:
    """Open a store whose copies are probed in this process."""
    directory.mkdir(exist_ok=True)
    return SnapshotStore(directory, genesis_hash=GENESIS, probe=probe, **options)


def filled(directory: Path, count: int = 50) -> tuple[SnapshotStore, dict[bytes, bytes]]:
    """Return a store with a snapshot of `count` pages at index 10, and the pages."""
    store = open_store(directory)
    pages = dict(page(1, number, 100 + 97 * number) for number in range(count))
    store.commit(pages.items(), meta_for(10, pages))
    return store, pages


def test_a_commit_survives_a_reopen_with_its_meta_and_pages_in_key_order(tmp_path: Path) -> None:
    """What was committed is what is read, in key order, by this process and the next."""
    store, pages = filled(tmp_path)
    assert list(store.pages()) == sorted(pages.items())
    store.close()

    again = open_store(tmp_path)

    assert again.latest() == meta_for(10, pages)
    assert list(again.pages()) == sorted(pages.items())
    assert probe(again.path).sealed


def test_a_new_store_has_no_snapshot_and_passes_the_probe(tmp_path: Path) -> None:
    """An empty store is not a damaged one."""
    store = open_store(tmp_path)

    assert store.latest() is None
    assert list(store.pages()) == []
    assert probe(store.path).index == 0


def test_a_commit_writes_only_what_changed(tmp_path: Path) -> None:
    """Pages that are not among the changes stay, an empty value deletes."""
    store, pages = filled(tmp_path)
    changed, added, gone = page(1, 3, fill=2), page(2, 1), min(pages)

    pages.update([changed, added])
    del pages[gone]
    store.commit([changed, added, (gone, b"")], meta_for(11, pages))

    assert dict(store.pages()) == pages
    assert probe(store.path).index == 11


def test_a_commit_that_does_not_follow_changes_nothing(tmp_path: Path) -> None:
    """An older index, another genesis or a wrong page count leaves the old snapshot."""
    store, pages = filled(tmp_path)
    extra = page(9, 9)

    with pytest.raises(SnapshotContradictionError, match="cannot follow"):
        store.commit([extra], meta_for(10, pages))
    with pytest.raises(SnapshotContradictionError, match="another genesis"):
        store.commit([extra], meta_for(11, pages, genesis=bytes(32)))
    with pytest.raises(SnapshotContradictionError, match="50 pages and the store would hold 51"):
        store.commit([extra], meta_for(11, pages))

    assert dict(store.pages()) == pages
    assert store.latest() == meta_for(10, pages)


def test_the_map_grows_until_the_snapshot_fits(tmp_path: Path) -> None:
    """A snapshot far larger than the first map is committed, in as many doublings as needed."""
    store = open_store(tmp_path, first_map_size=1 << 16)
    pages = dict(page(1, number, 5_000) for number in range(400))

    store.commit(pages.items(), meta_for(1, pages))

    assert dict(store.pages()) == pages


def test_a_full_map_is_a_typed_error_and_its_changes_are_owed_to_the_next_commit(
    tmp_path: Path,
) -> None:
    """At the bound the old snapshot stays; the next commit that fits brings the changes of both."""
    store = open_store(tmp_path, first_map_size=1 << 18, most_map_size=1 << 18)
    first = dict([page(1, 1)])
    store.commit(first.items(), meta_for(1, first))
    large = dict(page(2, number, 5_000) for number in range(100))

    with pytest.raises(SnapshotFullError, match="no room"):
        store.commit(large.items(), meta_for(2, first | large))
    assert dict(store.pages()) == first
    assert store.latest() == meta_for(1, first)

    kept = dict(list(large.items())[:5])
    removals = [(key, b"") for key in large if key not in kept]
    store.commit(removals, meta_for(3, first | kept))
    assert dict(store.pages()) == first | kept
    assert probe(store.path).index == 3


def test_a_full_disk_is_a_typed_error_and_the_snapshot_before_it_stays(tmp_path: Path) -> None:
    """When the file may not grow the old snapshot stays; a size limit stands in for the disk."""
    store, pages = filled(tmp_path)
    large = dict(page(2, number, 50_000) for number in range(200))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(SnapshotFullError):
            store.commit(large.items(), meta_for(11, pages | large))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert dict(store.pages()) == pages
    assert store.latest() == meta_for(10, pages)
    assert probe(store.path).index == 10

    store.commit([], meta_for(12, pages | large))
    assert dict(store.pages()) == pages | large


def test_a_copy_is_compact_described_exactly_and_installs_elsewhere(tmp_path: Path) -> None:
    """Path, hash and size are those of a file that makes another store the same."""
    store, pages = filled(tmp_path / "a")
    other = open_store(tmp_path / "b")
    copied = store.copy()
    path, digest, size = copied
    assert blake3(path.read_bytes()).digest() == digest
    assert path.stat().st_size == size <= store.path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600

    meta = other.install(path, digest, size)

    assert meta == store.latest() == other.latest()
    assert dict(other.pages()) == pages
    assert not path.exists()
    assert check_seal(other.path).sealed
    more = page(3, 1)
    other.commit([more], meta_for(20, pages | dict([more])))
    assert dict(other.pages()) == pages | dict([more])


def test_a_copy_that_differs_from_its_description_is_refused_unopened(tmp_path: Path) -> None:
    """A wrong size or hash is found before anything reads the file as LMDB."""
    store, pages = filled(tmp_path / "a")

    def must_not_be_called(path: Path) -> None:
        raise AssertionError(path)

    (tmp_path / "b").mkdir()
    other = SnapshotStore(tmp_path / "b", probe=must_not_be_called)
    path, digest, size = store.copy()

    with pytest.raises(SnapshotMismatchError, match="bytes, not"):
        other.install(path, digest, size + 1)
    with pytest.raises(SnapshotMismatchError, match="blake3"):
        other.install(path, bytes(32), size)

    assert other.latest() is None
    assert store.latest() == meta_for(10, pages)


def test_a_copy_of_another_cluster_or_an_older_index_is_refused(tmp_path: Path) -> None:
    """Installing never changes the cluster and never goes back."""
    store, _ = filled(tmp_path / "a")
    old = store.copy()
    (tmp_path / "b").mkdir()
    foreign = SnapshotStore(tmp_path / "b", probe=probe)
    pages = dict([page(1, 1)])
    foreign.commit(pages.items(), meta_for(99, pages, genesis=bytes(32)))

    with pytest.raises(SnapshotMismatchError, match="another genesis"):
        store.install(*foreign.copy())
    newer = {**dict(store.pages()), **pages}
    store.commit(pages.items(), meta_for(11, newer))
    with pytest.raises(SnapshotMismatchError, match="behind ours"):
        store.install(*old)

    assert dict(store.pages()) == newer


def test_a_commit_that_an_install_has_overtaken_does_nothing(tmp_path: Path) -> None:
    """A checkpoint of the state that was replaced neither fails nor mixes into the new one."""
    store, pages = filled(tmp_path / "a")
    other = open_store(tmp_path / "b")
    first = dict([page(8, 1)])
    other.commit(first.items(), meta_for(1, first))
    other.install(*store.copy())

    late = page(8, 2)
    other.commit([late], meta_for(2, first | dict([late])))

    assert dict(other.pages()) == pages
    assert other.latest() == store.latest()


def test_copies_and_reads_beside_commits_each_see_one_snapshot(tmp_path: Path) -> None:
    """While 40 commits go on, every copy probes sound and every read is of one index."""
    store, pages = filled(tmp_path)
    reached = threading.Event()
    failures: list[BaseException] = []

    def copy_until_done() -> None:
        try:
            while not reached.is_set():
                copied = store.copy()
                assert probe(copied.path).index >= 10
                copied.path.unlink()
                digests(store.pages())
        except BaseException as error:  # noqa: BLE001  # Carried to the test's thread.
            failures.append(error)

    reader = threading.Thread(target=copy_until_done)
    reader.start()
    for index in range(11, 51):
        changes = [page(1, number, 4_000, fill=index) for number in range(index % 7, 50, 7)]
        pages.update(changes)
        store.commit(changes, meta_for(index, pages))
    reached.set()
    reader.join()

    assert failures == []
    assert probe(store.path).index == 50


def test_leftovers_of_a_crash_are_removed_at_the_start(tmp_path: Path) -> None:
    """Half-made copies and half-moved installs do not pile up."""
    store, pages = filled(tmp_path)
    store.copy()
    (tmp_path / "state.lmdb.install.new").write_bytes(b"half")
    store.close()

    assert dict(open_store(tmp_path).pages()) == pages
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "state.lmdb",
        "state.lmdb-lock",
        "state.lmdb.seal",
    ]


def test_the_meta_record_is_read_back_exactly_and_any_flipped_bit_is_refused() -> None:
    """Every field survives, and no single flipped bit goes unnoticed."""
    meta = meta_for(5, dict([page(1, 1)]))
    record = meta.encode()
    assert decode_meta(record) == meta

    for bit in range(len(record) * 8):
        damaged = bytearray(record)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"its meta record|checksum"):
            decode_meta(bytes(damaged))


@pytest.mark.parametrize("count", [-1, 2, (1 << 31) - 1])
def test_a_meta_record_that_counts_wrongly_is_refused_in_words(count: int) -> None:
    """Also when its checksum is right: the error is ValueError, which says what was found."""
    body = bytearray(meta_for(3, {}).encode()[:-4])
    at = body.index((1).to_bytes(4, "little") + (1).to_bytes(4, "little"))
    body[at : at + 4] = count.to_bytes(4, "little", signed=True)
    checksum = google_crc32c.value(bytes(body))

    with pytest.raises(ValueError, match="its meta record"):
        decode_meta(bytes(body) + checksum.to_bytes(4, "little"))


def test_a_page_that_rots_while_the_node_runs_is_refused_when_read(tmp_path: Path) -> None:
    """Reading does not trust what the probe saw at the start."""
    store, pages = filled(tmp_path)
    store.close()
    value = pages[max(pages)]
    content = bytearray((tmp_path / "state.lmdb").read_bytes())
    content[content.rindex(value) + 5] ^= 1
    (tmp_path / "state.lmdb").write_bytes(content)

    with pytest.raises(SnapshotDamagedError, match="checksum of page"):
        list(snapshot_file.read_pages(tmp_path / "state.lmdb"))
    seal_path(tmp_path / "state.lmdb").unlink()
    with pytest.raises(SnapshotDamagedError, match="--recover"):
        probe(tmp_path / "state.lmdb")
