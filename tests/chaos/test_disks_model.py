"""The model of a disk that forgets: what must survive a power loss, what may, and what must not."""

import errno
from collections.abc import Callable
from random import Random

import pytest

from chaos.disks.forgetful_files import ROOT, DiskError, ForgetfulFiles
from chaos.disks.forgetful_inode import SECTOR_BYTES

SEEDS = range(60)
FILE = 0o100600
FOLDER = 0o040700
OLD = bytes(range(1, 251)) * 10
NEW = b"\xff" * len(OLD)


def disk(seed: int, capacity_bytes: int = 1 << 20) -> ForgetfulFiles:
    """Return an empty disk."""
    return ForgetfulFiles(Random(seed), capacity_bytes)


def make_file(files: ForgetfulFiles, name: str, content: bytes, folder: int = ROOT) -> int:
    """Make a file whose bytes are synced and whose name is not; return its number."""
    inode = files.make(folder, name, FILE, 0, 0)
    files.write(inode.number, 0, content)
    inode.sync()
    return inode.number


def made_durable(files: ForgetfulFiles, name: str, content: bytes = OLD) -> int:
    """Make a file that a power loss cannot touch; return its number."""
    number = make_file(files, name, content)
    files.sync_names(ROOT)
    return number


def content_of(files: ForgetfulFiles, name: str, folder: int = ROOT) -> bytes | None:
    """Return a file's bytes, None when there is no such name."""
    try:
        return bytes(files.look_up(folder, name).data)
    except DiskError:
        return None


def outcomes(scene: Callable[[ForgetfulFiles], object]) -> list[ForgetfulFiles]:
    """Play a scene and a power loss under many seeds; return the disks afterwards."""
    disks = [disk(seed) for seed in SEEDS]
    for files in disks:
        scene(files)
        files.lose_power()
    return disks


def test_what_was_synced_with_its_name_survives() -> None:
    """Bytes, size and name are as they were, under every seed."""
    for files in outcomes(lambda files: made_durable(files, "log")):
        assert content_of(files, "log") == OLD


def test_a_name_that_was_not_synced_may_be_lost() -> None:
    """Syncing a file does not make its name durable: both outcomes occur, each whole."""
    found = {
        content_of(files, "log") for files in outcomes(lambda files: make_file(files, "log", OLD))
    }

    assert found == {None, OLD}


def test_unsynced_bytes_survive_by_sectors_in_any_order() -> None:
    """Each sector is old or new as a whole; all old, all new and mixtures occur."""

    def overwrite(files: ForgetfulFiles) -> None:
        files.write(made_durable(files, "log"), 0, NEW)

    seen = set()
    for files in outcomes(overwrite):
        content = content_of(files, "log")
        assert content is not None
        assert len(content) == len(OLD)
        for start in range(0, len(OLD), SECTOR_BYTES):
            end = start + SECTOR_BYTES
            assert content[start:end] in {OLD[start:end], NEW[start:end]}
        seen.add("old" if content == OLD else "new" if content == NEW else "torn")
        if content not in {OLD, NEW} and content[:SECTOR_BYTES] == OLD[:SECTOR_BYTES]:
            seen.add("a later sector without the first")

    assert seen == {"old", "new", "torn", "a later sector without the first"}


def test_an_unsynced_append_may_leave_a_torn_tail() -> None:
    """What was synced stays; behind it lie whole sectors of new bytes, or zeros, or nothing."""
    durable = OLD[:700]

    def append(files: ForgetfulFiles) -> None:
        files.write(made_durable(files, "log", durable), len(durable), NEW)

    sizes = set()
    for files in outcomes(append):
        content = content_of(files, "log")
        assert content is not None
        assert content[: len(durable)] == durable
        assert set(content[len(durable) :]) <= {0, 0xFF}
        sizes.add(len(content))

    assert min(sizes) == len(durable)
    assert max(sizes) == len(durable) + len(NEW)
    assert len(sizes) > 3


