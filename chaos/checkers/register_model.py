"""A register: write, read, compare and set."""

from collections.abc import Hashable
from typing import NamedTuple


class Write(NamedTuple):
    """Set the value; answers None."""

    value: Hashable


class ReadValue(NamedTuple):
    """Answer the value."""


class CompareAndSet(NamedTuple):
    """Set the value if it is `expected`; answers whether it was."""

    expected: Hashable
    value: Hashable


class Register:
    """One value, at first None."""

    def initial(self) -> Hashable:
        """Return the value that nobody wrote."""
        return None

    def step(self, state: Hashable, command: Hashable) -> tuple[Hashable, Hashable]:
        """Return the value after `command`, and its answer."""
        match command:
            case Write(value):
                return value, None
            case ReadValue():
                return state, state
            case CompareAndSet(expected, value):
                return (value, True) if state == expected else (state, False)
        raise TypeError(f"a register knows no {command!r}")
