"""Inputs that are almost right: valid messages, changed in batches under a seed.

A batch goes through one to three changes, and each change is made to all inputs of the batch with
as few Python steps as it takes: bits are flipped in the whole batch by one exclusive or.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Final

BATCH_INPUTS: Final = 2_048
_INPUT_BYTES_MAX: Final = 1 << 16
_WIDTHS: Final = (1, 2, 4, 8)
_EDGES: Final = (
    *(0, 1, 2, 7, 8, 9, 15, 16, 40, 48, 127, 128, 255, 256, 257),
    *(4_095, 4_096, 4_097, 1 << 15, (1 << 15) - 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1),
    *(1 << 20, 1 << 23, (8 << 20) + (64 << 10), (8 << 20) + (64 << 10) + 1, 1 << 28, (1 << 28) + 1),
    *((1 << 31) - 9, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32),
    *((1 << 62), (1 << 63) - 1, 1 << 63, (1 << 64) - 8, (1 << 64) - 1),
)
"""Where integers, sizes and limits end, and one beyond."""
_BOUNDARIES: Final = [
    edge.to_bytes(width, "little") for edge in _EDGES for width in _WIDTHS if edge < 1 << 8 * width
]

Change = Callable[[Random, Sequence[bytes], list[bytes]], list[bytes]]


class Mutator:
    """Batches of inputs made from a corpus: the same ones for the same seed and number."""

    def __init__(self, corpus: Sequence[bytes], seed: str) -> None:
        """Change the messages of `corpus`, which are valid."""
        self._corpus = corpus
        self._seed = seed

    def batch(self, number: int) -> list[bytes]:
        """Return the inputs of batch `number`."""
        random = Random(f"{self._seed}:{number}")
        inputs = random.choices(self._corpus, k=BATCH_INPUTS)
        for change in random.choices(_CHANGES, k=random.choice((1, 1, 2, 2, 3))):
            inputs = change(random, self._corpus, inputs)
        return inputs


def _flip_bits(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Flip bits: one in 16 to one in 1,024."""
    del corpus
    whole = b"".join(inputs)
    bits = 8 * len(whole)
    if not bits:
        return inputs
    mask = random.getrandbits(bits)
    for _ in range(random.randrange(3, 10)):
        mask &= random.getrandbits(bits)
    mixed = (int.from_bytes(whole, "little") ^ mask).to_bytes(len(whole), "little")
    return [mixed[a:b] for a, b in pairwise(accumulate(map(len, inputs), initial=0))]


def _truncate(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Keep the front of each."""
    del corpus
    share = random.random
    return [one[: int(share() * (len(one) + 1))] for one in inputs]


def _behead(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Drop a few bytes at the front or within, so that all fields move."""
    del corpus
    share = random.random
    cuts = [int(share() * (len(one) + 1)) for one in inputs]
    lost = random.choices((1, 2, 4, 8, 16), k=len(inputs))
    return [one[:cut] + one[cut + n :] for one, cut, n in zip(inputs, cuts, lost, strict=True)]


def _splice(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Put the end of another message behind the front of each."""
    share = random.random
    others = random.choices(corpus, k=len(inputs))
    return [
        one[: int(share() * (len(one) + 1))] + other[int(share() * len(other)) :]
        for one, other in zip(inputs, others, strict=True)
    ]


def _insert(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Push a whole message into the middle of each."""
    share = random.random
    others = random.choices(corpus, k=len(inputs))
    cuts = [int(share() * (len(one) + 1)) for one in inputs]
    return [
        one[:cut] + other + one[cut:]
        for one, other, cut in zip(inputs, others, cuts, strict=True)
        if len(one) < _INPUT_BYTES_MAX
    ]


def _boundary_at_front(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Write a boundary value over the first field, which is a length in most messages."""
    del corpus
    values = random.choices(_BOUNDARIES, k=len(inputs))
    return [value + one[len(value) :] for one, value in zip(inputs, values, strict=True)]


def _boundary_anywhere(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Write a boundary value over some even offset."""
    del corpus
    share = random.random
    values = random.choices(_BOUNDARIES, k=len(inputs))
    places = [int(share() * (len(one) >> 1)) << 1 for one in inputs]
    return [
        one[:place] + value + one[place + len(value) :]
        for one, value, place in zip(inputs, values, places, strict=True)
    ]


def _repeat(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Say each a few times, or say valid messages before or behind it."""
    times = random.randrange(2, 6)
    if random.random() < 0.3:
        return [one * times for one in inputs if len(one) < _INPUT_BYTES_MAX]
    before = random.choices(corpus, k=len(inputs))
    behind = random.choices(corpus, k=len(inputs))
    return [a + one + b for a, one, b in zip(before, inputs, behind, strict=True)]


def _noise(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Replace each by bytes without any sense."""
    del corpus
    noise = random.randbytes(sum(map(len, inputs)))
    return [noise[a:b] for a, b in pairwise(accumulate(map(len, inputs), initial=0))]


def _leave(random: Random, corpus: Sequence[bytes], inputs: list[bytes]) -> list[bytes]:
    """Change nothing: valid messages, at the mercy of what else is done to them."""
    del random, corpus
    return inputs


_CHANGES: Final[tuple[Change, ...]] = (
    _flip_bits,
    _flip_bits,
    _truncate,
    _behead,
    _splice,
    _insert,
    _boundary_at_front,
    _boundary_anywhere,
    _repeat,
    _noise,
    _leave,
)
