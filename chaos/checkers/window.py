"""Acknowledgements from before the log starts: only a session's window of replies still knows them.

They are asked for as a client would: the commands are sent again, to a venue that is thrown away.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

from chaos.checkers.finding import ALTERED, LOST, Findings
from chaos.checkers.log_record import LogReply, replies_of
from chaos.checkers.log_replay import LogReplay
from chaos.history import Operation
from node.domain.codes import Code
from node.domain.groups import GROUP_HEADER_SIZE, RULES_VERSION

_HEADER: Final = Struct("<ihhqii")
_RECORD_HEAD: Final = Struct("<ii")
_RECORDS_PER_GROUP: Final = 4_096


def ask_again(operations: Iterable[Operation], venue: LogReplay) -> Findings:
    """Send `operations` again to `venue`, fresh from the snapshot, and compare the replies.

    What the window has forgotten cannot be checked and is counted as such.
    """
    findings = Findings()
    ordered = sorted(operations, key=lambda operation: (operation.session, operation.sequence))
    start_index = venue.index
    for asked, replies in _answers(ordered, venue):
        for operation, reply in zip(asked, replies, strict=True):
            _compare(operation, reply, start_index, findings)
    return findings


def _answers(
    ordered: list[Operation], venue: LogReplay
) -> Iterator[tuple[list[Operation], list[LogReply]]]:
    shard = venue.audit.venue.genesis.shard
    for start in range(0, len(ordered), _RECORDS_PER_GROUP):
        asked = ordered[start : start + _RECORDS_PER_GROUP]
        body = b"".join(
            _RECORD_HEAD.pack(operation.session, 0) + operation.frame for operation in asked
        )
        length = GROUP_HEADER_SIZE + len(body)
        header = _HEADER.pack(
            length, RULES_VERSION, shard, venue.audit.venue.stamp_ns, len(asked), 0
        )
        replies, _ = venue.apply(venue.index + 1, header + body)
        yield asked, list(replies_of(replies))


def _compare(operation: Operation, reply: LogReply, start_index: int, findings: Findings) -> None:
    name = f"session {operation.session} sequence {operation.sequence}"
    told = (operation.log_index, operation.code, operation.result, operation.filled)
    if reply.code in (Code.REPLY_FORGOTTEN, Code.UNKNOWN_SESSION):
        findings.saw("before the log, forgotten")
    elif reply.code == Code.SEQUENCE_GAP or reply.log_index > start_index:
        findings.add(
            LOST,
            f"{name} was acknowledged as {told}, the snapshot at index {start_index} does not "
            "know it",
        )
    elif told != (reply.log_index, reply.code, reply.result, reply.filled):
        findings.add(ALTERED, f"{name} was acknowledged as {told}, its window says {reply}")
    else:
        findings.saw("before the log, in a window")
