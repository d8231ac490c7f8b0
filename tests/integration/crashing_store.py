"""A process that commits or installs snapshots until it is killed, by itself or from outside.

`python -m tests.integration.crashing_store DIRECTORY commit|install KILL_AT`: with KILL_AT above 0
it kills itself at that durable step (fsync, rename or unlink); it prints one line after each
commit or install that returned.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from blake3 import blake3

from node.storage.probe import inspect
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.snapshot_store import SnapshotStore

PAGES = 60


def digests(pages: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Stand in for the engine's digests."""
    state = blake3()
    for key, value in pages:
        state.update(key).update(value)
    return state.digest(), blake3(state.digest()).digest()


def expected_pages(index: int) -> dict[bytes, bytes]:
    """Return what the store holds after the commit at `index`."""
    pages = {}
    for number in range(PAGES):
        written_at = index - (index - number) % 7
        if written_at > 0 and (number + written_at) % 11:
            key = (5).to_bytes(2, "big") + number.to_bytes(8, "big")
            size = 200 + number * written_at * 37 % 9_000
            content = blake3(key + written_at.to_bytes(8, "big")).digest() * (size // 32 + 1)
            pages[key] = content[:size]
    return pages


def changes(index: int) -> list[tuple[bytes, bytes]]:
    """Return how the pages at `index` differ from those at `index - 1`."""
    before, after = expected_pages(index - 1), expected_pages(index)
    gone = [(key, b"") for key in before if key not in after]
    return gone + [(key, value) for key, value in after.items() if before.get(key) != value]


def meta_for(index: int) -> SnapshotMeta:
    """Return the meta of the snapshot at `index`."""
    pages = expected_pages(index)
    state, ledger = digests(sorted(pages.items()))
    chain = index.to_bytes(32, "big")
    return SnapshotMeta(index, 1, 1, chain, state, ledger, len(pages), index, bytes(32))


def open_store(directory: Path) -> SnapshotStore:
    """Open the store with a probe that knows these digests."""
    return SnapshotStore(directory, probe=lambda path: inspect(path, digests))


def commit_next(store: SnapshotStore) -> int:
    """Commit the snapshot behind the latest one and return its index."""
    latest = store.latest()
    index = 1 if latest is None else latest.index + 1
    store.commit(changes(index), meta_for(index))
    return index


def _kill_at(step: int) -> None:
    """Make the `step`-th durable operation the last thing that this process does."""
    taken = 0

    def counting(operation: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **options: object) -> object:
            nonlocal taken
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments, **options)

        return run

    for name in ("fsync", "rename", "unlink"):
        setattr(os, name, counting(getattr(os, name)))


def main(directory: Path, work: str, kill_at: int) -> None:
    """Do the work."""
    store = open_store(directory)
    copies = [(path, path.with_suffix(".blake3").read_bytes()) for path in directory.glob("*.copy")]
    if kill_at:
        _kill_at(kill_at)
    if work == "install":
        for path, digest in copies:
            meta = store.install(path, digest, path.stat().st_size)
            print(meta.index, flush=True)  # noqa: T201
        return
    while True:
        print(commit_next(store), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
