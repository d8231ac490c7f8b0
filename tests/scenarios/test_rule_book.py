"""Plays every transcript beside this file; together they are the rule book of the venue."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from node.domain.codes import Code
from tests.scenarios.transcript import Transcript

FOLDER = Path(__file__).parent


class Scenario(NamedTuple):
    """One scenario: where it stands, and its lines with their numbers."""

    file: str
    first_line: int
    lines: list[tuple[int, str]]


def scenarios() -> list[Scenario]:
    """Return the scenarios of all files."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        lines: list[tuple[int, str]] = []
        for number, line in enumerate([*path.read_text().splitlines(), "---"], start=1):
            if line.startswith("---"):
                found.append(Scenario(path.name, lines[0][0], lines))
                lines = []
            elif line.strip() and not line.lstrip().startswith("#"):
                lines.append((number, line.strip()))
    return found


@pytest.mark.parametrize(
    "scenario", scenarios(), ids=lambda scenario: f"{scenario[0]}:{scenario[1]}"
)
def test_the_venue_keeps_the_rule(scenario: Scenario) -> None:
    """Every line of the transcript comes to what is written behind its arrow."""
    transcript = Transcript()
    for number, line in scenario.lines:
        statement, arrow, expected = (part.strip() for part in line.partition("->"))
        outcome = transcript.play(re.sub(r"\s+", " ", statement))
        where = f"{scenario.file}:{number}: {statement}"
        if arrow:
            assert outcome == re.sub(r"\s+", " ", expected), where
        else:
            assert not outcome.startswith(("rejected", "refused")), f"{where}: {outcome}"
    transcript.finish()


def test_every_rejection_is_in_the_rule_book() -> None:
    """Whoever adds a code writes down when it is given."""
    text = "\n".join(path.read_text() for path in FOLDER.glob("*.txt"))
    given = set(re.findall(r"(?:rejected|refused) ([A-Z_]+)", text))
    assert given <= set(Code.__members__)
    assert {code.name for code in Code} - {"OK"} - given == set()
