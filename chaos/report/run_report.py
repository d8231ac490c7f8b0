"""The report of one run, as data: every command of `python -m chaos` fills one in.

`chaos.report.table` shows it to people, `to_json` to programs, `chaos.report.page` as HTML.
"""

import msgspec


class Figure(msgspec.Struct):
    """A number with a goal, the command that prints it, and whether the goal was met."""

    name: str
    value: str
    goal: str
    met: bool
    command: str


class Moment(msgspec.Struct):
    """A point or a span on the timeline picture."""

    at_ms: float
    lane: str
    """Who it happened to: "node 1", "clients", "network", "disk"."""
    kind: str
    """What happened, in one word: "kill", "leader", "partition", "violation", ..."""
    text: str
    until_ms: float = -1.0
    """The end of a span; -1 for a point."""


class Violation(msgspec.Struct):
    """An invariant that did not hold, and the command that shows it again."""

    invariant: str
    what: str
    reproduce: str
    seed: int = -1
    """The seed of a simulation; -1 for a real run."""
    timeline: list[str] = msgspec.field(default_factory=list)
    moments: list[Moment] = msgspec.field(default_factory=list)
    """The same as a picture, where there is one of this violation alone."""


class Operations(msgspec.Struct):
    """What clients asked, by outcome, and what checkers found about it."""

    acknowledged: int = 0
    rejected: int = 0
    unknown: int = 0
    reads: int = 0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    diverged: int = 0


class RunReport(msgspec.Struct):
    """All that one run has to say. Lists of times are in ms."""

    title: str
    command: str
    """The command line that ran it."""
    commit: str
    """The git commit of the sources, or "unknown"."""
    started: str
    """UTC, ISO 8601."""
    elapsed_seconds: float = 0.0
    seeds: int = 0
    seeds_per_minute: float = 0.0
    simulated_seconds: float = 0.0
    work: dict[str, int] = msgspec.field(default_factory=dict)
    """How much was simulated, by name: steps of virtual time, segments, groups, syncs, ..."""
    operations: Operations = msgspec.field(default_factory=Operations)
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each kind was injected."""
    unfelt: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each kind was tried and did not strike, besides."""
    left_out: dict[str, str] = msgspec.field(default_factory=dict)
    """Kinds that this machine could not give, and why."""
    failovers_ms: list[float] = msgspec.field(default_factory=list)
    """From the last old acknowledgement to the first new one."""
    recoveries_ms: list[float] = msgspec.field(default_factory=list)
    """From the start of a node to having caught up."""
    checks: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each invariant was checked."""
    figures: list[Figure] = msgspec.field(default_factory=list)
    violations: list[Violation] = msgspec.field(default_factory=list)
    timeline: list[Moment] = msgspec.field(default_factory=list)
    timeline_of: str = ""
    """Which part of the run `timeline` shows; "" when it is the whole run."""
    trace: str = ""
    """A hash over the traces of all seeds, in order: equal for equal simulations."""
    interrupted: bool = False
    """Whether the run was asked to end before it was done."""
    core: str = ""
    """The form in which the core ran, compiled or pure, where speed is measured; else empty."""

    @property
    def held(self) -> bool:
        """Whether nothing was violated."""
        return not self.violations


def to_json(report: RunReport) -> bytes:
    """Return the report as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


def from_json(content: bytes) -> RunReport:
    """Return the report that `to_json` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(content, type=RunReport)


def merge(reports: list[RunReport]) -> RunReport:
    """Return one report over several runs; counts add up, lists are joined, times too."""
    assert reports, "nothing to merge"
    first = reports[0]
    total = RunReport(first.title, first.command, first.commit, first.started, core=first.core)
    for report in reports:
        total.elapsed_seconds += report.elapsed_seconds
        total.seeds += report.seeds
        total.simulated_seconds += report.simulated_seconds
        for name in Operations.__struct_fields__:
            value = getattr(total.operations, name) + getattr(report.operations, name)
            setattr(total.operations, name, value)
        for counts, more in (
            (total.work, report.work),
            (total.faults, report.faults),
            (total.unfelt, report.unfelt),
            (total.checks, report.checks),
        ):
            for kind, count in more.items():
                counts[kind] = counts.get(kind, 0) + count
        total.left_out.update(report.left_out)
        total.failovers_ms += report.failovers_ms
        total.recoveries_ms += report.recoveries_ms
        total.figures += report.figures
        total.violations += report.violations
        total.interrupted |= report.interrupted
        if not total.timeline_of:  # Of one part: what is added to it happened at other times.
            total.timeline += report.timeline
            total.timeline_of = report.timeline_of
    if total.elapsed_seconds > 0:
        total.seeds_per_minute = 60 * total.seeds / total.elapsed_seconds
    return total
