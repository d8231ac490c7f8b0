"""What clients did and what they were told: the history that checkers judge.

One record an operation. A file of a history holds them as JSON lines, in any order.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final

import msgspec

from client.replies import Reply
from node.domain.codes import Code

UNSTORED: Final = (Code.SEQUENCE_GAP, Code.REPLY_FORGOTTEN, Code.UNKNOWN_SESSION)
"""Answers that consume no sequence and change nothing: they tell no outcome."""


class Outcome(IntEnum):
    """How an operation ended for the client."""

    OK = 0
    REJECTED = 1
    UNKNOWN = 2
    """No reply: it may have happened once, may yet happen once, or never."""


class Operation(msgspec.Struct, frozen=True):
    """One command or read of one client, from the client's point of view.

    Times are nanoseconds of one monotonic clock for the whole history (of the machine that the
    clients share, or the virtual one). `returned_ns` is 0 when no answer ever came.
    """

    client: int
    """Who asked: operations of one client that overlap are allowed (pipelining)."""
    session: int
    sequence: int
    """The command's sequence in its session; 0 for a read."""
    frame: bytes
    """The command as sent, sequence included; the query for a read."""
    invoked_ns: int
    returned_ns: int
    outcome: Outcome
    code: int = 0
    """The rejection (`node.domain.codes`), else 0."""
    log_index: int = 0
    """Where the log holds the command, or as of which index a read was answered; 0 when unknown."""
    result: int = 0
    filled: int = 0
    answer: bytes = b""
    """What a read returned."""


def as_seen(
    client: int,
    session: int,
    sequence: int,
    frame: bytes,
    times_ns: tuple[int, int],
    reply: Reply | None,
) -> Operation:
    """Return a command as its client saw it; `times_ns` are when it was sent and answered.

    `reply` is None, and the second time 0, when no reply ever came.
    """
    invoked_ns, returned_ns = times_ns
    if reply is None:
        return Operation(client, session, sequence, frame, invoked_ns, 0, Outcome.UNKNOWN)
    return Operation(
        client,
        session,
        sequence,
        frame,
        invoked_ns,
        returned_ns,
        Outcome.OK if reply.code == Code.OK else Outcome.REJECTED,
        reply.code,
        reply.log_index,
        reply.result,
        reply.filled,
    )


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Operation)


def write_history(path: Path, operations: Iterable[Operation]) -> None:
    """Append `operations` to the file at `path`, a JSON line each."""
    with path.open("ab") as file:
        file.writelines(_encoder.encode(operation) + b"\n" for operation in operations)


def read_history(path: Path) -> Iterator[Operation]:
    """Yield the operations in the file at `path`. Raises ValueError naming a line that is none."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ValueError(f"{path} line {number} is no operation: {error}") from error
