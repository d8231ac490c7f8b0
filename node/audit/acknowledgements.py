"""Acknowledgements against the log: each reply that a client received must be what the log came to.

A file of acknowledgements is either the reply frames as received, 48 bytes each, or JSON lines with
`session`, `sequence`, `log_index`, `result` and, optionally, `code` and `filled`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import Any, Final, NamedTuple

from node.domain.codes import Code
from node.domain.replies import REPLY, REPLY_SIZE

_REPLY: Final = Struct("<ihhiiqqqq")
_UNGIVEN: Final = -1
_MOST_EXAMPLES: Final = 20
_UNSTORED: Final = (Code.SEQUENCE_GAP, Code.REPLY_FORGOTTEN, Code.UNKNOWN_SESSION)
"""Answers that consume no sequence and change nothing: they acknowledge nothing."""


class AcknowledgementError(Exception):
    """A file holds no acknowledgements; the message names the place."""


class Acknowledgement(NamedTuple):
    """One reply that a client received; -1 for what its record does not say."""

    session: int
    sequence: int
    log_index: int
    result: int
    code: int
    filled: int

    def is_met_by(self, other: "Acknowledgement") -> bool:
        """Return whether the reply in the log says the same wherever this record says something."""
        return all(mine in (_UNGIVEN, theirs) for mine, theirs in zip(self, other, strict=True))


class AcknowledgementReport(NamedTuple):
    """How many commands were acknowledged, and what became of them.

    `before_start` lie before the first index that was replayed (the log was cut behind a snapshot):
    neither found nor lost. `lost` are not in the log, `altered` are there with another reply or
    were acknowledged in two ways; `repeated` is how many acknowledgements came more than once.
    `examples` names some of the lost and altered.
    """

    total: int
    found: int
    before_start: int
    lost: int
    altered: int
    repeated: int
    examples: list[str]


class AcknowledgementCheck:
    """Look for acknowledgements while a log is replayed: give `observe` to `Replay.feed`."""

    def __init__(self, acknowledgements: Iterable[Acknowledgement], start_index: int) -> None:
        """Check those behind `start_index`, where the replay starts."""
        self._by_name: dict[tuple[int, int], Acknowledgement] = {}
        self._wanted: dict[int, set[tuple[int, int]]] = {}
        self._repeated = 0
        self._before_start = 0
        self._found = 0
        self._altered = 0
        self._examples: list[str] = []
        for acknowledgement in acknowledgements:
            if acknowledgement.code not in _UNSTORED:
                self._add(acknowledgement, start_index)

    def _add(self, acknowledgement: Acknowledgement, start_index: int) -> None:
        name = (acknowledgement.session, acknowledgement.sequence)
        earlier = self._by_name.setdefault(name, acknowledgement)
        if earlier is not acknowledgement:
            self._repeated += 1
            if earlier != acknowledgement:
                self._altered += 1
                self._example(f"{acknowledgement} was acknowledged before as {earlier}")
        elif acknowledgement.log_index <= start_index:
            self._before_start += 1
        else:
            self._wanted.setdefault(acknowledgement.log_index, set()).add(name)

    def observe(self, index: int, replies: bytes, _events: bytes) -> None:
        """Cross off what the group at `index` answers."""
        wanted = self._wanted.get(index)
        if wanted is None:
            return
        for _, _, _, session, code, sequence, log_index, result, filled in _REPLY.iter_unpack(
            replies
        ):
            if (session, sequence) not in wanted or log_index != index:
                continue
            wanted.discard((session, sequence))
            reply = Acknowledgement(session, sequence, log_index, result, code, filled)
            acknowledgement = self._by_name[session, sequence]
            if acknowledgement.is_met_by(reply):
                self._found += 1
            else:
                self._altered += 1
                self._example(f"{acknowledgement} is in the log as {reply}")

    def report(self) -> AcknowledgementReport:
        """Return the outcome; what was not crossed off by now is lost."""
        lost = [self._by_name[name] for wanted in self._wanted.values() for name in sorted(wanted)]
        for acknowledgement in lost:
            self._example(f"{acknowledgement} is not in the log")
        return AcknowledgementReport(
            len(self._by_name),
            self._found,
            self._before_start,
            len(lost),
            self._altered,
            self._repeated,
            self._examples,
        )

    def _example(self, text: str) -> None:
        if len(self._examples) < _MOST_EXAMPLES:
            self._examples.append(text)


def read_acknowledgements(path: Path) -> Iterator[Acknowledgement]:
    """Yield the acknowledgements in a file of either form.

    Raises AcknowledgementError that names the place that is neither.
    """
    content = path.read_bytes()
    if content.startswith(REPLY_SIZE.to_bytes(4, "little")):
        yield from _from_frames(path, content)
        return
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield _from_json(path, number, line)


def _from_frames(path: Path, content: bytes) -> Iterator[Acknowledgement]:
    whole = len(content) - len(content) % REPLY_SIZE  # A last frame cut short was never acted upon.
    for offset in range(0, whole, REPLY_SIZE):
        length, kind, _, session, code, sequence, log_index, result, filled = _REPLY.unpack_from(
            content, offset
        )
        if length != REPLY_SIZE or kind != REPLY:
            raise AcknowledgementError(f"{path} holds no reply frame at byte {offset}")
        yield Acknowledgement(session, sequence, log_index, result, code, filled)


def _from_json(path: Path, number: int, line: bytes) -> Acknowledgement:
    try:
        said: dict[str, Any] = json.loads(line)
        return Acknowledgement(
            said["session"],
            said["sequence"],
            said["log_index"],
            said["result"],
            said.get("code", _UNGIVEN),
            said.get("filled", _UNGIVEN),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AcknowledgementError(
            f"{path} line {number} is no acknowledgement: {error}"
        ) from error
