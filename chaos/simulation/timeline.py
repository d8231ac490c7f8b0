"""A run as lines that a person can follow."""

from typing import Any

from chaos.report.run_report import Moment
from chaos.simulation import quiet_logs
from chaos.simulation.cluster import Cluster
from chaos.simulation.seed_run import Case, SeedResult, run_case

_UNTOLD = frozenset({"gateway_started"})


def run_recorded(case: Case) -> SeedResult:
    """Run `case` with a timeline of everything: faults, roles, what nodes log, violations."""
    running: list[Cluster] = []

    def take(event: str, facts: dict[str, Any]) -> None:
        if event in _UNTOLD or not running:
            return
        level = facts.pop("level")
        told = " ".join(f"{key}={_short(value)}" for key, value in facts.items())
        running[0].note("log", level, f"{event} {told}")

    quiet_logs.hand_lines_to(take)
    try:
        return run_case(case, record=True, on_cluster=running.append)
    finally:
        quiet_logs.silence()


def lines(moments: list[Moment]) -> list[str]:
    """Return one line a moment: milliseconds, who, what."""
    return [
        f"{moment.at_ms:10.3f} ms  {moment.lane:8} {moment.kind:14} {moment.text}"
        for moment in moments
    ]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
