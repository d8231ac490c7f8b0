"""Command lines that are printed run as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.invocation import invocation
from chaos.report.run_report import from_json
from chaos.simulation.seed_run import Case

SOURCES = Path(__file__).resolve().parents[2]
BARE = {"PATH": "/usr/bin:/bin"}
"""A shell in which no environment was activated."""


def in_a_shell(line: str, folder: Path) -> str:
    """Give a plain shell one command line, and return what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=BARE, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_the_interpreter_is_named_from_where_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short below the folder we are in, whole elsewhere, and quoted for a shell."""
    monkeypatch.setattr(sys, "executable", "/work tree/.venv/bin/python")
    monkeypatch.setattr(Path, "cwd", lambda: Path("/work tree"))
    assert invocation("sim", "--seeds", "1") == ".venv/bin/python -m chaos sim --seeds 1"

    monkeypatch.setattr(Path, "cwd", lambda: Path("/elsewhere"))
    assert invocation("sim") == "'/work tree/.venv/bin/python' -m chaos sim"


def test_what_a_report_says_ran_it_runs_again(tmp_path: Path) -> None:
    """The command in a report, given to a plain shell, does the same once more."""
    file = tmp_path / "a report.json"
    subprocess.run(
        [sys.executable, "-m", "chaos", "sim", "--seeds", "3:4", "--json", str(file)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    first = from_json(file.read_bytes())
    file.unlink()
    in_a_shell(first.command, tmp_path)
    again = from_json(file.read_bytes())

    assert (again.command, again.seeds) == (first.command, 1)
    assert again.simulated_seconds == first.simulated_seconds


def test_the_command_of_a_case_runs() -> None:
    """A plain shell finds what a violation says shows it again."""
    assert "trace " in in_a_shell(Case(3, 3, 1.0, (), ()).command(), Path.cwd())


def test_the_page_shows_commands_as_a_new_user_gives_them() -> None:
    """Every line of docs/chaos.md names the interpreter that `make build` made."""
    page = (SOURCES / "docs" / "chaos.md").read_text()
    lines = [line for line in page.splitlines() if re.search(r"python\S* -m chaos [a-z]", line)]

    assert len(lines) > 20
    assert [line for line in lines if ".venv/bin/python -m chaos" not in line] == []
