"""Fuzzing finds what breaks promises, counts what it did, and can do it again."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from chaos.attack import coverage_guided, door_targets, fuzzing
from chaos.attack.both_forms import compare, load_forms
from chaos.attack.fuzz_process import failing_input
from chaos.attack.fuzz_state import FuzzState, Progress, load_state, save_finding, save_state
from chaos.attack.known_findings import feed_again
from chaos.attack.mutation import BATCH_INPUTS, Mutator
from chaos.attack.target import BrokenPromiseError, Target
from chaos.attack.targets import all_targets, inputs_of
from chaos.commands.attack import command
from chaos.report.run_report import RunReport
from node._pure import build_form
from node.protocol.stream import NodeStream

TARGETS = all_targets()
CORPUS = (b"first message", b"second", bytes(range(64)))


def silent(inputs: Sequence[bytes]) -> None:
    """Promise nothing, keep everything."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_decoder_keeps_its_promises(name: str) -> None:
    """With its own valid messages, and with what a few batches make of them."""
    target = TARGETS[name]
    target.judge(target.corpus)
    for batch in range(2):
        target.judge(inputs_of(target, "a test", batch))


def test_a_batch_is_the_same_wherever_it_is_made() -> None:
    """The seed and the number of a batch say all of its inputs, in any process."""
    code = (
        "from chaos.attack.mutation import Mutator; from blake3 import blake3;"
        f"made = Mutator({CORPUS!r}, 'seed').batch(3);"
        "print(blake3(b'|'.join(made)).hexdigest(), len(made))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(said) == 1
    assert Mutator(CORPUS, "seed").batch(3) != Mutator(CORPUS, "other").batch(3)


def test_mutations_differ_from_the_corpus_and_from_each_other() -> None:
    """A batch is not the same few messages again and again."""
    mutator = Mutator(CORPUS, "variety")
    made = {data for batch in range(8) for data in mutator.batch(batch)}

    assert len(made) > BATCH_INPUTS
    assert max(map(len, made)) > max(map(len, CORPUS))


def test_an_input_that_raises_is_found_among_thousands() -> None:
    """The finding is one input, not the batch that it was in."""

    def judge(inputs: Sequence[bytes]) -> None:
        for data in inputs:
            if data[:1] == b"\xff":
                raise IndexError("out of range")

    target = Target("weak", "a decoder with a mistake", (), CORPUS, judge)
    found = failing_input(target, [b"a", b"b", b"\xffc", b"d"])

    assert found == (b"\xffc", "IndexError: out of range")
    assert failing_input(target, [b"a", b"b"]) is None


class Forgetful:
    """A stream that loses what was left of its last chunk."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self.replies = self.events = b""
        self.messages: list[bytes] = []
        self.failed = False

    def feed(self, chunk: bytes) -> None:
        """Sort `chunk` as if nothing had come before."""
        stream = NodeStream()
        stream.feed(chunk)
        self.replies, self.events = stream.replies, stream.events
        self.messages, self.failed = stream.messages, stream.failed


def test_a_stream_that_minds_where_chunks_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken promises that raise nothing are seen too."""
    monkeypatch.setattr(door_targets, "NodeStream", Forgetful)

    with pytest.raises(BrokenPromiseError, match="sorted otherwise"):
        TARGETS["stream"].judge(inputs_of(TARGETS["stream"], "a test", 0))


class Weak:
    """Stands in a module's place so that a process of the attack finds a planted mistake."""

    HANGS = (
        "import time\n"
        "from chaos.attack import targets\n"
        "from chaos.attack.target import Target\n"
        "from chaos.attack.fuzz_process import main\n"
        "def judge(inputs):\n"
        "    for data in inputs:\n"
        "        if data[:2] == b'\\xff\\xff':\n"
        "            WHAT\n"
        "one = Target('weak', 'planted', (), [b'abcdef'], judge)\n"
        "import chaos.attack.fuzz_process as process\n"
        "process.all_targets = lambda: {'weak': one}\n"
        "import sys; main(sys.argv[1:])\n"
    )


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("time.sleep(60)", "hung"),
        ("import os; os._exit(9)", "ended its process with code 9"),
        ("bytearray(1 << 34)", "MemoryError"),
        ("raise KeyError(1)", "KeyError"),
    ],
)
def test_planted_mistakes_are_found_from_outside(
    what: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that hangs, kills its process, takes all memory or raises is named by its input."""
    weak = Target("weak", "planted", (), [b"abcdef"], silent)

    def feeder(
        name: str, seed: str, first: str, seconds: float, executions: int
    ) -> "subprocess.Popen[bytes]":
        code = Weak.HANGS.replace("WHAT", what)
        arguments = [name, seed, first, str(seconds), str(executions)]
        return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)

    monkeypatch.setattr(fuzzing, "feeder", feeder)
    monkeypatch.setattr(fuzzing, "all_targets", lambda: {"weak": weak})
    monkeypatch.setattr(fuzzing, "HANG_SECONDS", 3.0)
    said: list[str] = []
    run = fuzzing.Fuzzing(FuzzState("1"), tmp_path, said.append)
    run.run(["weak"], 4.0, 1 << 40, 1)

    assert run.violations
    violation = run.violations[0]
    assert how in violation.what
    finding = Path(violation.reproduce.split()[-1])
    assert finding.read_bytes()[:2] == b"\xff\xff"


def test_counts_go_on_where_they_stopped(tmp_path: Path) -> None:
    """A run adds to the one before, and begins at its next batch."""
    runs = []
    for _ in range(2):
        state = load_state(tmp_path, "1")
        run = fuzzing.Fuzzing(state, tmp_path, lambda _: None)
        run.run(["genesis"], 60.0, 3 * BATCH_INPUTS, 1)
        runs.append(run.executions)

    progress = load_state(tmp_path, "1").progress["genesis"]
    assert progress.executions == sum(runs) == 6 * BATCH_INPUTS
    assert progress.next_batch == 6
    assert progress.findings == 0


def test_executions_of_another_source_do_not_count(tmp_path: Path) -> None:
    """Whoever changes a decoder begins anew, and is told what was thrown away."""
    state = FuzzState("1", {"frame": Progress("an older digest", executions=500)})
    save_state(tmp_path, state)
    state = load_state(tmp_path, "1")

    assert state.of("frame", TARGETS["frame"].digest()).executions == 0
    assert (state.executions, state.outdated) == (0, 500)


def test_compiled_and_pure_give_the_same_verdicts() -> None:
    """On every decoder that has both forms."""
    if build_form() == "pure":
        assert load_forms() is None
        pytest.skip("the core is not compiled here, there is only one form")
    compared = compare(list(TARGETS.values()), "a test", 1)

    assert compared is not None
    count, violations = compared
    with_verdict = sum(target.verdict is not None for target in TARGETS.values())
    assert (count, violations) == (with_verdict * BATCH_INPUTS, [])


def test_the_command_tells_what_it_reached(tmp_path: Path) -> None:
    """One slice of one decoder: figures, state and an exit code of 0 before the goal is reached."""
    state, json_file = tmp_path / "state", tmp_path / "report.json"
    arguments = ["fuzz", "--quick", "--seconds", "1", "--target", "genesis"]
    arguments += ["--state", str(state), "--json", str(json_file)]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)

    assert result.exception is None, result.output
    assert result.return_value == 0
    assert "fuzz executions" in json_file.read_text()
    assert load_state(state, "1").progress["genesis"].executions > 0


def test_a_saved_input_is_fed_again(tmp_path: Path) -> None:
    """The reproduction of a finding raises what was found, or says that promises are kept."""
    file = tmp_path / "input.bin"
    file.write_bytes(TARGETS["frame"].corpus[0])
    arguments = ["fuzz", "--target", "frame", "--replay", str(file)]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)

    assert result.return_value == 0
    assert "kept its promises" in result.output


def test_what_an_earlier_run_found_is_fed_again_until_it_breaks_nothing(tmp_path: Path) -> None:
    """A run that finds nothing new does not hide what is still there; what was repaired is told."""
    repaired = save_finding(tmp_path, "frame", 7, TARGETS["frame"].corpus[0])
    still = save_finding(tmp_path, "no-such-decoder", 3, b"of a decoder that always fails")
    save_finding(tmp_path, "journal", 1, b"of a decoder that is not asked for")
    report = RunReport("Attack", "", "", "")
    feed_again(tmp_path, {"frame", "no-such-decoder"}, report)

    assert repaired.exists()
    (violation,) = report.violations
    assert str(still) in violation.what
    assert [(one.value, one.met) for one in report.figures] == [
        ("1 of 2 still break a promise", False)
    ]


def test_coverage_is_followed_where_atheris_is_installed(tmp_path: Path) -> None:
    """A short run counts its executions and finds nothing."""
    if not coverage_guided.is_installed():
        pytest.skip("atheris is not installed: `pip install atheris`")
    executions, violations = coverage_guided.run("genesis", tmp_path, 120, 200)

    assert executions >= 200
    assert violations == []


def test_a_target_is_named_or_refused(tmp_path: Path) -> None:
    """A misspelt decoder is a wrong usage, not an attack on nothing."""
    arguments = ["fuzz", "--target", "fram", "--state", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)

    assert result.exit_code == 2
    assert "frame" in result.output
