"""Verification of nodes' data.

Damage, replay, agreement, acknowledgements and conservation, in one report.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from node.audit.acknowledgements import AcknowledgementCheck, read_acknowledgements
from node.audit.agreement import common_index, compare
from node.audit.attestations import check_attestations
from node.audit.canonical import CanonicalStateError, read_state
from node.audit.conservation import check_conservation
from node.audit.directory import AuditError, NodeData, open_node
from node.audit.replay import Observer, Replay, StateDigests
from node.audit.report import AuditReport, NodeReport
from node.consensus.errors import ConsensusError
from node.engine.invariants import InvariantError
from node.engine.snapshot_error import SnapshotError
from node.storage.errors import StorageError

UNREADABLE: Final = (StorageError, ConsensusError, AuditError, OSError)
UNREPLAYABLE: Final = (SnapshotError, InvariantError, CanonicalStateError)


def verify(
    roots: Sequence[Path],
    *,
    acknowledgements: Path | None = None,
    observe: Observer | None = None,
    scratch: Path | None = None,
) -> AuditReport:
    """Verify data directories and backups, running nodes included, and compare them.

    Each is checked for damage and replayed from its first entry, or from its snapshot where the log
    was cut. What a snapshot says must be what the replay comes to. All must agree at the highest
    index that they have in common. `acknowledgements` are looked for in the longest log, whose
    replay `observe` sees. Nothing is raised for what is found: it is in the report. Raises
    AcknowledgementError when that file is none.
    """
    report = AuditReport()
    with TemporaryDirectory(prefix="quorumbook-verify-", dir=scratch) as directory:
        nodes = _open_all(roots, Path(directory), report)
        common = common_index(nodes)
        longest = max(nodes, key=lambda node: node.last_index, default=None)
        for node, entry in zip(
            nodes, [entry for entry in report.nodes if entry.readable], strict=True
        ):
            wanted, seen = (acknowledgements, observe) if node is longest else (None, None)
            try:
                _verify_node(node, entry, report, common.index, wanted, seen)
            except UNREPLAYABLE as error:
                entry.findings.append(f"the replay stopped: {error}")
    report.agreement = compare(common, [entry for entry in report.nodes if entry.readable])
    if acknowledgements is not None and report.acknowledgements is None:
        report.findings.append(
            "no log could be replayed to its end, so no acknowledgement was looked for"
        )
    return report


def _open_all(roots: Sequence[Path], scratch: Path, report: AuditReport) -> list[NodeData]:
    nodes = []
    for number, root in enumerate(roots):
        place = scratch / str(number)
        place.mkdir(mode=0o700)
        entry = NodeReport(str(root))
        report.nodes.append(entry)
        try:
            node = open_node(root, place)
        except UNREADABLE as error:
            entry.findings.append(str(error))
            continue
        entry.describe(node)
        nodes.append(node)
    return nodes


def _verify_node(
    node: NodeData,
    entry: NodeReport,
    report: AuditReport,
    common: int,
    acknowledgements: Path | None,
    seen: Observer | None,
) -> None:
    begun = time.monotonic_ns()
    full = node.starts_at_genesis
    replay = Replay(node.genesis, None if full else node.snapshot_pages())
    check = None
    if acknowledgements is not None:
        check = AcknowledgementCheck(read_acknowledgements(acknowledgements), replay.start_index)
    observe = _both(check.observe if check is not None else None, seen)
    stops = sorted(
        {
            index
            for index in (node.meta.index if node.meta else 0, common)
            if index >= replay.start_index
        }
    )
    at_stop: dict[int, StateDigests] = {}
    position = 0
    for stop in stops:
        upto = position
        while upto < len(node.entries) and node.entries[upto].index <= stop:
            upto += 1
        replay.feed(node.entries[position:upto], observe)
        position = upto
        at_stop[stop] = replay.digests()
        if stop == common:
            entry.set_conservation(stop, check_conservation(read_state(replay.canonical_pages())))
    replay.feed(node.entries[position:], observe)
    entry.findings += check_attestations(node.genesis.cluster_id, node.entries)
    end = replay.digests()
    if end.index > common or entry.conservation is None:
        state = read_state(replay.canonical_pages())
        entry.set_conservation(end.index, check_conservation(state))
    _check_snapshot(node, entry, at_stop)
    if full and node.meta is not None:
        _check_restart(node, entry, end)
    entry.set_replay(replay, end, at_stop.get(common), time.monotonic_ns() - begun)
    if check is not None:
        report.acknowledgements = check.report()


def _both(one: Observer | None, other: Observer | None) -> Observer | None:
    if one is None or other is None:
        return one or other

    def observe(index: int, replies: bytes, events: bytes) -> None:
        one(index, replies, events)
        other(index, replies, events)

    return observe


def replay_log(root: Path, observe: Observer) -> None:
    """Replay what one node has saved, running or not, and let `observe` see every group.

    Raises what `open_node` does, and SnapshotError or InvariantError when the log cannot be
    replayed.
    """
    with TemporaryDirectory(prefix="quorumbook-replay-") as scratch:
        node = open_node(root, Path(scratch))
        Replay(node.genesis, None if node.starts_at_genesis else node.snapshot_pages()).feed(
            node.entries, observe
        )


def _check_snapshot(node: NodeData, entry: NodeReport, at_stop: dict[int, StateDigests]) -> None:
    """Compare what the snapshot says of itself with what the replay came to at its index."""
    meta = node.meta
    if meta is None:
        return
    reached = at_stop[meta.index]
    for name, said, found in (
        ("index", meta.index, reached.index),
        ("chain digest", meta.chain_digest.hex(), reached.chain.hex()),
        ("state digest", meta.state_digest.hex(), reached.state.hex()),
        ("ledger digest", meta.ledger_digest.hex(), reached.ledger.hex()),
        ("page count", meta.page_count, reached.page_count),
    ):
        if said != found:
            entry.findings.append(
                f"the snapshot at index {meta.index} has {name} {said}, the replay {found}"
            )


def _check_restart(node: NodeData, entry: NodeReport, end: StateDigests) -> None:
    """Replay once more from the snapshot, as a restart does, and compare where both end."""
    restarted = Replay(node.genesis, node.snapshot_pages())
    restarted.feed(node.entries)
    again = restarted.digests()
    if again != end:
        entry.findings.append(
            f"from its snapshot the replay ends at {_show(again)}, from the start at {_show(end)}"
        )


def _show(digests: StateDigests) -> str:
    return (
        f"index {digests.index} with chain {digests.chain.hex()[:16]}, state "
        f"{digests.state.hex()[:16]}, "
        f"ledger {digests.ledger.hex()[:16]}"
    )
