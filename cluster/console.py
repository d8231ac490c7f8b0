"""How commands speak.

A table or a sentence for people, one JSON object with --json, and errors that end with code 1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson

from cluster.deployment import DEFAULT_DATA, DeploymentError
from config import ConfigError

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

FAILED: Final = 1


def data_option(command: _Decorated) -> _Decorated:
    """Add `--data DIR`, the cluster's folder, as the argument `data`."""
    option = click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_DATA,
        show_default=True,
        envvar="QUORUMBOOK_DATA",
        help="The cluster's folder.",
    )
    return option(command)


def json_option(command: _Decorated) -> _Decorated:
    """Add `--json` as the argument `as_json`."""
    option = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
    )
    return option(command)


def say_json(content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON value on one line."""
    click.echo(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS))


def say_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand right."""
    from rich.console import Console
    from rich.table import Table

    listed = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        figures = all(_is_figure(row[number]) for row in listed) and bool(listed)
        table.add_column(column, justify="right" if figures else "left", overflow="fold")
    for row in listed:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    console.print(table)


@contextmanager
def failures_explained(*kinds: type[Exception]) -> Iterator[None]:
    """End the program with code 1 and the message of a known error, or of one of `kinds`."""
    explained: tuple[type[Exception], ...] = (DeploymentError, ConfigError, *kinds)
    try:
        yield
    except explained as error:
        raise click.ClickException(str(error)) from error


def shares(lots: int) -> str:
    """Return lots as shares with two decimals."""
    return f"{lots // 100:,}.{lots % 100:02d}"


def usdc(micro: int) -> str:
    """Return micro-USDC as USDC with six decimals."""
    sign = "-" if micro < 0 else ""
    return f"{sign}{abs(micro) // 1_000_000:,}.{abs(micro) % 1_000_000:06d}"


def price(units: int) -> str:
    """Return price units as a probability with four decimals."""
    return f"{units // 10_000}.{units % 10_000:04d}"


def _is_figure(cell: str) -> bool:
    return (
        cell.replace(",", "").replace(".", "").replace("-", "").replace("%", "").strip().isdigit()
    )
