"""Numbers that never go back: commit and applied indexes, terms, sequences."""

from chaos.checkers.finding import MONOTONIC, Findings


class Monotonic:
    """Follow the numbers that replicas show while they live."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._last: dict[tuple[str, str, int], int] = {}
        self.findings = Findings()

    def say(self, replica: str, name: str, value: int, life: int = 0) -> None:
        """Take the `value` that `replica` shows for `name`.

        What lives in memory (commit index, applied index) may start lower after a restart: give
        each life of the process its number. What is durable (the term) has one life.
        """
        self.findings.saw("indexes followed")
        key = (replica, name, life)
        last = self._last.get(key, value)
        if value < last:
            self.findings.add(MONOTONIC, f"{replica}: {name} went from {last} back to {value}")
        self._last[key] = max(last, value)

    def finish(self) -> Findings:
        """Return the findings; that nothing was followed is one."""
        self.findings.expect("indexes followed")
        return self.findings
