"""What is attacked with bytes: a decoder, valid messages to start from, and what it promises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from blake3 import blake3

Judge = Callable[[Sequence[bytes]], None]
"""Feeds each input to a fresh decoder; raises whatever the decoder should not have raised."""


class BrokenPromiseError(Exception):
    """A decoder came to something that it promises never to come to."""


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder under attack."""

    name: str
    says: str
    """What is decoded, in words."""
    modules: tuple[str, ...]
    """The modules whose code is attacked: another source begins a new count."""
    corpus: Sequence[bytes]
    judge: Judge
    repair: Callable[[bytes], bytes] | None = None
    """Makes checksums right again, so that the bytes behind them are looked at."""
    verdict: Callable[["Forms", bytes], Any] | None = None
    """What one form of the core says about an input; None where there is only one form."""
    engines: tuple[str, ...] = field(default=("mutation", "atheris"))

    def digest(self) -> str:
        """Return a hash of the corpus and of the sources under attack."""
        mixed = blake3()
        for message in self.corpus:
            mixed.update(len(message).to_bytes(4, "little") + message)
        for name in self.modules:
            mixed.update(_source(name))
        return mixed.hexdigest(length=8)


@dataclass(frozen=True, slots=True)
class Forms:
    """The modules of one form of the core, compiled or pure."""

    framing: ModuleType
    stream: ModuleType
    reply_runs: ModuleType
    event_routes: ModuleType
    command_frames: ModuleType
    genesis: ModuleType


def _source(module: str) -> bytes:
    spec = find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    origin = Path(spec.origin)
    return (origin.parent / f"{module.rpartition('.')[2]}.py").read_bytes()
