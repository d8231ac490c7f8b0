"""Damage at rest: the files of a stopped node are hurt on purpose, and what must follow is said.

    damage = damage_node(folder, Random(seed))        # one thing, chosen by the seed
    damage = damage_node(folder, random, part=Part.JOURNAL, kind=DamageKind.FLIPPED_BIT)
    print(damage.said, damage.duty, damage.why)
    damage.undo()                                     # the bytes are as they were

`duty` is what the product owes after exactly this damage. It follows from the layout of the files
and not from asking the product.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

from chaos.disks.journal_layout import (
    ENTRY_KIND,
    SEGMENT_HEADER_BYTES,
    PlacedSegment,
    read_layout,
)
from node.audit.directory import read_journal

PAGE_BYTES: Final = 4096
SNAPSHOT_NAME: Final = "state.lmdb"
SEAL_NAME: Final = "state.lmdb.seal"
_SEAL_MAGIC: Final = b"QBSEAL01"
_DRAWS_MAX: Final = 1_000


class DamageKind(StrEnum):
    """What is done to a file."""

    FLIPPED_BIT = "flipped bit"
    TRUNCATED = "truncated file"
    ZEROED_PAGE = "zeroed page"
    REMOVED = "removed file"


class Part(StrEnum):
    """Which files of a node are hurt."""

    JOURNAL = "journal"
    SNAPSHOT = "snapshot"


class Duty(StrEnum):
    """What the product owes. Whatever the duty, no node may come to another state than its peers.

    REFUSE: the node ends with code 70, names the damage, and `--recover` rebuilds it.
    TELL: the node starts, logs `journal_tail_dropped`, and gets what it lost from its peers.
    CATCH_UP: nothing on this disk can show the damage; the node refuses, or starts and gets what it
    lost from its peers.
    START: nothing is lost: the node starts by itself and is where it was.
    """

    REFUSE = "refuse"
    TELL = "tell"
    CATCH_UP = "catch up"
    START = "start"


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done to one file, and what the product owes."""

    kind: DamageKind
    part: Part
    file: Path
    offset: int
    """The first byte that changed; a truncated file ends here."""
    length: int
    """How many bytes it spans."""
    duty: Duty
    why: str
    before: bytes = field(repr=False)
    """All bytes of the file as they were."""

    @property
    def said(self) -> str:
        """Return what was done, in words."""
        place = self.file.name
        if self.kind is DamageKind.FLIPPED_BIT:
            return f"one bit flipped at byte {self.offset} of {place}"
        if self.kind is DamageKind.TRUNCATED:
            return f"{place} truncated at byte {self.offset}, {self.length} bytes are gone"
        if self.kind is DamageKind.ZEROED_PAGE:
            return f"{self.length} bytes of {place} zeroed from byte {self.offset}"
        return f"{place} removed"

    def undo(self) -> None:
        """Put the file back as it was."""
        self.file.touch(mode=0o600)
        self.file.write_bytes(self.before)


class NothingToDamageError(Exception):
    """The node has no file that could be hurt in the way that was asked for."""


def damage_node(
    folder: Path, random: Random, *, part: Part | None = None, kind: DamageKind | None = None
) -> Damage:
    """Hurt one file of the stopped node in `folder`, chosen by `random`; return what was done.

    Equal files and equal seeds give equal damage. Raises NothingToDamageError.
    """
    for _ in range(_DRAWS_MAX):
        drawn_part = part or random.choice(list(Part))
        drawn_kind = kind or random.choice(list(DamageKind))
        file = _draw_file(folder, random, drawn_part, drawn_kind)
        if file is None:
            continue
        before = file.read_bytes()
        after, begin, end = _hurt(before, drawn_kind, random)
        if after == before:
            continue  # A page that was zero, a file without a byte to lose.
        duty, why = _duty(folder, file, begin, end, after)
        if after is None:
            file.unlink()
        else:
            file.write_bytes(after)
        return Damage(drawn_kind, drawn_part, file, begin, end - begin, duty, why, before)
    raise NothingToDamageError(
        f"{folder} has nothing for {kind or 'damage'} in its {part or 'files'}"
    )


def _draw_file(folder: Path, random: Random, part: Part, kind: DamageKind) -> Path | None:
    if part is Part.SNAPSHOT:
        files = [folder / SNAPSHOT_NAME] * 4 + [folder / SEAL_NAME]
    else:
        journal = folder / "journal"
        files = sorted(journal.glob("segment-*.journal"))
        files += sorted(journal.glob("began-*")) if kind is DamageKind.REMOVED else []
    present = [file for file in files if file.exists()]
    return random.choice(present) if present else None


