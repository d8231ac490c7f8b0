"""One direction between two hosts: what becomes of each frame, drawn from a seed. No I/O."""

from collections.abc import Iterable
from random import Random
from typing import Final

import msgspec

_REORDER_SECONDS: Final = 0.004
"""How long a frame is held back, at most, so that others overtake it."""
_QUEUE_SECONDS: Final = 0.5
"""Of frames that wait for a slow link; what comes on top is dropped, as a full queue does."""
_ETHERNET: Final = 14
_ADDRESSES_END: Final = 34
"""Bytes before this one are needed to deliver a frame at all: Ethernet and IPv4 headers."""
_ATTEMPTS: Final = 32


class LinkFaults(msgspec.Struct, frozen=True):
    """What is wrong with one direction. Shares are of frames, 0.0 to 1.0."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Added to the delay, evenly drawn from 0 to this; frames keep their order."""
    loss: float = 0.0
    duplication: float = 0.0
    corruption: float = 0.0
    """One bit is flipped: the kernel's checksums find it, and the frame is gone."""
    forgery: float = 0.0
    """Two bits are flipped so that TCP's checksum does not notice: the program has to."""
    reordering: float = 0.0
    bytes_per_second: float = 0.0
    """0 is no limit."""
    cut: bool = False


HEALTHY: Final = LinkFaults()


def merge(faults: Iterable[LinkFaults]) -> LinkFaults:
    """Return all of `faults` at once."""
    merged = HEALTHY
    for one in faults:
        limits = [rate for rate in (merged.bytes_per_second, one.bytes_per_second) if rate]
        merged = LinkFaults(
            merged.delay_ms + one.delay_ms,
            merged.jitter_ms + one.jitter_ms,
            _either(merged.loss, one.loss),
            _either(merged.duplication, one.duplication),
            _either(merged.corruption, one.corruption),
            _either(merged.forgery, one.forgery),
            _either(merged.reordering, one.reordering),
            min(limits, default=0.0),
            merged.cut or one.cut,
        )
    return merged


def _either(one: float, other: float) -> float:
    return 1.0 - (1.0 - one) * (1.0 - other)


class Tally(msgspec.Struct):
    """What became of the frames of a switch."""

    frames: int = 0
    """All that came in."""
    size_bytes: int = 0
    undelivered: int = 0
    """For nobody, or not taken by the receiver's queue."""
    cut: int = 0
    lost: int = 0
    duplicated: int = 0
    corrupted: int = 0
    forged: int = 0
    reordered: int = 0
    delayed: int = 0
    queue_full: int = 0


class Link:
    """One faulty direction, with a generator of its own."""

    def __init__(self, faults: LinkFaults, random: Random, tally: Tally) -> None:
        """Count in `tally`, which all links share."""
        self._faults = faults
        self._random = random
        self._tally = tally
        self._free_at = 0.0
        self._last_due = 0.0

    def plan(self, frame: bytes, now: float) -> list[tuple[float, bytes]]:
        """Return what is to be delivered and when, not before `now` (seconds)."""
        faults, tally, draw = self._faults, self._tally, self._random.random
        if faults.cut:
            tally.cut += 1
            return []
        if draw() < faults.loss:
            tally.lost += 1
            return []
        if draw() < faults.corruption:
            frame = flip_bit(frame, self._random)
            tally.corrupted += 1
        if draw() < faults.forgery:
            forged = forge(frame, self._random)
            tally.forged += forged != frame
            frame = forged
        due = self._due(frame, now)
        if due is None:
            tally.queue_full += 1
            return []
        tally.delayed += due > now
        planned = [(due, frame)]
        if draw() < faults.duplication:
            tally.duplicated += 1
            planned.append((due, frame))
        return planned

    def _due(self, frame: bytes, now: float) -> float | None:
        """Return when the frame arrives; None when the queue of a slow link is full."""
        faults = self._faults
        leaves = now
        if faults.bytes_per_second:
            begins = max(now, self._free_at)
            if begins - now > _QUEUE_SECONDS:
                return None
            leaves = self._free_at = begins + len(frame) / faults.bytes_per_second
        late_ms = faults.delay_ms + self._random.random() * faults.jitter_ms
        due = leaves + late_ms / 1_000
        if self._random.random() < faults.reordering:
            self._tally.reordered += 1
            return due + self._random.random() * _REORDER_SECONDS
        due = self._last_due = max(due, self._last_due)
        return due


def flip_bit(frame: bytes, random: Random) -> bytes:
    """Return `frame` with one bit flipped behind its addresses."""
    if len(frame) <= _ADDRESSES_END:
        return frame
    changed = bytearray(frame)
    changed[random.randrange(_ADDRESSES_END, len(frame))] ^= 1 << random.randrange(8)
    return bytes(changed)


def forge(frame: bytes, random: Random) -> bytes:
    """Return a TCP `frame` with two bits of its payload flipped that leave its checksum right.

    The sum of all 16-bit words stays when a bit is set in one word and cleared in another. Frames
    with little or no payload, and those of other protocols, come back as they are.
    """
    start = _payload(frame)
    words = (len(frame) - start) // 2
    if start == 0 or words < 2:
        return frame
    for _ in range(_ATTEMPTS):
        one, other = (start + 2 * random.randrange(words) for _ in range(2))
        byte, bit = random.randrange(2), 1 << random.randrange(8)
        if (frame[one + byte] ^ frame[other + byte]) & bit:
            changed = bytearray(frame)
            changed[one + byte] ^= bit
            changed[other + byte] ^= bit
            return bytes(changed)
    return frame


def _payload(frame: bytes) -> int:
    """Return where the TCP payload of an Ethernet frame starts; 0 when it holds no TCP over IPv4.

    Always even, so that words of the checksum are words of the frame.
    """
    if len(frame) < _ADDRESSES_END + 20 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return 0
    tcp = _ETHERNET + (frame[_ETHERNET] & 15) * 4
    start = tcp + (frame[tcp + 12] >> 4) * 4
    end = _ETHERNET + int.from_bytes(frame[16:18], "big")
    return start if start < end <= len(frame) else 0
