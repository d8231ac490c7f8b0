"""At most one leader a term."""

from typing import Final

from chaos.checkers.finding import Findings

ONE_LEADER: Final = "a term has one leader"


class Leadership:
    """Follow who says to lead which term."""

    def __init__(self) -> None:
        """Start with no leader."""
        self._leaders: dict[int, str] = {}
        self.findings = Findings()

    def say(self, replica: str, term: int) -> None:
        """Take that `replica` leads `term`, or did so until now."""
        self.findings.saw("leaders seen")
        leader = self._leaders.setdefault(term, replica)
        if leader != replica:
            self.findings.add(ONE_LEADER, f"{replica} and {leader} both lead term {term}")

    @property
    def terms(self) -> int:
        """How many terms had a leader."""
        return len(self._leaders)

    def finish(self) -> Findings:
        """Return the findings; that nobody ever led is one."""
        self.findings.expect("leaders seen")
        return self.findings
