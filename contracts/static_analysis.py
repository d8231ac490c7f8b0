"""Slither, in an environment of its own: it wants other versions than we do."""

import os
import subprocess
import sys
from typing import Final

from contracts.toolchain import FOLDER, ToolchainError

_ENVIRONMENT: Final = FOLDER / ".slither"
_VERSION: Final = "slither-analyzer==0.11.6"
_REMAPPING: Final = "@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"


def analyse() -> int:
    """Install slither if it is not there, run it over the vault, and return its code."""
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        for command in (
            [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "-q", _VERSION],
        ):
            if subprocess.run(command, check=False).returncode != 0:
                raise ToolchainError(f"slither cannot be installed: {' '.join(command)}")
    return subprocess.run(
        [
            str(_ENVIRONMENT / "bin" / "slither"),
            "src/Vault.sol",
            *("--solc", str(FOLDER / "tools" / "solc-for-slither")),
            *("--solc-remaps", _REMAPPING),
            *("--filter-paths", "node_modules"),
        ],
        cwd=FOLDER,
        env={**os.environ, "PATH": f"{_ENVIRONMENT / 'bin'}:{os.environ['PATH']}"},
        check=False,
    ).returncode
