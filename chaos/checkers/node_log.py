"""One stopped node's data, reduced to what tells its log from others': a few bytes an entry."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from chaos.checkers.finding import AGREEMENT, SOUND, Findings
from node.audit.directory import NodeData, open_node
from node.audit.verify import UNREADABLE


class NodeLog(NamedTuple):
    """What one node has: where its log starts and ends, and a hash for each entry in between.

    `start_index` is 0 or the snapshot's index, behind which a replay starts; `first_index` is of
    the first entry that has a hash, `last_index` how far log and snapshot reach.
    """

    root: Path
    genesis: bytes
    start_index: int
    snapshot_index: int
    first_index: int
    last_index: int
    last_term: int
    committed: int
    hashes: "array[int]"

    @property
    def name(self) -> str:
        """Return what to call the node in a finding."""
        return str(self.root)


@contextmanager
def opened(root: Path) -> Iterator[NodeData]:
    """Give the data of the node at `root`, checked for damage, for as long as it is looked at.

    Raises one of node.audit.verify.UNREADABLE when it is damaged or missing.
    """
    with TemporaryDirectory(prefix="quorumbook-judge-") as scratch:
        yield open_node(root, Path(scratch))


def survey(roots: Sequence[Path], findings: Findings) -> list[NodeLog]:
    """Return the logs of all nodes that can be read; one that cannot is a finding."""
    logs = []
    for root in roots:
        try:
            with opened(root) as node:
                logs.append(_reduce(node))
        except UNREADABLE as error:
            findings.add(SOUND, f"{root}: {error}")
    findings.saw("nodes", len(logs))
    findings.saw("log entries", sum(len(log.hashes) for log in logs))
    if len({log.genesis for log in logs}) > 1:
        findings.add(SOUND, "the nodes are of different clusters: their genesis differs")
        return []
    return logs


def agreed_index(one: NodeLog, other: NodeLog, committed: int, findings: Findings) -> int:
    """Return up to which index `one` holds what `other` holds; a committed difference is a finding.

    Where only a snapshot covers an index there is nothing to compare here: its digests are compared
    when the logs are replayed.
    """
    if one is other:
        return one.last_index
    first = max(one.first_index, other.first_index)
    last = min(one.last_index, other.last_index)
    for index in range(first, last + 1):
        place, other_place = index - one.first_index, index - other.first_index
        if place >= len(one.hashes) or other_place >= len(other.hashes):
            break
        if one.hashes[place] != other.hashes[other_place]:
            if index <= committed:
                findings.add(
                    AGREEMENT,
                    f"{one.name} and {other.name} hold different entries at index {index}, and "
                    f"{committed} is committed",
                )
            return index - 1
        findings.saw("log entries compared")
    return last


def _reduce(node: NodeData) -> NodeLog:
    entries = node.entries
    return NodeLog(
        node.root,
        node.genesis.encode(),
        node.start_index,
        node.snapshot_index,
        entries[0].index if entries else node.last_index + 1,
        node.last_index,
        max(entries[-1].term if entries else 0, node.meta.term if node.meta else 0),
        max(node.journal.commit_index, node.snapshot_index),
        # Python's own hash: 64 bits, keyed anew in every process, compared within this one.
        array("q", (hash((entry.term, entry.kind, entry.payload)) for entry in entries)),
    )
