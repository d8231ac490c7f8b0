"""The contracts keep their promises under forge, and its tests would notice if they did not."""

from pathlib import Path

import pytest

from contracts import adversary, artefacts, toolchain
from contracts.__main__ import run_tests
from contracts.mutants import trial
from contracts.mutants.mutant import Mutant

needs_node = pytest.mark.skipif(
    toolchain.missing() is not None, reason=f"contracts: {toolchain.missing()}"
)


@needs_node
def test_the_suite_passes_and_nothing_costs_more() -> None:
    """Every promise holds, the gas table is the committed one, and no theft was taken."""
    code, text = run_tests()

    assert code == 0, text
    counts = adversary.tally()
    assert sum(counts.attempts) > 0
    assert counts.settled > 0
    assert counts.taken == (0,) * len(adversary.THEFTS)


@needs_node
def test_the_artefact_is_what_the_sources_give() -> None:
    """What forge compiled for its tests is the code that is committed."""
    toolchain.install()
    toolchain.forge_or_explain(["build", "src"])

    assert artefacts.compiled("Vault") == artefacts.committed("Vault").read_text()


@needs_node
def test_a_planted_bug_is_noticed(tmp_path: Path) -> None:
    """If a pause could be renewed at once, a test would fail: one of many bugs we plant."""
    toolchain.install()
    trial.copy_sources(tmp_path)
    bug = next(mutant for mutant in trial.MUTANTS if mutant.name == "pause-renewed")

    assert trial.try_one(bug, tmp_path).noticed_by == (
        "test_a_pause_has_an_end_and_is_not_renewed_back_to_back"
    )


@pytest.mark.parametrize("mutant", trial.MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_still_fits_its_source(mutant: Mutant) -> None:
    """A patch whose text is gone would say nothing."""
    source = (toolchain.FOLDER / "src" / mutant.file).read_text()

    assert mutant.patched(source) != source


def test_planted_bugs_have_names_of_their_own() -> None:
    """Each can be asked for by name."""
    assert len({mutant.name for mutant in trial.MUTANTS}) == len(trial.MUTANTS)
