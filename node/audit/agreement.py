"""Agreement between nodes: what all have in common, and whether they say the same there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.audit.directory import NodeData

if TYPE_CHECKING:
    from node.audit.report import NodeReport


@dataclass(frozen=True, slots=True)
class CommonIndex:
    """The highest index at which all logs hold the same entry.

    `committed` is the highest index that every log reaches and that some node knows to be
    committed: logs may differ behind it (entries of a leader that lost), never up to it.
    """

    index: int
    committed: int
    findings: list[str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the nodes are at their common index; `equal` when all of it is the same everywhere."""

    index: int
    committed: int
    nodes: int
    equal: bool
    chain: str
    state: str
    ledger: str
    findings: list[str]


def common_index(nodes: Sequence[NodeData]) -> CommonIndex:
    """Find the highest index at which every node's log has an entry of the same term.

    In Raft, the same index and term mean the same log up to there. A difference up to a committed
    index is a finding.
    """
    if not nodes:
        return CommonIndex(0, 0, [])
    findings = []
    if len({node.genesis.encode() for node in nodes}) > 1:
        findings.append("the nodes have different genesis: they are of different clusters")
        return CommonIndex(0, 0, findings)
    reach = min(node.last_index for node in nodes)
    committed = min(
        reach, max(max(node.journal.commit_index, node.snapshot_index) for node in nodes)
    )
    terms = [{entry.index: entry.term for entry in node.entries} for node in nodes]
    floor = max(node.start_index for node in nodes)
    if reach < floor:
        findings.append(
            f"one log ends at index {reach}, another starts at {floor}: there is nothing to compare"
        )
        return CommonIndex(reach, committed, findings)
    index = reach
    while index > floor and len({known[index] for known in terms if index in known}) > 1:
        index -= 1
    if index < committed:
        findings.append(f"the logs differ behind index {index} although {committed} is committed")
    return CommonIndex(index, committed, findings)


def compare(common: CommonIndex, nodes: Sequence["NodeReport"]) -> Agreement | None:
    """Compare what the nodes' replays came to at the common index; None for fewer than two."""
    if len(nodes) < 2:
        return None
    findings = list(common.findings)
    reached = [node.common for node in nodes]
    for name, values in (
        ("chain digest", {digests.chain.hex() if digests else "none" for digests in reached}),
        ("state digest", {digests.state.hex() if digests else "none" for digests in reached}),
        ("ledger digest", {digests.ledger.hex() if digests else "none" for digests in reached}),
    ):
        if len(values) > 1:
            findings.append(
                f"the nodes differ in {name} at index {common.index}: {', '.join(sorted(values))}"
            )
    first = reached[0]
    return Agreement(
        common.index,
        common.committed,
        len(nodes),
        not findings and first is not None,
        first.chain.hex() if first else "",
        first.state.hex() if first else "",
        first.ledger.hex() if first else "",
        findings,
    )
