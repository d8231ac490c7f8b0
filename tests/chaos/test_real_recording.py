"""What recorded clients leave behind is a true history, also of a client that was killed."""

import struct
from pathlib import Path

from chaos.history import Outcome
from chaos.real.recording import (
    SessionRecorder,
    operations,
    recordings,
    reply_frames,
    silences,
)
from node.domain.codes import Code
from node.domain.replies import REPLY_SIZE
from node.protocol import messages
from node.protocol.command_frames import CommandFrames

SESSION = 3


def frames_from(first: int, count: int) -> bytes:
    """Return commands as they are sent."""
    frames = CommandFrames(first)
    for _ in range(count):
        frames.split(1, 1, 5)
    return bytes(frames.take())


def reply(sequence: int, code: Code, log_index: int) -> bytes:
    """Return a reply as it is received."""
    kind = messages.HEARTBEAT  # Nobody looks: a recording holds replies only.
    return struct.pack("<ihhiiqqqq", REPLY_SIZE, kind, 0, SESSION, code, sequence, log_index, 9, 0)


def recorded(folder: Path) -> Path:
    """Record five commands, of which three are answered, and two reads; return the recording."""
    recorder = SessionRecorder(folder, "trader", 7)
    recorder.sent(SESSION, 1, 3, frames_from(1, 3))
    recorder.told(0, reply(1, Code.OK, 40) + reply(2, Code.UNKNOWN_ACCOUNT, 40))
    recorder.sent(SESSION, 4, 2, frames_from(4, 2))
    recorder.told(1, reply(3, Code.SEQUENCE_GAP, 0))
    recorder.read(5, b"query", 0, None)
    recorder.read(6, b"query", 41, b"records")
    recorder.close()
    (recording,) = recordings(folder)
    return recording


def test_commands_meet_their_replies(tmp_path: Path) -> None:
    """Each command has its frame, session, outcome and index; what was no outcome is unknown."""
    first, second, third, fourth, fifth, *_ = operations(recorded(tmp_path))

    assert (first.outcome, first.log_index, first.result) == (Outcome.OK, 40, 9)
    assert (second.outcome, second.code) == (Outcome.REJECTED, Code.UNKNOWN_ACCOUNT)
    assert {third.outcome, fourth.outcome, fifth.outcome} == {Outcome.UNKNOWN}
    assert [one.sequence for one in (first, second, third, fourth, fifth)] == [1, 2, 3, 4, 5]
    assert b"".join(one.frame for one in (first, second, third)) == frames_from(1, 3)
    assert {one.client for one in (first, fifth)} == {7}
    assert 0 < first.invoked_ns < first.returned_ns


def test_reads_are_in_the_history(tmp_path: Path) -> None:
    """A read has its index and answer; one without an answer is unknown."""
    *_, unanswered, answered = operations(recorded(tmp_path))

    assert (unanswered.outcome, unanswered.returned_ns) == (Outcome.UNKNOWN, 0)
    assert (answered.outcome, answered.log_index) == (Outcome.OK, 41)
    assert (answered.frame, answered.answer) == (b"query", b"records")


def test_a_record_cut_short_by_a_kill_was_never_sent(tmp_path: Path) -> None:
    """What a killed client had half on file counts for nothing; the rest is whole."""
    recording = recorded(tmp_path)
    sent = recording.with_suffix(".sent")
    sent.write_bytes(sent.read_bytes()[:-3])

    commands = [one.sequence for one in operations(recording) if one.sequence]
    assert commands == [1, 2, 3]


def test_a_reconnection_is_a_silence(tmp_path: Path) -> None:
    """From the last reply on the old connection to the first on the new one."""
    recording = recorded(tmp_path)
    (silence,) = silences(recording)

    assert silence.from_ns < silence.until_ns
    assert len(b"".join(reply_frames(recording))) == 3 * REPLY_SIZE
