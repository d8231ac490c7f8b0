"""A balance that never goes below zero: credit, debit, read."""

from collections.abc import Hashable
from typing import Final, NamedTuple


class Credit(NamedTuple):
    """Add an amount; answers True."""

    amount: int


class Debit(NamedTuple):
    """Take an amount if it is there; answers whether it was."""

    amount: int


class ReadBalance(NamedTuple):
    """Answer the balance."""


class Balance:
    """One account's balance."""

    def __init__(self, start: int = 0) -> None:
        """Begin with `start`."""
        self._start: Final = start

    def initial(self) -> Hashable:
        """Return what it begins with."""
        return self._start

    def step(self, state: Hashable, command: Hashable) -> tuple[Hashable, Hashable]:
        """Return the balance after `command`, and its answer."""
        assert isinstance(state, int)
        match command:
            case Credit(amount):
                return state + amount, True
            case Debit(amount):
                return (state - amount, True) if state >= amount else (state, False)
            case ReadBalance():
                return state, state
        raise TypeError(f"a balance knows no {command!r}")
