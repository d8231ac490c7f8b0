"""The compiled core against its interpreted sources: the same bytes must get the same verdict."""

from collections.abc import Sequence
from importlib import import_module

from chaos.attack.target import Forms, Target
from chaos.attack.targets import inputs_of
from chaos.invocation import invocation
from chaos.report.run_report import Violation
from node._pure import build_form, pure

_MODULES = (
    "node.protocol.framing",
    "node.protocol.stream",
    "node.protocol.reply_runs",
    "node.protocol.event_routes",
    "node.protocol.command_frames",
    "node.domain.genesis",
)


def load_forms() -> tuple[Forms, Forms] | None:
    """Return the compiled and the pure form; None where the core is not compiled."""
    if build_form() == "pure":
        return None
    compiled = _load()
    with pure():
        return compiled, _load()


def _load() -> Forms:
    return Forms(*(import_module(name) for name in _MODULES))


def compare(
    targets: Sequence[Target], seed: str, batches: int
) -> tuple[int, list[Violation]] | None:
    """Return how many verdicts were compared, and where they differ; None with one form only."""
    forms = load_forms()
    if forms is None:
        return None
    compiled, interpreted = forms
    compared = 0
    violations: list[Violation] = []
    for target in targets:
        if target.verdict is None:
            continue
        for batch in range(batches):
            inputs = inputs_of(target, f"forms {seed}", batch)
            compared += len(inputs)
            for data in inputs:
                if target.verdict(compiled, data) != target.verdict(interpreted, data):
                    violations.append(_difference(target, seed, batch, data))
                    break
    return compared, violations


def _difference(target: Target, seed: str, batch: int, data: bytes) -> Violation:
    return Violation(
        f"parsers: {target.name}, compiled and pure",
        f"the two forms differ about {data.hex()} (batch {batch})",
        invocation("attack", "fuzz", "--target", target.name, "--seed", seed),
    )
