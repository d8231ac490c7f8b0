"""Compile the pure core with mypyc where a C compiler is found; pyproject.toml has the rest."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED_FOLDERS = ("node/domain", "node/engine", "node/protocol")
METADATA_COMMANDS = (["egg_info"], ["dist_info"], ["sdist"])


def compiled_sources() -> list[str]:
    """Return the modules that mypyc compiles, as one group, in a stable order."""
    return sorted(
        str(path)
        for folder in COMPILED_FOLDERS
        for path in Path(folder).glob("*.py")
        if path.name != "__init__.py"
    )


def extensions() -> list[Extension]:
    """Return the extension modules of the core.

    None when only metadata or pure Python is wanted.
    """
    if os.environ.get("QUORUMBOOK_PURE") == "1" or sys.argv[1:2] in METADATA_COMMANDS:
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  (only a build that compiles needs it)

    return mypycify(["--strict", *compiled_sources()], opt_level="3", group_name="quorumbook")


class OptionalBuild(build_ext):
    """Fall back to pure Python when the C compiler is missing or fails.

    All or nothing: one module left behind without its group's library would not import. A type
    error is not caught here, it has already ended the build.
    """

    def run(self) -> None:
        """Compile every extension, or remove what was made of them."""
        try:
            super().run()
        except Exception as error:  # noqa: BLE001  (distutils compilers raise what they like)
            print(f"quorumbook: not compiled ({error}); running in pure Python", file=sys.stderr)
            for extension in self.extensions:
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
