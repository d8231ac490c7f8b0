"""A node whose journal does not wait for the disk: the power-loss test must find it out.

Run as `python -m chaos.disks.without_fdatasync --config node.toml`: the product as it is, in a
process in which fdatasync of a journal's records returns at once. The sync behind a segment's
header is left in place: without it a node refuses to start, and nobody sees what was lost.
"""

import os
import runpy
from typing import Final

from chaos.disks.journal_layout import SEGMENT_HEADER_BYTES

_fdatasync: Final = os.fdatasync


def sync_all_but_records(descriptor: int) -> None:
    """Sync, unless the descriptor is of a journal's segment that holds records."""
    path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - no file of ours
    if path.endswith(".journal") and os.fstat(descriptor).st_size > SEGMENT_HEADER_BYTES:
        return
    _fdatasync(descriptor)


if __name__ == "__main__":
    os.fdatasync = sync_all_but_records  # type: ignore[assignment]
    runpy.run_module("node", run_name="__main__", alter_sys=True)
