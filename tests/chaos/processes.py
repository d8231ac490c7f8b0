"""Other processes: who runs, and waiting for them."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def await_true(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Return whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def nodes_in(folder: Path) -> list[str]:
    """Return the command lines of the nodes that run on files in `folder`."""
    listing = ["ps", "-ww", "-eo", "args"]  # Without a terminal, ps cuts lines at 80 characters.
    said = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if str(folder) in line and "-m node " in line]
