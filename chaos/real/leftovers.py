"""What a run left behind that was itself killed with SIGKILL: found by its marks, and removed."""

import os
import shutil
import signal
from contextlib import suppress

from chaos.real.belongings import dead_homes, processes_of


def remove_leftovers() -> list[str]:
    """Remove everything that belongs to runs that no longer live; return what it was.

    Runs that live are left alone, whoever started them.
    """
    removed = []
    for owner, home in dead_homes():
        for process in processes_of(owner):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                removed.append(f"process {process}")
        shutil.rmtree(home, ignore_errors=True)
        removed.append(f"folder {home}")
    return removed
