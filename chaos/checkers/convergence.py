"""Convergence: whatever two replicas say about the same index must be the same.

Every index is compared, not the last one: two replicas may differ at one and meet again.
"""

from collections.abc import Iterable
from typing import Final

from chaos.checkers.finding import AGREEMENT, Findings


class Convergence:
    """Collect what replicas say about indexes, and compare as they do.

    One per kind of statement: chain digests, state digests, groups, events. A replica that says
    something else about an index than it said before (after a restart, say) is found as well.
    """

    def __init__(self, kind: str) -> None:
        """Compare statements of one `kind`, a word for people: "chain digest"."""
        self._kind: Final = kind
        self._said: dict[int, tuple[str, int]] = {}
        self._differs: set[str] = set()
        self.findings = Findings()
        self.findings.saw(f"{kind}s compared", 0)

    def say(self, replica: str, index: int, statement: bytes) -> None:
        """Take what `replica` says about `index`.

        Only the first difference of a replica is a finding: what follows from it is no news.
        """
        # A hash of 64 bits, keyed anew in every process, stands for the statement.
        mine = hash(statement)
        first, said = self._said.setdefault(index, (replica, mine))
        if said != mine:
            self.findings.saw(f"{self._kind}s compared")
            if replica not in self._differs:
                self._differs.add(replica)
                self.findings.add(
                    AGREEMENT, f"{replica} has another {self._kind} at index {index} than {first}"
                )
        elif first != replica:
            self.findings.saw(f"{self._kind}s compared")

    def say_all(self, replica: str, statements: Iterable[tuple[int, bytes]]) -> None:
        """Take many statements, (index, bytes) each, in any order."""
        for index, statement in statements:
            self.say(replica, index, statement)

    def forget_before(self, index: int) -> None:
        """Let go of what was said about indexes before `index`, to bound the memory of a long run.

        What is said about them later is compared with nothing.
        """
        self._said = {key: said for key, said in self._said.items() if key >= index}

    def finish(self) -> Findings:
        """Return the findings; that nothing was compared is one."""
        self.findings.expect(f"{self._kind}s compared")
        return self.findings
