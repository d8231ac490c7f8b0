"""A small sequential model, and the calls that clients made to it: what `wgl` searches over."""

from collections.abc import Hashable
from typing import NamedTuple, Protocol

from chaos.checkers.execution_table import NEVER


class Call(NamedTuple):
    """One call of one client. `returned_ns` is NEVER when its outcome is unknown.

    Then it took effect once, at any time after it was invoked, or not at all, and `answer` means
    nothing.
    """

    client: int
    command: Hashable
    answer: Hashable
    invoked_ns: int
    returned_ns: int = NEVER

    @property
    def is_unknown(self) -> bool:
        """Return whether nobody knows if it took effect."""
        return self.returned_ns == NEVER


class Model(Protocol):
    """A state machine that is simple enough to be trusted."""

    def initial(self) -> Hashable:
        """Return the state before any command."""
        ...

    def step(self, state: Hashable, command: Hashable) -> tuple[Hashable, Hashable]:
        """Return the state after `command`, and what it answers."""
        ...
