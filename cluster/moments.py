"""Times on the command line: ISO 8601 with a zone, as ns since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Moment(click.ParamType[int]):
    """A time with its zone, such as 2027-01-01T12:00:00Z."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Return `value` in ns since 1970; a usage error when it is no time or has no zone."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not like 2027-01-01T12:00:00Z", param, ctx)
        if moment.tzinfo is None or moment <= EPOCH:
            self.fail(f"{value} has no zone, or lies before 1970", param, ctx)
        return (moment - EPOCH) // _MICROSECOND * 1_000


TIME: Final = Moment()


def at_text(time_ns: int) -> str:
    """Return a time as TIME takes it; what is finer than a microsecond is left off."""
    return (EPOCH + timedelta(microseconds=time_ns // 1_000)).isoformat().replace("+00:00", "Z")
