"""An error that ends a part of a run: told in the report, which is written all the same."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

FINISHED: Final = "the run comes to its end"
"""The invariant that an error breaks: what it cut short was not judged."""


@contextmanager
def failures_told(violate: Callable[[str, str], object], *known: type[Exception]) -> Iterator[None]:
    """Tell an error of the block to `violate`, as invariant and what is wrong, and go on behind it.

    One that is not of the `known` kinds is one of ours: its traceback goes to standard error.
    What click raises is about the command line, and comes out; so do signals.
    """
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:  # noqa: BLE001 - what was judged before is worth its report
        if not isinstance(error, known):
            traceback.print_exception(error)
        violate(FINISHED, f"{type(error).__name__}: {error}")
