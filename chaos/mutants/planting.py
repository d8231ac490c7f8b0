"""A copy of the sources with one bug in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chaos.disks.workplace import workplace
from chaos.mutants.mutant import Mutant

SOURCES: Final = Path(__file__).resolve().parents[2]
_PACKAGES: Final = ("node", "client", "cluster", "contracts", "chaos", "config")


class StalePatchError(Exception):
    """What a mutant wants to replace is not there, or more than once: the source has moved on."""

    def __init__(self, mutant: Mutant, count: int) -> None:
        """Name the mutant, the file, and how often its text was found."""
        super().__init__(
            f"mutant {mutant.name}: its text stands {count} times in {mutant.file}, once is "
            "wanted; bring the patch in chaos/mutants up to date"
        )


def patched(mutant: Mutant, source: str) -> str:
    """Return the file's text with the bug. Raises StalePatchError."""
    count = source.count(mutant.old)
    if count != 1:
        raise StalePatchError(mutant, count)
    return source.replace(mutant.old, mutant.new)


def plant(mutant: Mutant | None, root: Path) -> None:
    """Copy the sources to `root` and put the bug into the copy; None puts none."""
    for package in _PACKAGES:
        shutil.copytree(
            SOURCES / package,
            root / package,
            ignore=shutil.ignore_patterns("*.so", "__pycache__", "node_modules", "out", ".slither"),
        )
    if mutant is not None:
        file = root / mutant.file
        file.write_text(patched(mutant, file.read_text()))


@contextmanager
def planted(mutant: Mutant | None) -> Iterator[Path]:
    """Yield a folder with a copy of the sources and the bug in it.

    It is gone afterwards, with whatever still runs in it; after `kill -9`, once the next one is
    made.
    """
    with workplace() as folder:
        root = folder / "sources"
        plant(mutant, root)
        yield root
