"""The catalogue: every kind of fault by name, what it needs, how it begins and how it is healed.

A kind is one async generator: up to its `yield` it breaks something, behind it it heals. What it
yields says what was broken, for the timeline.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chaos.real.scene import Scene

NODES: Final = "nodes"
NETWORK: Final = "network"
DISK: Final = "disk"
CLIENTS: Final = "clients"

Breaking = Callable[["Scene", Random], AsyncIterator[str]]


@dataclass(frozen=True)
class Kind:
    """One kind of fault."""

    name: str
    lane: str
    promise: str
    """What is broken, in one sentence."""
    needs: tuple[str, ...]
    """Names of abilities (see `chaos.real.abilities`); without one of them the kind is left out."""
    seconds: tuple[float, float]
    """How long it lasts, at least and at most."""
    apply: Callable[["Scene", Random], AbstractAsyncContextManager[str]]


CATALOGUE: Final[dict[str, Kind]] = {}
"""Every kind by name, once `chaos.real.faults` is imported."""


def kind(
    name: str, lane: str, seconds: tuple[float, float], *needs: str
) -> Callable[[Breaking], Breaking]:
    """Enter an async generator into the catalogue; its docstring is the kind's promise."""

    def enter(breaking: Breaking) -> Breaking:
        assert name not in CATALOGUE, f"two kinds called {name}"
        promise = (breaking.__doc__ or "").strip().splitlines()[0]
        CATALOGUE[name] = Kind(name, lane, promise, needs, seconds, asynccontextmanager(breaking))
        return breaking

    return enter
