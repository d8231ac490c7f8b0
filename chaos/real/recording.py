"""What one session asked and was told, as it happened: append-only files of each session.

Commands are on file before they are sent, so that even a client that is killed has recorded every
command that may be in the log. `operations` joins the files into a history afterwards; nothing
is kept in memory.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from time import monotonic_ns
from typing import Final

import msgspec

from chaos.history import UNSTORED, Operation, Outcome, as_seen
from chaos.silence import Silence
from client.replies import REPLY_BYTES, Reply, parse_replies
from node.protocol.command_frames import bytes_of_frames

_SENT: Final = Struct("<qqqqq")
"""When (ns), session, first sequence, count, size of the frames that follow."""
_TOLD: Final = Struct("<qqqq")
"""When (ns), reconnections so far, 0, size of the replies that follow."""
_LOST: Final = Struct("<qqqq")
"""When (ns), first and last sequence that are lost, 0; the last record of an orderly end has no
sequences."""
_READ: Final = Struct("<qqqqq")
"""Asked when (ns), answered when (0: never), log index, size of the query, size of the answer."""


class SessionRecorder:
    """Writes down what one session sends and is told."""

    def __init__(self, folder: Path, name: str, client: int) -> None:
        """Record as `client` in files called after `name`, which must be new."""
        self._files = [
            _create(folder / f"{client:04d}-{name}.{kind}")
            for kind in ("sent", "told", "read", "lost")
        ]

    def sent(self, session: int, first: int, count: int, frames: bytes) -> None:
        """Record commands that are about to be sent."""
        head = _SENT.pack(monotonic_ns(), session, first, count, len(frames))
        os.write(self._files[0], head + frames)

    def told(self, reconnections: int, replies: bytes) -> None:
        """Record replies that have just come."""
        head = _TOLD.pack(monotonic_ns(), reconnections, 0, len(replies))
        os.write(self._files[1], head + replies)

    def read(self, asked_ns: int, query: bytes, log_index: int, answer: bytes | None) -> None:
        """Record a query and its answer; None when there was none."""
        answered_ns = 0 if answer is None else monotonic_ns()
        content = answer or b""
        head = _READ.pack(asked_ns, answered_ns, log_index, len(query), len(content))
        os.write(self._files[2], head + query + content)

    def lost(self, first: int, last: int) -> None:
        """Record that the outcomes of these sequences will never be known."""
        os.write(self._files[3], _LOST.pack(monotonic_ns(), first, last, 0))

    def close(self) -> None:
        """Record that all is over, in order, and let go of the files."""
        self.lost(0, 0)
        for descriptor in self._files:
            os.close(descriptor)


def _create(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)


def recordings(folder: Path) -> list[Path]:
    """Return what to give to `operations` and `silences`: one path a recorded session."""
    return sorted(path.with_suffix("") for path in folder.glob("*.sent"))


def operations(recording: Path) -> Iterator[Operation]:
    """Yield every command and read of one session's recording, commands in order of sequence."""
    client = int(recording.name.split("-")[0])
    told = _replies(recording)
    held = next(told, None)
    for at_ns, session, first, count, frames in _sent(recording):
        offset = 0
        for sequence in range(first, first + count):
            size = int.from_bytes(frames[offset : offset + 4], "little")
            frame = frames[offset : offset + size]
            offset += size
            while held is not None and held[1].sequence < sequence:
                held = next(told, None)
            if held is not None and held[1].sequence == sequence:
                told_ns, reply = held
                times_ns = (at_ns, told_ns)
                yield _answered(as_seen(client, session, sequence, frame, times_ns, reply))
            else:
                yield as_seen(client, session, sequence, frame, (at_ns, 0), None)
    yield from _reads(recording, client)


def _answered(seen: Operation) -> Operation:
    unknown = seen.code in UNSTORED
    return msgspec.structs.replace(seen, outcome=Outcome.UNKNOWN) if unknown else seen


def silences(recording: Path) -> list[Silence]:
    """Return the silences of one session across its reconnections, in order."""
    found: list[Silence] = []
    last_ns = connection = 0
    for at_ns, reconnections, _ in _told(recording):
        if last_ns and reconnections != connection:
            found.append(Silence(last_ns, at_ns))
        last_ns, connection = at_ns, reconnections
    return found


def reply_frames(recording: Path) -> Iterator[bytes]:
    """Yield the replies of one session as received, many at a time."""
    for _, _, replies in _told(recording):
        yield replies


def losses(recording: Path) -> tuple[list[tuple[int, int]], bool]:
    """Return the ranges of sequences that one session gave up, and whether it ended in order."""
    fields = [fields for fields, _ in _records(recording, "lost", _LOST, 1)]
    ranges = [(first, last) for _, first, last, _ in fields]
    ended = bool(ranges) and ranges[-1] == (0, 0)
    return (ranges[:-1] if ended else ranges), ended


def _replies(recording: Path) -> Iterator[tuple[int, Reply]]:
    for at_ns, _, replies in _told(recording):
        for reply in parse_replies(replies):
            yield at_ns, reply


def _sent(recording: Path) -> Iterator[tuple[int, int, int, int, bytes]]:
    for (at_ns, session, first, count, _), frames in _records(recording, "sent", _SENT, 1):
        assert bytes_of_frames(frames, count) == len(frames)
        yield at_ns, session, first, count, frames


def _told(recording: Path) -> Iterator[tuple[int, int, bytes]]:
    for (at_ns, reconnections, _, size), replies in _records(recording, "told", _TOLD, 1):
        assert size % REPLY_BYTES == 0
        yield at_ns, reconnections, replies


def _reads(recording: Path, client: int) -> Iterator[Operation]:
    for (asked_ns, answered_ns, index, size, _), content in _records(recording, "read", _READ, 2):
        outcome = Outcome.OK if answered_ns else Outcome.UNKNOWN
        query, answer = content[:size], content[size:]
        yield Operation(
            client,
            0,
            0,
            query,
            asked_ns,
            answered_ns,
            outcome,
            log_index=index,
            answer=answer,
        )


def _records(
    recording: Path, kind: str, head: Struct, sizes: int
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield heads and contents; the last `sizes` fields of a head add up to its content's size.

    A last record cut short, by a kill, was never acted upon.
    """
    with recording.with_suffix(f".{kind}").open("rb") as file:
        while len(raw := file.read(head.size)) == head.size:
            fields = head.unpack(raw)
            size = sum(fields[-sizes:])
            content = file.read(size)
            if len(content) < size:
                return
            yield fields, content
