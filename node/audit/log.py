"""The log by itself: what a journal holds, its entries in words, and whether they are sound."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from typing import Any, Final

from node.audit.directory import JournalSummary, read_journal
from node.audit.replay import GROUP_KIND
from node.consensus.journal_recovery import JournalEntry
from node.domain.command_types import CommandType
from node.domain.commands import COMMAND_SIZES, RECORD_FRAME
from node.domain.groups import GROUP_HEADER_SIZE
from node.storage.backup import is_backup, restore_backup

_GROUP: Final = Struct("<ihhqii")
_RECORD: Final = Struct("<iiihhq")
"""session, reserved, then the frame: length, type, flags, sequence."""


def log_info(root: Path) -> dict[str, Any]:
    """Return what the journal of the data directory or backup at `root` holds.

    Raises JournalDamageError when it is damaged.
    """
    with _journal(root) as (summary, _):
        return summary._asdict()


def log_dump(root: Path, first: int = 0, last: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the entries from `first` to `last` as JSON types, commands included."""
    with _journal(root) as (_, entries):
        for entry in entries:
            if entry.index >= first and (last is None or entry.index <= last):
                yield describe_entry(entry)


def entry_findings(entries: Iterable[JournalEntry]) -> list[str]:
    """Return what is wrong with the entries of a journal whose bytes are sound: [] when nothing is.

    Indexes must be gapless, terms and stamps must not go back, and each group must hold exactly the
    records that its header counts. Nothing is replayed: see `verify`.
    """
    findings: list[str] = []
    stamp = 0
    previous: JournalEntry | None = None
    for entry in entries:
        if previous is not None and entry.index != previous.index + 1:
            findings.append(f"entry {entry.index} follows entry {previous.index}")
        if previous is not None and entry.term < previous.term:
            findings.append(
                f"entry {entry.index} has term {entry.term} behind term {previous.term}"
            )
        previous = entry
        if entry.kind != GROUP_KIND:
            continue
        group = describe_group(entry.payload)
        findings += [f"entry {entry.index}: {finding}" for finding in group["findings"]]
        if group["stamp_ns"] < stamp:
            findings.append(f"entry {entry.index} has stamp {group['stamp_ns']} behind {stamp}")
        stamp = max(stamp, group["stamp_ns"])
    return findings


def describe_entry(entry: JournalEntry) -> dict[str, Any]:
    """Return one entry in words."""
    words: dict[str, Any] = {
        "index": entry.index,
        "term": entry.term,
        "kind": entry.kind,
        "size": len(entry.payload),
    }
    if entry.kind == GROUP_KIND:
        words["group"] = describe_group(entry.payload)
    return words


def describe_group(group: bytes) -> dict[str, Any]:
    """Return a group's header and commands, and in `findings` how it is malformed."""
    if len(group) < GROUP_HEADER_SIZE:
        return {
            "stamp_ns": 0,
            "commands": [],
            "findings": [f"a group of {len(group)} bytes has no header"],
        }
    length, rules_version, shard, stamp_ns, count, trailer_length = _GROUP.unpack_from(group)
    findings = []
    if length + trailer_length != len(group):
        findings.append(
            f"the group has {len(group)} bytes, its header says {length} and {trailer_length}"
        )
    commands, end = _commands(group, min(length, len(group)))
    if end != length or len(commands) != count:
        findings.append(
            f"the group holds {len(commands)} records up to byte {end}, its "
            f"header says {count} to {length}"
        )
    return {
        "rules_version": rules_version,
        "shard": shard,
        "stamp_ns": stamp_ns,
        "trailer_length": trailer_length,
        "commands": commands,
        "findings": findings,
    }


def _commands(group: bytes, end: int) -> tuple[list[dict[str, Any]], int]:
    """Return the records up to `end`, and where the last whole one ends."""
    commands = []
    offset = GROUP_HEADER_SIZE
    while offset + _RECORD.size <= end:
        session, _, length, kind, _, sequence = _RECORD.unpack_from(group, offset)
        after = offset + RECORD_FRAME + length
        if length < _RECORD.size - RECORD_FRAME or after > end:
            break
        known = COMMAND_SIZES.get(kind) == length
        commands.append(
            {
                "session": session,
                "sequence": sequence,
                "type": CommandType(kind).name if known else kind,
                "body": group[offset + _RECORD.size : after].hex(),
            }
        )
        offset = after
    return commands, offset


@contextmanager
def _journal(root: Path) -> Iterator[tuple[JournalSummary, list[JournalEntry]]]:
    """Give the journal under `root`, unpacking a backup for as long as it is read."""
    with ExitStack() as stack:
        if is_backup(root):
            unpacked = stack.enter_context(TemporaryDirectory(prefix="quorumbook-log-"))
            restore_backup(root, Path(unpacked) / "restored")
            root = Path(unpacked) / "restored"
        yield read_journal(root / "journal")
