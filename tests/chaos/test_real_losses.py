"""What sessions declare lost, and what of that is wrong."""

from pathlib import Path

import pytest

from chaos.history import write_history
from chaos.real.losses import LossCheck
from chaos.real.recording import SessionRecorder, operations, recordings
from node.domain.codes import Code
from tests.chaos.test_real_recording import SESSION, frames_from, reply


def checked(
    folder: Path, lost: list[tuple[int, int]], *, answered: int = 3, ended: bool = True
) -> LossCheck:
    """Record five commands, of which the first ones are answered; declare `lost`, and check."""
    recorder = SessionRecorder(folder, "trader", 7)
    recorder.sent(SESSION, 1, 5, frames_from(1, 5))
    for sequence in range(1, answered + 1):
        recorder.told(0, reply(sequence, Code.OK, 40))
    for first, last in lost:
        recorder.lost(first, last)
    if ended:
        recorder.close()
    (recording,) = recordings(folder)
    check = LossCheck(recording)
    write_history(folder / "history", check.watch(operations(recording)))
    return check


def test_what_has_no_outcome_and_was_declared_lost_is_well(tmp_path: Path) -> None:
    """Once or twice: a session that is lost and then closed says so again."""
    check = checked(tmp_path, [(4, 5), (4, 5)])

    assert check.wrong == []
    assert (check.looked, check.declared) == (5, 4)


@pytest.mark.parametrize(
    ("lost", "sequence", "said"),
    [
        ([(3, 5)], 3, "was declared lost, and ended OK at index 40"),
        ([(5, 5)], 4, "has no outcome, and nobody was told that it is lost"),
        ([(4, 6)], 6, "was declared lost, and never sent"),
    ],
)
def test_what_is_not_so_is_found(
    lost: list[tuple[int, int]], sequence: int, said: str, tmp_path: Path
) -> None:
    """Lost and yet answered, neither, and lost without having been sent."""
    (wrong,) = checked(tmp_path, lost).wrong

    assert wrong == f"session of 0007-trader: sequence {sequence} {said}"


def test_a_client_that_was_killed_owes_no_word(tmp_path: Path) -> None:
    """What it had under way is unknown, and nobody could be told."""
    assert checked(tmp_path, [], ended=False).wrong == []


def test_a_killed_client_must_not_have_been_told_twice_either(tmp_path: Path) -> None:
    """What it was told of before it was killed counts."""
    assert len(checked(tmp_path, [(2, 3)], ended=False).wrong) == 2