def test_a_truncation_is_durable_only_when_synced() -> None:
    """Without a sync the old end may be back; with one it may not."""

    def truncate(files: ForgetfulFiles) -> None:
        files.resize(made_durable(files, "log"), 600)

    def truncate_durably(files: ForgetfulFiles) -> None:
        truncate(files)
        files.look_up(ROOT, "log").sync()

    assert {content_of(files, "log") for files in outcomes(truncate)} == {OLD, OLD[:600]}
    assert {content_of(files, "log") for files in outcomes(truncate_durably)} == {OLD[:600]}


def test_bytes_written_after_a_truncation_never_bring_old_ones_back() -> None:
    """A file cut to nothing and written anew is the old one, or new bytes and zeros."""

    def rewrite(files: ForgetfulFiles) -> None:
        number = made_durable(files, "log")
        files.resize(number, 0)
        files.write(number, 0, NEW)

    for files in outcomes(rewrite):
        content = content_of(files, "log")
        assert content is not None
        assert content == OLD or set(content) <= {0, 0xFF}


def test_a_replacement_means_the_old_file_or_the_new_one() -> None:
    """Write, sync, rename: without a sync of the folder either is there, never neither."""

    def replace(files: ForgetfulFiles) -> None:
        made_durable(files, "state")
        make_file(files, "state.new", NEW)
        files.rename(ROOT, "state.new", ROOT, "state")

    def replace_durably(files: ForgetfulFiles) -> None:
        replace(files)
        files.sync_names(ROOT)

    assert {content_of(files, "state") for files in outcomes(replace)} == {OLD, NEW}
    for files in outcomes(replace_durably):
        assert content_of(files, "state") == NEW
        assert content_of(files, "state.new") is None


def test_a_replacement_by_an_unsynced_file_may_leave_an_empty_one() -> None:
    """Who forgets to sync the file before the rename finds less than either."""

    def replace(files: ForgetfulFiles) -> None:
        made_durable(files, "state")
        inode = files.make(ROOT, "state.new", FILE, 0, 0)
        files.write(inode.number, 0, NEW)
        files.rename(ROOT, "state.new", ROOT, "state")
        files.sync_names(ROOT)

    found = {content_of(files, "state") for files in outcomes(replace)}

    assert b"" in found
    assert OLD not in found


def test_names_survive_in_the_order_in_which_they_changed() -> None:
    """As with a file system that keeps a journal: never the later change without the earlier."""

    def make_three(files: ForgetfulFiles) -> None:
        for name in ("a", "b", "c"):
            make_file(files, name, OLD)

    found = {tuple(sorted(files.get(ROOT).names)) for files in outcomes(make_three)}

    assert found == {(), ("a",), ("a", "b"), ("a", "b", "c")}


def test_a_removed_file_may_come_back_until_its_folder_is_synced() -> None:
    """Removal is a change of names like any other."""

    def remove(files: ForgetfulFiles) -> None:
        made_durable(files, "log")
        files.unlink(ROOT, "log")

    def remove_durably(files: ForgetfulFiles) -> None:
        remove(files)
        files.sync_names(ROOT)

    assert {content_of(files, "log") for files in outcomes(remove)} == {OLD, None}
    for files in outcomes(remove_durably):
        assert content_of(files, "log") is None
        assert files.used_bytes == 0


def test_a_rename_between_folders_is_one_change() -> None:
    """Syncing either folder makes it durable in both: never two names, never none."""
    for synced in (ROOT, "target"):

        def move(files: ForgetfulFiles, synced: int | str = synced) -> None:
            made_durable(files, "log")
            target = files.make(ROOT, "target", FOLDER, 0, 0).number
            files.rename(ROOT, "log", target, "log")
            files.sync_names(ROOT if synced == ROOT else target)

        for files in outcomes(move):
            target = files.look_up(ROOT, "target").number
            assert content_of(files, "log") is None
            assert content_of(files, "log", target) == OLD


