"""One planted bug."""

from typing import NamedTuple


class StalePatchError(Exception):
    """What a mutant wants to replace is not there once: the source has moved on."""


class Mutant(NamedTuple):
    """A small patch to one Solidity file, what it breaks, and which tests look there first."""

    name: str
    what: str
    file: str
    old: str
    """Stands exactly once in the file."""
    new: str
    tests: str

    def patched(self, source: str) -> str:
        """Return the file's text with the bug. Raises StalePatchError."""
        count = source.count(self.old)
        if count != 1:
            raise StalePatchError(f"{self.name}: its text stands {count} times in {self.file}")
        return source.replace(self.old, self.new)
