"""A range of seeds, as it is given on a command line."""

import click


def seeds_of(ctx: click.Context, param: click.Parameter, value: str) -> range:
    """Return the range that `A:B` names, from A up to B without it, or a single seed.

    For the `callback` of an option. Raises click.BadParameter.
    """
    first, colon, last = value.partition(":")
    if first.isdecimal() and (last.isdecimal() if colon else not last):
        return range(int(first), int(last) if colon else int(first) + 1)
    told = f"{value!r} is no range of seeds: write 0:1000, or one seed"
    raise click.BadParameter(told, ctx, param)