def test_a_file_in_a_folder_that_was_not_synced_is_lost_with_it() -> None:
    """Names are durable only as far up as they were synced."""

    def nest(files: ForgetfulFiles) -> None:
        folder = files.make(ROOT, "folder", FOLDER, 0, 0).number
        make_file(files, "log", OLD, folder)
        files.sync_names(folder)

    found = set()
    for files in outcomes(nest):
        if "folder" in files.get(ROOT).names:
            found.add(content_of(files, "log", files.look_up(ROOT, "folder").number))
        else:
            found.add(None)

    assert found == {OLD, None}


def test_after_a_failed_sync_a_second_one_proves_nothing() -> None:
    """The bytes are read back, the next sync succeeds, and still they are gone after the loss."""

    def fail_once(files: ForgetfulFiles) -> None:
        number = made_durable(files, "log")
        inode = files.get(number)
        files.write(number, 0, NEW)
        inode.fail_sync()
        assert content_of(files, "log") == NEW
        inode.sync()

    for files in outcomes(fail_once):
        assert content_of(files, "log") == OLD


def test_bytes_written_anew_after_a_failed_sync_are_synced() -> None:
    """Writing again is the only way out."""

    def write_again(files: ForgetfulFiles) -> None:
        number = made_durable(files, "log")
        files.write(number, 0, NEW)
        files.get(number).fail_sync()
        files.write(number, 0, NEW)
        files.get(number).sync()

    for files in outcomes(write_again):
        assert content_of(files, "log") == NEW


def test_a_full_disk_takes_what_fits_and_overwrites_what_is_there() -> None:
    """Short writes, then ENOSPC; blocks that are there can be written; removal makes room."""
    files = disk(1, capacity_bytes=8_192)
    number = made_durable(files, "log", bytes(4_000))

    assert files.write(number, 4_000, bytes(10_000)) == 8_192 - 4_000
    with pytest.raises(DiskError) as full:
        files.write(number, 8_192, b"x")
    assert full.value.number == errno.ENOSPC
    assert files.write(number, 0, NEW) == len(NEW)
    with pytest.raises(DiskError):
        files.make(ROOT, "other", FILE, 0, 0)

    files.unlink(ROOT, "log")
    files.sync_names(ROOT)
    assert files.used_bytes == 0


def test_a_removed_file_stays_while_it_is_open() -> None:
    """Its bytes can be read and written until the kernel lets go of it."""
    files = disk(1)
    number = made_durable(files, "log")
    files.get(number).lookups = 1
    files.unlink(ROOT, "log")
    files.sync_names(ROOT)

    assert bytes(files.get(number).data) == OLD
    files.forget(number, 1)
    with pytest.raises(DiskError):
        files.get(number)


def test_equal_seeds_lose_the_same() -> None:
    """The seed decides everything that chance decides."""

    def busy(files: ForgetfulFiles) -> list[object]:
        number = made_durable(files, "log")
        files.write(number, 100, NEW * 3)
        make_file(files, "other", OLD)
        return [files.lose_power(), content_of(files, "log"), content_of(files, "other")]

    assert [busy(disk(seed)) for seed in SEEDS] == [busy(disk(seed)) for seed in SEEDS]


def test_durable_is_whatever_random_work_synced_last() -> None:
    """Against a plain model: after any work, a file synced at the end is exactly as it was left."""
    for seed in SEEDS:
        random = Random(seed)
        files = disk(seed)
        number = made_durable(files, "log", b"")
        model = bytearray()
        for _ in range(3):
            for _ in range(random.randrange(12)):
                if random.random() < 0.25:
                    size = random.randrange(4_000)
                    files.resize(number, size)
                    model = bytearray(bytes(model[:size]).ljust(size, b"\0"))
                else:
                    offset, content = random.randrange(4_000), random.randbytes(900)
                    files.write(number, offset, content)
                    model.extend(bytes(max(0, offset - len(model))))
                    model[offset : offset + len(content)] = content
            files.get(number).sync()
            for _ in range(random.randrange(3)):
                files.get(number).sync()
            files.lose_power()
            assert content_of(files, "log") == bytes(model)
