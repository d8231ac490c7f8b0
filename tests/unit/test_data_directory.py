"""A data directory belongs to one process, one owner and one cluster."""

import os
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest

from node.domain.genesis import Genesis, default_limits
from node.storage.data_directory import DataDirectory, decode_genesis, genesis_hash
from node.storage.errors import DirectoryLockedError, GenesisMismatchError, StorageError

GENESIS = Genesis(b"c" * 16, 3, b"k" * 32, default_limits())


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    """The lock goes with the process that holds it, however it ends."""
    code = (
        "import sys; from pathlib import Path;"
        "from node.storage.data_directory import DataDirectory;"
        "d = DataDirectory(Path(sys.argv[1])).locked(); print('held', flush=True); sys.stdin.read()"
    )
    with Popen([executable, "-c", code, str(tmp_path)], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        directory = DataDirectory(tmp_path)
        assert directory.in_use()
        with pytest.raises(DirectoryLockedError, match=f"in use by process {child.pid}"):
            directory.locked()
        child.kill()
        child.wait()

    with directory.locked():
        assert directory.in_use()
    assert not directory.in_use()


def test_everything_is_for_the_owner_alone(tmp_path: Path) -> None:
    """Directories are 0700 and files 0600, whatever the umask and whatever was there."""
    (tmp_path / "node" / "journal").mkdir(parents=True, mode=0o755)
    mask = os.umask(0)
    try:
        directory = DataDirectory(tmp_path / "node")
        directory.create()
        directory.write_genesis(GENESIS)
        with directory.locked():
            pass
    finally:
        os.umask(mask)

    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.root.rglob("*")}
    assert modes == {
        "journal": 0o700,
        "incoming": 0o700,
        "log": 0o700,
        "genesis.bin": 0o600,
        "node.lock": 0o600,
    }
    assert directory.root.stat().st_mode & 0o777 == 0o700


def test_a_genesis_is_written_once_and_never_another(tmp_path: Path) -> None:
    """The same genesis may be given again; a different one is refused and nothing changes."""
    directory = DataDirectory(tmp_path)
    directory.write_genesis(GENESIS)
    directory.write_genesis(GENESIS)
    assert directory.read_genesis().encode() == GENESIS.encode()

    other = Genesis(b"d" * 16, 3, b"k" * 32, default_limits())
    with pytest.raises(GenesisMismatchError, match="belongs to one cluster for life"):
        directory.write_genesis(other)
    assert genesis_hash(directory.read_genesis()) == genesis_hash(GENESIS)


def test_what_is_no_genesis_is_refused(tmp_path: Path) -> None:
    """Missing, shortened, renamed or out of range: each is a typed error."""
    directory = DataDirectory(tmp_path)
    with pytest.raises(StorageError, match="is no"):
        directory.read_genesis()
    encoded = GENESIS.encode()
    assert decode_genesis(encoded).limits == GENESIS.limits
    for content in (
        b"",
        encoded[:-1],
        encoded + b"\x00",
        b"X" + encoded[1:],
        encoded[:-8] + b"\xff" * 8,
    ):
        directory.genesis.write_bytes(content)
        with pytest.raises(GenesisMismatchError):
            directory.read_genesis()


def test_a_cluster_key_of_another_size_is_refused(tmp_path: Path) -> None:
    """A node with half a key would only look healthy: its peers would refuse it."""
    directory = DataDirectory(tmp_path)
    with pytest.raises(StorageError, match="copy it from another node"):
        directory.read_cluster_key()
    directory.cluster_key.write_bytes(b"short")
    with pytest.raises(StorageError, match="has 5 bytes"):
        directory.read_cluster_key()
    directory.cluster_key.write_bytes(bytes(32))
    assert directory.read_cluster_key() == bytes(32)
