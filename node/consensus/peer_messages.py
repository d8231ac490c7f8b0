"""What nodes say to each other: fixed little-endian layouts, one class a message.

Every message starts with its kind (u8). Entries in `Append` are consecutive, so only the first
index is sent.
"""

import struct
from typing import Final, NamedTuple

from node.consensus.errors import WireError
from node.consensus.journal_recovery import Entry


class Append(NamedTuple):
    """The leader of `term` sends entries behind (previous_index, previous_term).

    None is a heartbeat.
    """

    term: int
    probe: int
    """Echoed by the answer: an answer to an older probe cannot move the leader's cursor back."""
    previous_index: int
    previous_term: int
    commit: int
    stamp_ns: int
    entries: list[Entry]


class Appended(NamedTuple):
    """A follower holds, durably, what the leader of `term` sent before `next_index`.

    Or wants it from there.
    """

    term: int
    probe: int
    next_index: int
    accepted: bool
    recovering: bool


class VoteRequest(NamedTuple):
    """A candidate of `term` asks for a vote."""

    term: int
    last_index: int
    last_term: int


class Vote(NamedTuple):
    """The sender votes for the receiver in `term`."""

    term: int


class PreVoteRequest(NamedTuple):
    """Would the receiver vote for the sender in `term`? Nobody's term changes by asking."""

    term: int
    last_index: int
    last_term: int


class PreVote(NamedTuple):
    """It would, or not."""

    term: int
    granted: bool


class NewerTerm(NamedTuple):
    """The receiver spoke in an old term; this is the sender's."""

    term: int


class TimeoutNow(NamedTuple):
    """The leader of `term` hands leadership to the receiver."""

    term: int


class ReadProbe(NamedTuple):
    """Asks whether the receiver still follows the leader of `term`."""

    term: int
    number: int


class ReadProbed(NamedTuple):
    """It does, as of probe `number` and all before."""

    term: int
    number: int


class SnapshotOffer(NamedTuple):
    """A snapshot that ends at `last_index` or behind it is about to follow in chunks."""

    term: int
    transfer: int
    last_index: int
    size: int
    blake3: bytes


class SnapshotChunk(NamedTuple):
    """The bytes of a snapshot at `offset`."""

    term: int
    transfer: int
    offset: int
    data: bytes


class SnapshotTaken(NamedTuple):
    """The receiver has the bytes before `offset`; `state` is one of the constants below."""

    term: int
    transfer: int
    offset: int
    state: int


class Gossip(NamedTuple):
    """The sender's wall clock, and the digest (32 bytes, zeros.

    None) at the last entry it applied.
    """

    clock_ns: int
    applied: int
    digest: bytes


class RecoveryQuestion(NamedTuple):
    """A voter that lost its disk asks the leader how far it must catch up before it may vote."""

    nonce: int


class RecoveryAnswer(NamedTuple):
    """A quorum without the asker followed the leader of `term`, asked after the question.

    What was acknowledged by then lies at or before `commit`.
    """

    term: int
    nonce: int
    commit: int


TAKING, INSTALLED, UNWANTED = 0, 1, 2

Message = (
    Append
    | Appended
    | VoteRequest
    | Vote
    | PreVoteRequest
    | PreVote
    | NewerTerm
    | TimeoutNow
    | ReadProbe
    | ReadProbed
    | SnapshotOffer
    | SnapshotChunk
    | SnapshotTaken
    | Gossip
    | RecoveryQuestion
    | RecoveryAnswer
)

