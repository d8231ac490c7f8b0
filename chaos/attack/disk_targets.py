"""Decoders of what lies on disk: journal segments, a snapshot's description, the genesis."""

from collections.abc import Sequence
from pathlib import Path
from struct import Struct, pack_into
from typing import Any, Final

import google_crc32c

from chaos.attack.target import BrokenPromiseError, Forms, Target
from node.consensus.errors import JournalDamageError
from node.consensus.file_system import FileSystem
from node.consensus.journal_record import (
    BASE,
    COMMIT,
    END_OF_FLUSH,
    ENTRY,
    HEADER_SIZE,
    RESET,
    TRUNCATE,
    VOTE,
    Record,
    decode,
    encode,
)
from node.consensus.journal_recovery import recover
from node.consensus.journal_segment import (
    SEGMENT_HEADER_SIZE,
    SegmentHeader,
    SegmentReader,
    decode_header,
    segment_name,
)
from node.domain.genesis import Genesis, default_limits
from node.storage.data_directory import decode_genesis
from node.storage.snapshot_meta import SnapshotMeta, decode_meta

NONCE: Final = 12_345
_FOLDER: Final = Path("journal")
_NAME: Final = segment_name(1)
_PATH: Final = _FOLDER / _NAME
_RECORD_LENGTH = Struct("<I")
_CRC_AT: Final = 4
_CRC_FROM: Final = 8
_HEADER_CRC_AT: Final = SEGMENT_HEADER_SIZE - 4


def segments() -> list[bytes]:
    """Return segments of every kind of record, in one flush and in many."""
    header = SegmentHeader(1, NONCE, 1, 1, 3, 2, 1).encode()
    flows = (
        [Record(ENTRY, n, 3, b"\0group %d" % n) for n in range(1, 6)],
        [
            Record(VOTE, 2, 4),
            Record(ENTRY, 1, 4, b"\0a"),
            Record(ENTRY, 2, 4, b"\0b"),
            Record(TRUNCATE, 2, 4),
            Record(ENTRY, 2, 5, b"\0c"),
            Record(COMMIT, 2, 5),
        ],
        [
            Record(ENTRY, 1, 1, b"\0a"),
            Record(ENTRY, 2, 1, b"\0b"),
            Record(BASE, 2, 1),
            Record(RESET, 9, 2),
            Record(ENTRY, 10, 2, b"\0" + b"z" * 300),
        ],
    )
    found = []
    for records in flows:
        for flush_size in (1, 2, len(records)):
            parts = [header]
            for place, record in enumerate(records):
                ends = (place + 1) % flush_size == 0 or place == len(records) - 1
                flush = 1 + place // flush_size  # Down: the flush that the record is in.
                parts += encode(record, END_OF_FLUSH if ends else 0, flush, NONCE)
            found.append(b"".join(parts))
    return [header, *found]


def check_again(data: bytes) -> bytes:
    """Return a segment whose checksums are right: of its header, and of each record in turn."""
    if len(data) < SEGMENT_HEADER_SIZE:
        return data
    fixed = bytearray(data)
    pack_into("<I", fixed, _HEADER_CRC_AT, google_crc32c.value(bytes(fixed[:_HEADER_CRC_AT])))
    nonce = int.from_bytes(fixed[12:16], "little")
    offset = SEGMENT_HEADER_SIZE
    while offset + HEADER_SIZE <= len(fixed):
        (length,) = _RECORD_LENGTH.unpack_from(fixed, offset + _CRC_FROM)
        end = offset + HEADER_SIZE + length
        if end > len(fixed):
            break
        body = bytes(fixed[offset + HEADER_SIZE : end])
        crc = google_crc32c.extend(nonce, bytes(fixed[offset + _CRC_FROM : offset + HEADER_SIZE]))
        pack_into("<I", fixed, offset + _CRC_AT, google_crc32c.extend(crc, body))
        offset = end
    return bytes(fixed)


