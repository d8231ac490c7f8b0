"""What a run left behind that was itself killed with SIGKILL: found by its marks, and removed."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from chaos.real.belongings import MARK, dead_homes, processes_of
from chaos.real.namespace_site import delete_namespace
from chaos.real.tool import ToolFailedError
from chaos.real.volume import mounts_below, unmount

_NAMESPACES: Final = Path("/run/netns")
_END_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02


def remove_leftovers() -> list[str]:
    """Remove everything that belongs to runs that no longer live; return what it was.

    Runs that live are left alone, whoever started them. What cannot be removed, for want of root,
    say, is left for the next run and its folder with it.
    """
    removed = []
    for owner, home in dead_homes():
        removed += [f"process {process}" for process in _end_processes(owner)]
        try:
            for mount in mounts_below(home):
                unmount(mount)
                removed.append(f"mount {mount}")
            for namespace in sorted(_NAMESPACES.glob(f"{MARK}-{owner}-*")):
                delete_namespace(namespace.name)
                removed.append(f"namespace {namespace.name}")
        except ToolFailedError as error:
            removed.append(f"nothing more of process {owner}: {error}")
            continue
        shutil.rmtree(home, ignore_errors=True)
        removed.append(f"folder {home}")
    return removed


def _end_processes(owner: int) -> list[int]:
    """Kill what a dead run started, and wait until it has ended: only then can mounts go."""
    found = processes_of(owner)
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + _END_SECONDS
    while processes_of(owner) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found
