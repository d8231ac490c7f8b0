"""The seal of a node's identity: which genesis and which cluster key it first started with.

Neither file has a checksum of its own. A flipped bit in a limit of the genesis, or in the key,
would make another node of this one: its peers would shut it out, and it would go on serving readers
with what it makes of its journal.
"""

import struct
from typing import Final

import google_crc32c
from blake3 import blake3

from node.storage import durable
from node.storage.data_directory import DataDirectory
from node.storage.errors import IdentityChangedError

_SEAL: Final = struct.Struct("<8s32s32s")
_CHECKSUM: Final = struct.Struct("<I")
_MAGIC: Final = b"QBIDENT1"
_KEY_CONTEXT: Final = "quorumbook identity seal"


def require_identity(directory: DataDirectory) -> None:
    """Return if genesis and key are the sealed ones, or no readable seal is there.

    Raises IdentityChangedError that names the file which differs, StorageError when one is missing.
    """
    sealed = _sealed(directory)
    if sealed is None:
        return
    genesis, key = sealed
    if genesis != _genesis_digest(directory):
        raise IdentityChangedError(directory.genesis, directory.identity_seal)
    if key != _key_digest(directory):
        raise IdentityChangedError(directory.cluster_key, directory.identity_seal)


def seal_identity(directory: DataDirectory) -> None:
    """Seal genesis and key as they are now, durably, unless they are sealed."""
    if _sealed(directory) is None:
        body = _SEAL.pack(_MAGIC, _genesis_digest(directory), _key_digest(directory))
        checksum = _CHECKSUM.pack(google_crc32c.value(body))
        durable.write_whole(directory.identity_seal, body + checksum)


def _sealed(directory: DataDirectory) -> tuple[bytes, bytes] | None:
    """Return the two digests in the seal; None when it is missing or damaged: it is made anew."""
    try:
        record = directory.identity_seal.read_bytes()
    except FileNotFoundError:
        return None
    body = record[: _SEAL.size]
    if record != body + _CHECKSUM.pack(google_crc32c.value(body)) or not body.startswith(_MAGIC):
        return None
    _, genesis, key = _SEAL.unpack(body)
    return genesis, key


def _genesis_digest(directory: DataDirectory) -> bytes:
    return blake3(directory.genesis.read_bytes()).digest()


def _key_digest(directory: DataDirectory) -> bytes:
    return blake3(directory.read_cluster_key(), derive_key_context=_KEY_CONTEXT).digest()
