"""The two forms of the core: compiled by mypyc, and the same sources in pure Python."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import find_spec
from types import ModuleType
from typing import Literal

COMPILED_PACKAGES = ("node.domain", "node.engine", "node.protocol")


class PureFinder:
    """A meta path finder for node.* that sees only source files."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the source file of `name`, or None for what is not in node.*."""
        del target  # Part of the protocol of finders; only reloading uses it.
        if not name.startswith("node.") or path is None:
            return None
        for folder in path:
            spec = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name)
            if spec is not None:
                return spec
        return None


def install() -> None:
    """Load sources from now on, even where compiled modules lie beside them."""
    sys.meta_path.insert(0, PureFinder())


@contextmanager
def pure() -> Iterator[None]:
    """Give fresh pure modules to imports of node.* in the block; put the old ones back after it.

    For differential tests: what was imported before keeps its form, and objects of both forms live
    side by side.
    """
    kept = _forget_node_modules()
    finder = PureFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget_node_modules()
        sys.modules.update(kept)


def build_form() -> Literal["compiled", "pure"]:
    """Return the form in which this process loads the core."""
    spec = find_spec("node.domain.units")
    if spec is None or spec.origin is None:
        raise ImportError("node.domain.units is not installed; run `make`")
    return "compiled" if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)) else "pure"


def _forget_node_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "node" or name.startswith("node.")]
    return {name: sys.modules.pop(name) for name in names}