class OneSegment(FileSystem):
    """A disk with one segment and its mark, in memory."""

    def __init__(self, data: bytes) -> None:
        """Hold `data`."""
        self._data = data

    def names(self, directory: Path) -> list[str]:
        """Return the two names."""
        del directory
        return ["began-00000001", _NAME]

    def read(self, path: Path) -> bytes:
        """Return the segment."""
        del path
        return self._data


def judge_journal(inputs: Sequence[bytes]) -> None:
    """Demand that bytes are a journal, or damage by name, and nothing else."""
    for data in inputs:
        _judge_record(data)
        try:
            journal = recover(OneSegment(data), _FOLDER)
        except JournalDamageError:
            continue
        if sum(len(entry[0]) for entry in journal.entries) > len(data):
            raise BrokenPromiseError(f"{len(journal.entries)} entries out of {len(data)} bytes")


def _judge_record(data: bytes) -> None:
    """Demand of the first record, and of a segment that is not the last, what their readers say."""
    stored = decode(data, SEGMENT_HEADER_SIZE, NONCE)
    if stored is not None and stored.end > len(data):
        raise BrokenPromiseError("a record ends behind the segment")
    if len(data) & 3 == 0:
        try:
            header = decode_header(_PATH, data)
            for _ in SegmentReader(_PATH, data, header, last=False):
                pass
        except JournalDamageError:
            return


def judge_meta(inputs: Sequence[bytes]) -> None:
    """Demand that bytes are a description, to the byte, or ValueError."""
    for data in inputs:
        try:
            meta = decode_meta(data)
        except ValueError:
            continue
        if meta.encode() != data:
            raise BrokenPromiseError("a description was read that encodes to other bytes")


def seal_meta(data: bytes) -> bytes:
    """Return `data` with a right checksum behind it."""
    body = data[:-4]
    checksum: int = google_crc32c.value(body)
    return body + checksum.to_bytes(4, "little")


def judge_genesis(inputs: Sequence[bytes]) -> None:
    """Demand that bytes are a genesis, to the byte, or ValueError."""
    for data in inputs:
        try:
            genesis = decode_genesis(data)
        except ValueError:
            continue
        if genesis.encode() != data:
            raise BrokenPromiseError("a genesis was read that encodes to other bytes")


def genesis_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return what one form makes of the fields of a genesis, or why it refuses them."""
    limits = tuple(
        int.from_bytes(data[at : at + 8], "little") for at in range(64, len(data) - 7, 8)
    )
    try:
        made = forms.genesis.Genesis(
            data[8:24], int.from_bytes(data[24:32], "little"), data[32:64], limits
        )
    except ValueError as error:
        return str(error)
    return made.encode()


def disk_targets() -> list[Target]:
    """Return the decoders of files."""
    member = (1, "127.0.0.1:7411")
    metas = [
        SnapshotMeta(9, 3, 2, b"c" * 32, b"s" * 32, b"l" * 32, 4, 99, b"g" * 32, members).encode()
        for members in ((), (member,), (member, (2, "node-2.example:1"), (3, "::1:1")))
    ]
    genesis = Genesis(bytes(range(16)), 0, b"k" * 32, default_limits()).encode()
    journal = ("journal_record", "journal_segment", "journal_recovery")
    return [
        Target(
            "journal",
            "a journal segment and its records",
            tuple(f"node.consensus.{name}" for name in journal),
            segments(),
            judge_journal,
            repair=check_again,
        ),
        Target(
            "snapshot-meta",
            "what a snapshot says about itself",
            ("node.storage.snapshot_meta",),
            metas,
            judge_meta,
            repair=seal_meta,
        ),
        Target(
            "genesis",
            "the genesis of a cluster",
            ("node.domain.genesis", "node.storage.data_directory"),
            [genesis],
            judge_genesis,
            verdict=genesis_verdict,
        ),
    ]
