"""The command line as a person would type it, for tests of whole clusters."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cluster.app import app
from cluster.deployment import Deployment, open_deployment

SETTLE_SECONDS = 30.0


class Terminal:
    """Types commands for one cluster; every answer is the JSON that a program would get."""

    def __init__(self, data: Path) -> None:
        """Work on the cluster in `data`."""
        self.data = data

    def __call__(self, *words: str, code: int = 0) -> Any:
        """Run a command with --json, check its exit code, and return what it says."""
        result = CliRunner().invoke(app, [*words, "--data", str(self.data), "--json"])
        assert result.exit_code == code, (words, result.output)
        lines = result.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines and not code else result.output

    @property
    def deployment(self) -> Deployment:
        """Return the cluster's files."""
        return open_deployment(self.data)


def settle(what: Callable[[], bool]) -> None:
    """Wait until `what` is true; fail when it takes too long."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
