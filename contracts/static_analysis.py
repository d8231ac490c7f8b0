"""Slither, in an environment of its own: it wants other versions than we do."""

import os
import subprocess
import sys
from typing import Final

from contracts.toolchain import FOLDER, FORGE_FOLDER, ToolchainError, forge_or_explain

_ENVIRONMENT: Final = FOLDER / ".slither"
_VERSION: Final = "slither-analyzer==0.11.6"


def analyse() -> int:
    """Install slither if it is not there, run it over the vault, and return its code.

    What it finds is answered in docs/settlement.md.
    """
    tools = _ENVIRONMENT / "bin"
    if not (tools / "slither").exists():
        for command in (
            [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
            [str(tools / "python"), "-m", "pip", "install", "-q", _VERSION],
        ):
            if subprocess.run(command, check=False).returncode != 0:
                raise ToolchainError(f"slither cannot be installed: {' '.join(command)}")
    forge_or_explain(["build", "src", "--build-info", "--force"])
    return subprocess.run(
        [
            *(str(tools / "slither"), ".", "--ignore-compile"),
            *("--foundry-out-directory", "out"),
            *("--filter-paths", "node_modules|test"),
        ],
        cwd=FOLDER,
        env={**os.environ, "PATH": f"{FORGE_FOLDER}:{tools}:{os.environ['PATH']}"},
        check=False,
    ).returncode
