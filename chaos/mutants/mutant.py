"""One planted bug."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """A small patch to one file, and what it breaks."""

    name: str
    what: str
    """What goes wrong with it, in a sentence."""
    file: str
    old: str
    """Occurs exactly once in the file."""
    new: str
    options: tuple[str, ...] = ()
    """What `sim` is asked for beyond its defaults."""
    guards_off: bool = False
    """Whether it takes away the guard that keeps a fault of the Raft core itself away."""

    @property
    def area(self) -> str:
        """The part of the node that it is in."""
        return self.file.split("/")[1]
