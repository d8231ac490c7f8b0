"""Numbers on the command lines of chaos: each means something, or the command does not begin."""

import click
import pytest
from click.testing import CliRunner

from chaos.commands import attack, mutants, real


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "0"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (real.command, "--minutes"),
        (attack.command, "--seconds"),
        (mutants.command, "--seconds-each"),
    ],
    ids=["real", "attack", "mutants"],
)
def test_a_length_is_finite_and_not_zero(command: click.Command, option: str, number: str) -> None:
    """`nan` compares with nothing, and a run without an end has no report: usage errors."""
    done = CliRunner().invoke(command, [f"{option}={number}"])

    assert (done.exit_code, option in done.output) == (2, True)
