"""The compiler and forge, as npm has them: pinned in `package.json`, installed beside it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
_INSTALLED: Final = Path("node_modules/.package-lock.json")
FORGE_FOLDER: Final = FOLDER / "node_modules/@foundry-rs/forge-linux-amd64/bin"


class ToolchainError(Exception):
    """The contracts cannot be built here."""


def missing() -> str | None:
    """Return what this machine lacks for the contracts to be built, or None."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            return f"{tool} is not on the path (on Debian, 'apt install nodejs npm')"
    return None


def install(folder: Path = FOLDER) -> None:
    """Install the pinned tools, if they are not there as the lock file says."""
    lack = missing()
    if lack is not None:
        raise ToolchainError(lack)
    lock = folder / "package-lock.json"
    installed = folder / _INSTALLED
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    result = subprocess.run(
        ["npm", "ci", "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise ToolchainError(f"npm ci failed in {folder}: {result.stdout}{result.stderr}")
    installed.touch()


def forge(
    arguments: Sequence[str],
    *,
    folder: Path = FOLDER,
    settings: Mapping[str, str] | None = None,
    seconds_max: float = 1_200,
) -> subprocess.CompletedProcess[str]:
    """Run forge in `folder`, where the tools must be, with environment variables `settings`."""
    environment = {**os.environ, "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1", **(settings or {})}
    return subprocess.run(
        [str(FORGE_FOLDER / "forge"), *arguments, "--root", str(folder)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds_max,
    )


def forge_or_explain(arguments: Sequence[str]) -> str:
    """Run forge and return what it printed. Raises ToolchainError with that if it failed."""
    result = forge(arguments)
    if result.returncode != 0:
        raise ToolchainError(f"forge {' '.join(arguments)} failed:\n{result.stdout}")
    return result.stdout
