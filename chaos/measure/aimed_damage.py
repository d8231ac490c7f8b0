"""Damage that chance would rarely choose: to a node's identity, and where it shows least."""

from pathlib import Path
from random import Random
from typing import Final

from chaos.disks.damage import Damage, DamageKind, Duty, Part
from chaos.disks.journal_layout import SEGMENT_HEADER_BYTES, read_layout

GENESIS: Final = "genesis.bin"
CLUSTER_KEY: Final = "cluster.key"
LOCK: Final = "state.lmdb-lock"
IDENTITY_SEAL: Final = "identity.seal"


def damage_file(folder: Path, name: str, kind: DamageKind, random: Random) -> Damage:
    """Hurt the file called `name` of a stopped node; return what was done and what is owed."""
    file = folder / name
    before = file.read_bytes()
    at = random.randrange(len(before))
    if kind is DamageKind.REMOVED:
        file.unlink()
        begin, end = 0, len(before)
    elif kind is DamageKind.TRUNCATED:
        file.write_bytes(before[:at])
        begin, end = at, len(before)
    elif kind is DamageKind.ZEROED_PAGE:
        file.write_bytes(bytes(len(before)))
        begin, end = 0, len(before)
    else:
        flipped = before[at] ^ 1 << random.randrange(8)
        file.write_bytes(before[:at] + bytes([flipped]) + before[at + 1 :])
        begin, end = at, at + 1
    return Damage(kind, Part.SNAPSHOT, file, begin, end - begin, *_duty(name), before)


def _duty(name: str) -> tuple[Duty, str]:
    if name == LOCK:
        return Duty.START, "it lists readers, of which a stopped node has none"
    if name == IDENTITY_SEAL:
        return Duty.START, "it is made anew from the files that it seals"
    return Duty.REFUSE, "a node must not take part as somebody else"


def cut_between_records(folder: Path, random: Random) -> Damage:
    """Cut the newest segment of the journal so that it ends with a whole record.

    It then looks like a journal in which less was written.
    """
    last = read_layout(folder / "journal")[-1]
    before = last.path.read_bytes()
    ends = [SEGMENT_HEADER_BYTES, *(record.end for record in last.records)]
    at = random.choice([end for end in ends if end < len(before)])
    last.path.write_bytes(before[:at])
    why = "it ends with a whole record"
    kind, part = DamageKind.TRUNCATED, Part.JOURNAL
    return Damage(kind, part, last.path, at, len(before) - at, Duty.CATCH_UP, why, before)