_APPEND: Final = 1
_CHUNK: Final = 2
_APPEND_HEAD = struct.Struct("<BxxxIQQQQqQ")
_ENTRY_HEAD = struct.Struct("<QQ")
_CHUNK_HEAD = struct.Struct("<BxxxIQQ")
_FIXED: Final[dict[int, tuple[type, struct.Struct]]] = {
    3: (Appended, struct.Struct("<BxxxQIQ??xx")),
    4: (VoteRequest, struct.Struct("<BxxxQQQ")),
    5: (Vote, struct.Struct("<BxxxQ")),
    6: (PreVoteRequest, struct.Struct("<BxxxQQQ")),
    7: (PreVote, struct.Struct("<BxxxQ?xxx")),
    8: (NewerTerm, struct.Struct("<BxxxQ")),
    9: (TimeoutNow, struct.Struct("<BxxxQ")),
    10: (ReadProbe, struct.Struct("<BxxxQQ")),
    11: (ReadProbed, struct.Struct("<BxxxQQ")),
    12: (SnapshotOffer, struct.Struct("<BxxxQIQQ32s")),
    13: (SnapshotTaken, struct.Struct("<BxxxQIQI")),
    14: (Gossip, struct.Struct("<BxxxqQ32s")),
    15: (RecoveryQuestion, struct.Struct("<BxxxQ")),
    16: (RecoveryAnswer, struct.Struct("<BxxxQQQ")),
}
_KINDS: Final = {made: (kind, layout) for kind, (made, layout) in _FIXED.items()}


def encode_message(message: Message) -> list[bytes]:
    """Return the parts of a message; payloads are passed by reference, never copied."""
    if isinstance(message, Append):
        return _encode_append(message)
    if isinstance(message, SnapshotChunk):
        term, transfer, offset, data = message
        return [_CHUNK_HEAD.pack(_CHUNK, transfer, term, offset), data]
    kind, layout = _KINDS[type(message)]
    return [layout.pack(kind, *message)]


def _encode_append(message: Append) -> list[bytes]:
    term, probe, previous_index, previous_term, commit, stamp_ns, entries = message
    head = _APPEND_HEAD.pack(
        _APPEND, probe, term, previous_index, previous_term, commit, stamp_ns, len(entries)
    )
    parts = [head]
    for payload, _index, entry_term in entries:
        parts.append(_ENTRY_HEAD.pack(entry_term, len(payload)))
        parts.append(payload)
    return parts


def decode_message(body: bytes) -> Message:
    """Return the message that `body` is, all of it; raise WireError when it is none."""
    kind = body[0] if body else 0
    if kind == _APPEND:
        return _decode_append(body)
    if kind == _CHUNK:
        if len(body) <= _CHUNK_HEAD.size:
            raise WireError("a snapshot chunk without bytes")
        _, transfer, term, offset = _CHUNK_HEAD.unpack_from(body)
        return SnapshotChunk(term, transfer, offset, body[_CHUNK_HEAD.size :])
    known = _FIXED.get(kind)
    if known is None or len(body) != known[1].size:
        raise WireError(f"a message of kind {kind} with {len(body)} bytes")
    made, layout = known
    message: Message = made(*layout.unpack(body)[1:])
    return message


def _decode_append(body: bytes) -> Append:
    if len(body) < _APPEND_HEAD.size:
        raise WireError(f"an append message of {len(body)} bytes")
    _, probe, term, previous_index, previous_term, commit, stamp_ns, count = (
        _APPEND_HEAD.unpack_from(body)
    )
    entries: list[Entry] = []
    at = _APPEND_HEAD.size
    for number in range(count):
        if at + _ENTRY_HEAD.size > len(body):
            raise WireError(f"an append message ends inside entry {number} of {count}")
        entry_term, size = _ENTRY_HEAD.unpack_from(body, at)
        at += _ENTRY_HEAD.size
        payload = body[at : at + size]
        if size == 0 or len(payload) != size:
            raise WireError(f"entry {number} has {len(payload)} of {size} bytes")
        at += size
        entries.append((payload, previous_index + 1 + number, entry_term))
    if at != len(body):
        raise WireError(f"{len(body) - at} bytes behind the last entry")
    return Append(term, probe, previous_index, previous_term, commit, stamp_ns, entries)
