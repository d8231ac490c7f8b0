"""What a round comes to: the clients' histories against what the stopped nodes hold."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from chaos.checkers.judgement import Judgement, judge
from chaos.history import write_history
from chaos.real.diary import Diary
from chaos.real.losses import LOSSES, LossCheck
from chaos.real.recording import operations, recordings, silences
from chaos.silence import of_all

_COMPLAINTS_MOST: Final = 20
"""Of one session."""


def judge_round(
    folders: list[Path], recorded: Path, scratch: Path, diary: Diary, lost: int = 0
) -> Judgement:
    """Judge stopped nodes by their `folders` and the clients by what they recorded.

    `lost` is how many commands the clients have counted as lost. The histories are written to
    `scratch`, where they stay.
    """
    histories = scratch / "histories"
    histories.mkdir()
    files, declared = [], 0
    for recording in recordings(recorded):
        files.append(histories / f"{recording.name}.jsonl")
        check = LossCheck(recording)
        write_history(files[-1], check.watch(operations(recording)))
        declared += check.declared
        diary.checks[LOSSES] += check.looked
        for wrong in check.wrong[:_COMPLAINTS_MOST]:
            diary.violate(LOSSES, wrong)
    if lost > declared:
        diary.violate(LOSSES, f"{lost} commands were counted as lost, {declared} are recorded")
    judgement = judge(files, folders, complete=True)
    for finding in judgement.findings:
        diary.violate(finding.invariant, finding.what)
    return judgement


def failovers_ms(recorded: Path, killed_ns: Iterable[int]) -> list[float]:
    """Return, for each kill of a leader, the silence in the clients' view.

    From the last acknowledgement on any old connection to the first on any new one.
    """
    every = [silences(recording) for recording in recordings(recorded)]
    found = []
    for at_ns in killed_ns:
        across = [next((one for one in session if one.until_ns > at_ns), None) for session in every]
        crossed = [one for one in across if one is not None and one.from_ns <= at_ns + 100_000_000]
        if crossed:
            found.append(max(0.0, of_all(crossed).ms))
    return found
