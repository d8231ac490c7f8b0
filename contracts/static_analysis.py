"""Slither, in an environment of its own: it wants other versions than we do."""

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Final

from contracts.toolchain import FOLDER, FORGE_FOLDER, ToolchainError, forge_or_explain

_ENVIRONMENT: Final = FOLDER / ".slither"
_VERSION: Final = "slither-analyzer==0.11.6"
_FINDINGS: Final = FOLDER / "out" / "slither.json"
ANSWERED: Final = {
    "assembly": 10,
    "divide-before-multiply": 1,
    "missing-zero-check": 1,
    "timestamp": 13,
    "unused-return": 2,
}
"""How often each kind is found, and answered in docs/settlement.md."""


def analyse() -> tuple[Counter[str], str]:
    """Install slither if it is not there; return how often it found what, and what it printed."""
    tools = _ENVIRONMENT / "bin"
    if not (tools / "slither").exists():
        for command in (
            [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
            [str(tools / "python"), "-m", "pip", "install", "-q", _VERSION],
        ):
            if subprocess.run(command, check=False).returncode != 0:
                raise ToolchainError(f"slither cannot be installed: {' '.join(command)}")
    forge_or_explain(["build", "src", "--build-info", "--force"])
    _FINDINGS.unlink(missing_ok=True)
    result = subprocess.run(
        [
            *(str(tools / "slither"), ".", "--ignore-compile"),
            *("--foundry-out-directory", "out"),
            *("--filter-paths", "node_modules|test"),
            *("--json", str(_FINDINGS)),
        ],
        cwd=FOLDER,
        env={**os.environ, "PATH": f"{FORGE_FOLDER}:{tools}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not _FINDINGS.exists():
        raise ToolchainError(f"slither found nothing to say: {result.stdout}")
    findings = json.loads(_FINDINGS.read_text())["results"].get("detectors", [])
    return Counter(finding["check"] for finding in findings), result.stdout
