"""How a report is saved: targets that work, files before words, and the commit that it is of."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from chaos.__main__ import app
from chaos.commands.seeds import seeds_of
from chaos.report.page import render
from chaos.report.publish import publish
from chaos.report.run_report import Figure, from_json, to_json
from chaos.report.source_commit import UNKNOWN, source_commit, why_unknown
from chaos.report.target import TARGET_FILE
from tests.chaos.test_report import report, violated


def test_publishing_writes_what_was_asked_for_and_tells_the_code(tmp_path: Path) -> None:
    """0 when all held and every goal was met; 1 for a violation, 1 for a missed goal."""
    json_file, html_file = tmp_path / "run.json", tmp_path / "run.html"

    assert publish(report(), json_file, html_file) == 0
    assert from_json(json_file.read_bytes()) == report()
    assert html_file.read_text() == render(report())
    assert publish(violated(), None, None) == 1
    missed = report(figures=[Figure("failover p99", "1.41 s", "up to 1 s", met=False, command="")])
    assert publish(missed, None, None) == 1


def test_a_file_that_fails_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk under one file: the other is written and the table printed before it is told."""
    html_file = tmp_path / "run.html"

    with pytest.raises(click.ClickException, match="cannot be written"):
        publish(report(), tmp_path, html_file)
    assert html_file.exists()
    assert "every invariant held" in capsys.readouterr().out


def test_nobody_has_to_read_what_is_printed(tmp_path: Path) -> None:
    """Into a closed pipe, as behind `head`: the files are whole and the code is the run's."""
    saved = tmp_path / "saved.json"
    saved.write_bytes(to_json(violated()))
    json_file, html_file = tmp_path / "again.json", tmp_path / "again.html"
    reader, writer = os.pipe()
    os.close(reader)

    command = [sys.executable, "-m", "chaos", "report", str(saved)]
    done = subprocess.run(
        [*command, "--json", str(json_file), "--html", str(html_file)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, "")
    assert from_json(json_file.read_bytes()) == violated()
    assert html_file.read_text() == render(violated())


@pytest.mark.parametrize("name", ["sim", "mutants", "real", "powerloss", "measure", "attack"])
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_target_is_looked_at_before_the_run(tmp_path: Path, name: str, option: str) -> None:
    """A folder that is missing or in the way is wrong usage at once, and none is made."""
    for target in (tmp_path / "missing" / "report", tmp_path):
        outcome = CliRunner().invoke(app, [name, option, str(target)])
        assert outcome.exit_code == 2, outcome.output
        assert "folder" in outcome.output
    assert not list(tmp_path.iterdir())


def test_a_write_protected_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for root on a read-only disk: the system is asked, not the permissions."""
    monkeypatch.setattr("os.access", lambda _path, _mode: False)

    with pytest.raises(click.BadParameter, match="write-protected"):
        TARGET_FILE.convert("report.json", None, None)


@pytest.mark.parametrize("seeds", ["5:5", "10:5", "0:0", "-1:3", "1:", "0:1" + 30 * "0", "x"])
def test_no_seeds_are_no_run(seeds: str) -> None:
    """A range that is empty, or no range, is wrong usage: it must not pass for one that held."""
    with pytest.raises(click.BadParameter):
        seeds_of(None, None, seeds)  # type: ignore[arg-type]


def test_saved_reports_are_shown_and_merged(tmp_path: Path) -> None:
    """`report` adds counts up, joins lists, writes a page, and ends with 1 for any violation."""
    for number, content in enumerate((report(), report(), violated())):
        (tmp_path / f"{number}.json").write_bytes(to_json(content))
    files = [str(tmp_path / f"{number}.json") for number in range(3)]
    html, merged = tmp_path / "all.html", tmp_path / "all.json"

    def run(*arguments: str) -> tuple[int, str]:
        outcome = CliRunner().invoke(app, ["report", *arguments], standalone_mode=False)
        assert outcome.exception is None
        return int(outcome.return_value), outcome.output

    assert run(files[0])[0] == 0
    assert run(files[2])[0] == 1
    code, output = run(*files[:2], "--html", str(html), "--json", str(merged), "--title", "Soak")
    assert code == 0
    assert "2,000 (475 a minute)" in output  # Of the seeds and the minutes that they took.
    assert from_json(merged.read_bytes()).faults == {"kill": 24, "pause": 60}
    assert "<h1>Soak</h1>" in html.read_text()
    assert run(*files)[0] == 1


def test_what_is_no_report_is_said(tmp_path: Path) -> None:
    """A file of something else ends the command with its name."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"title": 3}')

    outcome = CliRunner().invoke(app, ["report", str(wrong)])

    assert outcome.exit_code == 1
    assert "is no saved report" in outcome.output


def test_the_commit_of_the_sources_is_told_or_unknown(tmp_path: Path) -> None:
    """A clone has one, marked when its files differ; a copy inside another clone has none."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert source_commit(tmp_path) == UNKNOWN
    git("init", "-q")
    assert source_commit(tmp_path) == UNKNOWN
    (tmp_path / "file").write_text("one")
    (tmp_path / "inner").mkdir()
    git("add", "file")
    git("commit", "-q", "-m", "one", "--no-gpg-sign")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD")[:12]
    (tmp_path / "file").write_text("two")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD")[:12] + "+changes"
    assert source_commit(tmp_path / "inner") == UNKNOWN
    assert why_unknown(tmp_path / "inner") == f"{tmp_path / 'inner'} is no git work tree"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_clone_has_a_commit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git distrusts folders of other users; but it is their code that runs here anyway."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "1", "--no-gpg-sign"]):
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 12_345, 12_345)
    distrusting = ["git", "-C", str(tmp_path), "rev-parse", "HEAD"]
    assert subprocess.run(distrusting, capture_output=True, check=False).returncode

    assert source_commit(tmp_path) != UNKNOWN
