"""`attack fuzz`: run the slices, compare the forms, and say what was reached."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from chaos.attack import coverage_guided
from chaos.attack.both_forms import compare
from chaos.attack.fuzz_state import FuzzState, load_state
from chaos.attack.fuzzing import Fuzzing
from chaos.attack.known_findings import feed_again
from chaos.attack.options import AttackOptions
from chaos.attack.target import Target
from chaos.attack.targets import all_targets
from chaos.invocation import invocation
from chaos.report.run_report import Figure, RunReport

REACHED: Final = "fuzz executions"
"""The figure that grows over runs: not reaching it in one run is no failure."""
_FORM_BATCHES: Final = 24
_FORM_BATCHES_QUICK: Final = 2


def fuzz(options: AttackOptions, report: RunReport, say: Callable[[str], None]) -> None:
    """Attack the decoders and add figures and findings to `report`."""
    known = all_targets()
    names = _chosen(known, options.targets)
    feed_again(options.state, names, report)
    state = load_state(options.state, options.seed)
    if options.engine == "atheris":
        _follow_coverage(names, options, report, say)
    else:
        fuzzing = Fuzzing(state, options.state, say)
        left = max(options.executions - _counted(state, known), 0)
        try:
            if left:
                fuzzing.run(names, options.seconds, left, options.jobs)
        finally:
            report.violations += fuzzing.violations
        _add_slice(report, fuzzing)
        _add_reached(report, options, state, known)
    _compare_forms([known[name] for name in names], options, report)


def replay(name: str, file: Path) -> None:
    """Feed one saved input to the target called `name`; let come out of it what does."""
    target = all_targets().get(name)
    if target is None:
        raise click.UsageError("--replay needs --target, the decoder that the input is for")
    target.judge([file.read_bytes()])


def _chosen(known: dict[str, Target], wanted: tuple[str, ...]) -> list[str]:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise click.UsageError(f"no target {unknown[0]!r}; there are {', '.join(known)}")
    return list(wanted or known)


def _counted(state: FuzzState, known: dict[str, Target]) -> int:
    """Return how many executions count: those of the sources as they are now."""
    return sum(state.of(name, target.digest()).executions for name, target in known.items())


def _add_slice(report: RunReport, fuzzing: Fuzzing) -> None:
    report.checks["fuzz executions, this run"] = fuzzing.executions
    rate = fuzzing.executions / max(fuzzing.cpu_seconds, 0.001)
    wall = fuzzing.executions / max(fuzzing.elapsed_seconds, 0.001)
    report.figures.append(
        Figure(
            "fuzz uncaught",
            f"{len(fuzzing.violations)} in {fuzzing.executions:,} executions "
            f"({rate:,.0f} a CPU second, {wall:,.0f} a second)",
            "none uncaught, none hung",
            not fuzzing.violations,
            invocation("attack", "fuzz"),
        )
    )


def _add_reached(
    report: RunReport, options: AttackOptions, state: FuzzState, known: dict[str, Target]
) -> None:
    total = _counted(state, known)
    for name in known:
        report.checks[f"fuzz {name}"] = state.progress[name].executions
    cpu = sum(state.progress[name].cpu_seconds for name in known)
    memory = max(state.progress[name].rss_kib for name in known)
    outdated = f"; {state.outdated:,} of older sources not counted" if state.outdated else ""
    report.figures.append(
        Figure(
            REACHED,
            f"{total:,} in {cpu:,.0f} CPU seconds over {len(known)} decoders, "
            f"at most {memory >> 10} MiB a process{outdated}",
            f"{options.executions:,} over all runs, memory bounded",
            total >= options.executions,
            invocation("attack", "fuzz", "--state", str(options.state)),
        )
    )


def _compare_forms(targets: list[Target], options: AttackOptions, report: RunReport) -> None:
    batches = _FORM_BATCHES_QUICK if options.quick else _FORM_BATCHES
    compared = compare(targets, options.seed, batches)
    if compared is None:
        report.left_out["compiled against pure"] = "the core is not compiled here: run `make`"
        return
    count, violations = compared
    report.violations += violations
    report.checks["compiled against pure"] = count
    report.figures.append(
        Figure(
            "fuzz verdicts, compiled and pure",
            f"{len(violations)} differ of {count:,}",
            "the same",
            not violations,
            invocation("attack", "fuzz"),
        )
    )


def _follow_coverage(
    names: list[str], options: AttackOptions, report: RunReport, say: Callable[[str], None]
) -> None:
    if not coverage_guided.is_installed():
        raise click.ClickException("--engine atheris needs atheris: `pip install atheris`")
    seconds = max(1, round(options.seconds / len(names)))
    total, found = 0, 0
    for name in names:
        executions, violations = coverage_guided.run(name, options.state, seconds)
        say(f"{name}: {executions:,} executions under atheris")
        report.violations += violations
        report.checks[f"fuzz {name}, atheris"] = executions
        total += executions
        found += len(violations)
    report.figures.append(
        Figure(
            "fuzz, guided by coverage",
            f"{found} uncaught in {total:,} executions of {len(names)} decoders, pure form",
            "none uncaught",
            not found,
            invocation("attack", "fuzz", "--engine", "atheris"),
        )
    )
