"""A range of seeds, as it is given on a command line."""

from typing import Final

import click

_DIGITS_MOST: Final = 18
"""More seeds than anybody runs, and no more than fit into 64 bits."""


def seeds_of(ctx: click.Context, param: click.Parameter, value: str) -> range:
    """Return the range that `A:B` names, from A up to B without it, or a single seed.

    For the `callback` of an option. A range without any seed is refused: it would show nothing.
    Raises click.BadParameter.
    """
    first, colon, last = value.partition(":")
    if not (_is_seed(first) and (_is_seed(last) if colon else not last)):
        told = f"{value!r} is no range of seeds: write 0:1000, or one seed"
        raise click.BadParameter(told, ctx, param)
    seeds = range(int(first), int(last) if colon else int(first) + 1)
    if not seeds:
        told = f"there is no seed in {value}: it goes from {first} up to {last}, without {last}"
        raise click.BadParameter(told, ctx, param)
    return seeds


def _is_seed(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= _DIGITS_MOST
