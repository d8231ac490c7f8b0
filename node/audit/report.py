"""What an audit came to, as plain data: `to_dict` is what `--json` prints."""

from dataclasses import asdict
from typing import Any

from node.audit.acknowledgements import AcknowledgementReport
from node.audit.agreement import Agreement
from node.audit.conservation import Conservation
from node.audit.directory import NodeData
from node.audit.replay import Replay, StateDigests
from node.storage.data_directory import genesis_hash


class NodeReport:
    """One node: what was read, what its replay came to, and all that is wrong (`findings`)."""

    def __init__(self, root: str) -> None:
        """Start with nothing read."""
        self.root = root
        self.readable = False
        self.findings: list[str] = []
        self.common: StateDigests | None = None
        self.end: StateDigests | None = None
        self.conservation: Conservation | None = None
        self._facts: dict[str, Any] = {}

    @property
    def ok(self) -> bool:
        """Return whether it was read and replayed without a finding."""
        return self.readable and self.end is not None and not self.findings

    def describe(self, node: NodeData) -> None:
        """Take down what was read."""
        self.readable = True
        self._facts |= {
            "live": node.live,
            "genesis_hash": genesis_hash(node.genesis).hex(),
            "journal": node.journal._asdict(),
            "snapshot": asdict(node.probe) if node.probe is not None else None,
        }
        if node.meta is not None and node.meta.genesis_hash != genesis_hash(node.genesis):
            self.findings.append("its snapshot belongs to another genesis")

    def set_conservation(self, index: int, conservation: Conservation) -> None:
        """Take down the first totals given (at the common index) and all contradictions."""
        if self.conservation is None:
            self.conservation = conservation
        self.findings += [f"at index {index}: {finding}" for finding in conservation.findings]

    def set_replay(
        self, replay: Replay, end: StateDigests, common: StateDigests | None, elapsed_ns: int
    ) -> None:
        """Take down what the replay came to."""
        self.end = end
        self.common = common
        self._facts["replay"] = {
            "from_index": replay.start_index,
            "to_index": end.index,
            "groups": replay.groups,
            "commands": replay.commands,
            "fills": replay.fills,
            "rejections": replay.rejections(),
            "checkpoints": [_digests(digests) for digests in replay.checkpoints],
            "elapsed_ms": elapsed_ns // 1_000_000,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        conservation = self.conservation
        return {
            "directory": self.root,
            "ok": self.ok,
            "findings": self.findings,
            **self._facts,
            "end": _digests(self.end),
            "common": _digests(self.common),
            "conservation": (
                {"exact": not conservation.findings, **conservation.totals._asdict()}
                if conservation
                else None
            ),
        }


class AuditReport:
    """All nodes of one verification, and what they have in common."""

    def __init__(self) -> None:
        """Start empty; `verify` fills it."""
        self.nodes: list[NodeReport] = []
        self.findings: list[str] = []
        self.agreement: Agreement | None = None
        self.acknowledgements: AcknowledgementReport | None = None

    @property
    def ok(self) -> bool:
        """Return whether every claim held.

        Nodes sound, all in agreement, no acknowledgement lost or altered.
        """
        acknowledgements = self.acknowledgements
        return (
            bool(self.nodes)
            and not self.findings
            and all(node.ok for node in self.nodes)
            and (self.agreement is None or self.agreement.equal)
            and (acknowledgements is None or acknowledgements.lost == acknowledgements.altered == 0)
        )

    def all_findings(self) -> list[str]:
        """Return everything wrong, each with where it was found."""
        found = [
            f"{node.root}: {finding}" for node in self.nodes for finding in node.findings
        ] + self.findings
        if self.agreement is not None:
            found += self.agreement.findings
        if self.acknowledgements is not None:
            found += self.acknowledgements.examples
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {
            "ok": self.ok,
            "findings": self.all_findings(),
            "nodes": [node.to_dict() for node in self.nodes],
            "agreement": asdict(self.agreement) if self.agreement else None,
            "acknowledgements": self.acknowledgements._asdict() if self.acknowledgements else None,
        }


def _digests(digests: StateDigests | None) -> dict[str, Any] | None:
    if digests is None:
        return None
    return {
        "index": digests.index,
        "chain": digests.chain.hex(),
        "state": digests.state.hex(),
        "ledger": digests.ledger.hex(),
        "page_count": digests.page_count,
    }