def _hurt(before: bytes, kind: DamageKind, random: Random) -> tuple[bytes | None, int, int]:
    """Return the file's bytes afterwards, None for no file, and what may differ: from, to."""
    if kind is DamageKind.REMOVED:
        return None, 0, len(before)
    if not before:
        return before, 0, 0
    at = random.randrange(len(before))
    if kind is DamageKind.TRUNCATED:
        return before[:at], at, len(before)
    if kind is DamageKind.FLIPPED_BIT:
        flipped = before[at] ^ 1 << random.randrange(8)
        return before[:at] + bytes([flipped]) + before[at + 1 :], at, at + 1
    start = at // PAGE_BYTES * PAGE_BYTES
    page = before[start : start + PAGE_BYTES]
    written = [start + place for place, byte in enumerate(page) if byte]
    if not written:
        return before, start, start
    after = before[:start] + bytes(len(page)) + before[start + len(page) :]
    return after, written[0], written[-1] + 1


def _duty(folder: Path, file: Path, begin: int, end: int, after: bytes | None) -> tuple[Duty, str]:
    if file.name == SEAL_NAME:
        return Duty.START, "a seal is made anew from a snapshot whose contents are sound"
    if file.name == SNAPSHOT_NAME:
        return _snapshot_duty(folder, removed=after is None)
    segments = read_layout(folder / "journal")
    hurt = next((segment for segment in segments if segment.path == file), None)
    if hurt is None:
        return Duty.START, "a mark only shows the loss of its segment, which is there"
    if after is None:
        return _removed_segment_duty(folder, segments, hurt)
    if len(after) < end:
        return _cut_duty(segments, hurt, begin)
    return _hurt_duty(segments, hurt, begin, end)


def _snapshot_duty(folder: Path, *, removed: bool) -> tuple[Duty, str]:
    seal = folder / SEAL_NAME
    sealed = seal.exists() and seal.read_bytes().startswith(_SEAL_MAGIC)
    if sealed:
        return Duty.REFUSE, "the seal says what every byte of the snapshot was"
    if removed and read_journal(folder / "journal")[0].base_index == 1:
        return Duty.START, "the journal reaches back to the genesis"
    if removed:
        return Duty.REFUSE, "the journal does not reach back to the genesis"
    return Duty.CATCH_UP, "without a seal, bytes that carry no state are not looked at"


def _removed_segment_duty(
    folder: Path, segments: list[PlacedSegment], hurt: PlacedSegment
) -> tuple[Duty, str]:
    base = read_journal(folder / "journal")[0].base_index
    if hurt.marked:
        return Duty.REFUSE, "its mark says that it has begun"
    if hurt is not segments[0] and hurt is not segments[-1]:
        return Duty.REFUSE, "the numbers of the segments have a gap"
    if len(segments) == 1:
        return Duty.REFUSE, "the node has taken part and has no journal"
    if hurt is segments[0] and any(
        record.kind == ENTRY_KIND and record.index >= base for record in hurt.records
    ):
        return Duty.REFUSE, "the log no longer starts at its base"
    return Duty.CATCH_UP, "no other segment needs what was in it"


def _cut_duty(segments: list[PlacedSegment], hurt: PlacedSegment, offset: int) -> tuple[Duty, str]:
    last = hurt is segments[-1]
    if offset < SEGMENT_HEADER_BYTES:
        if last and not hurt.marked:
            return Duty.CATCH_UP, "a segment that has not begun promises nothing"
        return Duty.REFUSE, "the segment ends inside its header"
    if offset in {SEGMENT_HEADER_BYTES, *(record.end for record in hurt.records)}:
        return Duty.CATCH_UP, "it ends with a whole record"
    if last:
        return Duty.TELL, "a record at the journal's end is cut, as by a power loss"
    return Duty.REFUSE, "a record is cut before the last segment"


def _hurt_duty(
    segments: list[PlacedSegment], hurt: PlacedSegment, begin: int, end: int
) -> tuple[Duty, str]:
    if hurt is not segments[-1]:
        return Duty.REFUSE, "a record before the last segment fails its checksum"
    if begin < SEGMENT_HEADER_BYTES:
        return Duty.REFUSE, "the segment's header fails its checksum"
    first = next((record for record in hurt.records if record.end > begin), None)
    if first is None:
        return Duty.START, "it lies behind the journal's durable end"
    later = [one for one in hurt.records if one.start >= end and one.flush > first.flush]
    if later:
        return Duty.REFUSE, f"flush {first.flush} is damaged and a later one is intact"
    return Duty.TELL, f"flush {first.flush} may be a tail that was never durable"
