"""Whether a node still is who it was when it first started."""

from pathlib import Path

import pytest

from node.domain.genesis import Genesis, default_limits
from node.storage.data_directory import DataDirectory
from node.storage.errors import IdentityChangedError, StorageError
from node.storage.identity_seal import require_identity, seal_identity


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    """Return the directory of a node that has started once."""
    made = DataDirectory(tmp_path / "node-1")
    made.create()
    made.write_genesis(Genesis(b"c" * 16, 3, b"k" * 32, default_limits()))
    made.cluster_key.write_bytes(bytes(range(32)))
    require_identity(made)  # Nothing is sealed yet.
    seal_identity(made)
    return made


@pytest.mark.parametrize("name", ["genesis.bin", "cluster.key"])
def test_no_bit_of_genesis_or_key_changes_unseen(directory: DataDirectory, name: str) -> None:
    """Whichever bit of either file flips, the node refuses and names the file."""
    file = directory.root / name
    sound = file.read_bytes()
    for place in range(len(sound)):
        flipped = sound[place] ^ 1 << place % 8
        file.write_bytes(sound[:place] + bytes([flipped]) + sound[place + 1 :])
        with pytest.raises(IdentityChangedError, match=name):
            require_identity(directory)
    file.write_bytes(sound)
    require_identity(directory)


def test_a_missing_key_is_named(directory: DataDirectory) -> None:
    """A file that is gone is no other file: the error says where to get it."""
    directory.cluster_key.unlink()
    with pytest.raises(StorageError, match=r"there is no .*cluster\.key"):
        require_identity(directory)


@pytest.mark.parametrize("left", [b"", b"QBIDENT1", bytes(76)])
def test_a_damaged_seal_is_made_anew(directory: DataDirectory, left: bytes) -> None:
    """Damage to the seal says nothing about the files, and does not stop the node."""
    sound = directory.identity_seal.read_bytes()
    directory.identity_seal.write_bytes(left)
    require_identity(directory)
    seal_identity(directory)
    assert directory.identity_seal.read_bytes() == sound


def test_a_seal_is_never_made_to_fit(directory: DataDirectory) -> None:
    """Sealing again keeps the sound seal, so that a changed file is still found."""
    directory.cluster_key.write_bytes(bytes(32))
    seal_identity(directory)
    with pytest.raises(IdentityChangedError):
        require_identity(directory)


def test_the_seal_does_not_hold_the_key(directory: DataDirectory) -> None:
    """Whoever reads the seal learns no secret, and only the owner may."""
    assert directory.cluster_key.read_bytes() not in directory.identity_seal.read_bytes()
    assert directory.identity_seal.stat().st_mode & 0o777 == 0o600
