"""What a snapshot says about itself: one fixed-layout record beside its pages."""

import struct
from dataclasses import dataclass
from typing import Final

import google_crc32c

_MAGIC: Final = b"QBSNAP01"
_LAYOUT: Final = struct.Struct("<8sqqqqq32s32s32s32si")
"""magic, index, both terms, page count, stamp, three digests, genesis hash, member count."""
_MEMBER: Final = struct.Struct("<iH")
_CHECKSUM: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class SnapshotMeta:
    """The log position, digests and membership that belong to a snapshot's pages.

    `previous_term` is the term of the entry at `index - 1` (consensus aligns its journal by both);
    digests have 32 bytes; `members` is (node number, peer address as "host:port"), in order of
    number.
    """

    index: int
    term: int
    previous_term: int
    chain_digest: bytes
    state_digest: bytes
    ledger_digest: bytes
    page_count: int
    stamp_ns: int
    genesis_hash: bytes
    members: tuple[tuple[int, str], ...] = ()

    def encode(self) -> bytes:
        """Return the record: the fixed part, the members, and a CRC32C over both."""
        parts = [
            _LAYOUT.pack(
                _MAGIC,
                self.index,
                self.term,
                self.previous_term,
                self.page_count,
                self.stamp_ns,
                self.chain_digest,
                self.state_digest,
                self.ledger_digest,
                self.genesis_hash,
                len(self.members),
            )
        ]
        for number, address in self.members:
            encoded = address.encode()
            parts += [_MEMBER.pack(number, len(encoded)), encoded]
        body = b"".join(parts)
        return body + _CHECKSUM.pack(google_crc32c.value(body))


def decode_meta(record: bytes) -> SnapshotMeta:
    """Return what `SnapshotMeta.encode` wrote.

    Raises ValueError that says in which way the record is not one.
    """
    if len(record) < _LAYOUT.size + _CHECKSUM.size:
        raise ValueError(f"its meta record has {len(record)} bytes")
    body = record[: -_CHECKSUM.size]
    if _CHECKSUM.pack(google_crc32c.value(body)) != record[-_CHECKSUM.size :]:
        raise ValueError("the checksum of its meta record is wrong")
    magic, index, term, previous_term, pages, stamp, chain, state, ledger, genesis, count = (
        _LAYOUT.unpack_from(body)
    )
    if magic != _MAGIC:
        raise ValueError(f"its meta record begins with {magic!r}, not {_MAGIC!r}")
    if count < 0:
        raise ValueError(f"its meta record counts {count} members")
    members: list[tuple[int, str]] = []
    offset = _LAYOUT.size
    for place in range(count):
        if offset + _MEMBER.size > len(body):
            raise ValueError(f"its meta record ends before member {place + 1} of {count}")
        number, length = _MEMBER.unpack_from(body, offset)
        offset += _MEMBER.size
        members.append((number, body[offset : offset + length].decode()))
        offset += length
    if offset != len(body):
        raise ValueError(f"its meta record has {len(body)} bytes where its members end at {offset}")
    return SnapshotMeta(
        index, term, previous_term, chain, state, ledger, pages, stamp, genesis, tuple(members)
    )
