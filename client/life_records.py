"""Records of what leads and restrains trading, as queries answer them."""

from __future__ import annotations

import struct
from typing import NamedTuple


class TimesRecord(NamedTuple):
    """When a market opens and closes by itself, in ns of the log's time; 0 for never."""

    market: int
    opens_at_ns: int
    closes_at_ns: int


class AttestationRecord(NamedTuple):
    """What the resolver with this key attested in the present round."""

    key: int
    price: int
    evidence: bytes


class ResolutionRecord(NamedTuple):
    """What a market is about to come to; `stage` is of `ResolutionStage`."""

    market: int
    stage: int
    round: int
    price: int
    final_at_ns: int
    evidence: bytes
    attestations: tuple[AttestationRecord, ...]


class PauseRecord(NamedTuple):
    """A pause that is on; `scope` is of `PauseScope`, `level` of `PauseLevel`."""

    scope: int
    subject: int
    level: int


class StopRecord(NamedTuple):
    """A stop that is on; `scope` is of `Scope`, `reason` of `StopReason`, `by` a key's number."""

    scope: int
    subject: int
    reason: int
    by: int
    reference: int
    closing: bool
    """Whether orders that were working are still being closed."""


_TIMES = struct.Struct("<qqq")
_RESOLUTION = struct.Struct("<iiiiq32sq")
_ATTESTATION = struct.Struct("<ii32s")
_PAUSE = struct.Struct("<iiq8x")
_STOP = struct.Struct("<iiiiqq")


def parse_times(record: bytes) -> TimesRecord:
    """Read a market's times."""
    return TimesRecord._make(_TIMES.unpack(record))


def parse_resolution(record: bytes) -> ResolutionRecord:
    """Read a market's resolution on its way."""
    *fields, count = _RESOLUTION.unpack_from(record)
    first = _RESOLUTION.size
    said = _ATTESTATION.iter_unpack(record[first : first + count * _ATTESTATION.size])
    attestations = tuple(AttestationRecord._make(one) for one in said)
    return ResolutionRecord._make((*fields, attestations))


def parse_pauses(records: bytes) -> list[PauseRecord]:
    """Read pauses."""
    return [
        PauseRecord(scope, subject, level) for subject, scope, level in _PAUSE.iter_unpack(records)
    ]


def parse_stops(records: bytes) -> list[StopRecord]:
    """Read stops."""
    return [
        StopRecord(scope, subject, reason, by, reference, sweep != 0)
        for subject, scope, reason, by, reference, sweep in _STOP.iter_unpack(records)
    ]
