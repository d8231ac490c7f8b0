"""Numbers on a command line that mean something."""

import math

import click


class FiniteRange(click.FloatRange):
    """A range of numbers in which `nan` is none: it compares with nothing, and passes for all."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number to go by", param, ctx)
        return number
