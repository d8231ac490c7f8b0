"""A node that finds itself broken ends, also when it cannot say so any more."""

import subprocess
import sys
from pathlib import Path

import pytest

_FULL = Path("/dev/full")
"""Takes nothing: whatever is written to it fails as on a full disk."""

_BY_LOG = """
import sys
import threading
from pathlib import Path
from node.machine import fail_stop
from node.telemetry.logs import configure_logs

configure_logs(Path(sys.argv[1]), "info", 1)
journal = threading.Thread(target=fail_stop, args=("replica_failed", OSError(28, "disk full")))
journal.start()
journal.join()
"""
_BY_PRINT = """
from node.consensus.fail_stop import stop_process

stop_process(OSError(28, "disk full"))
"""

pytestmark = pytest.mark.skipif(not _FULL.exists(), reason=f"there is no {_FULL}")


@pytest.mark.parametrize("script", [_BY_LOG, _BY_PRINT], ids=["by its log", "by its error output"])
def test_a_node_ends_when_its_log_is_on_the_full_disk(script: str, tmp_path: Path) -> None:
    """The thread that meets the failure ends the process with 70, though nothing can be said."""
    (tmp_path / "node.jsonl").symlink_to(_FULL)
    with _FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], stderr=full, check=False, timeout=60
        )

    assert done.returncode == 70
