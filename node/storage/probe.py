"""Check a snapshot file in a process of its own.

LMDB on damaged bytes may be silent, or take the process with it.

`probe_file` is what a node calls before it opens its snapshot and before it installs a copy;
`python -m node.storage.probe FILE` is the child that it starts. The child looks at the file from
the outside in: size, seal (every byte, when the last commit was complete), tree structure without
LMDB, meta record, checksum of each page, page count, and the state and ledger digests recomputed
from the pages.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from node.storage import snapshot_file
from node.storage.errors import SnapshotDamagedError, StorageError
from node.storage.seal import check_seal
from node.storage.snapshot_meta import SnapshotMeta

Pages = Iterable[tuple[bytes, bytes]]
Digests = Callable[[Pages], tuple[bytes, bytes]]
"""Recompute (state digest, ledger digest) from raw pages in key order."""

EXIT_SOUND: Final = 0
EXIT_DAMAGED: Final = 3

_SMALLEST_FILE: Final = 2 * 4096
"""An LMDB file has two root pages before anything else."""
_TIMEOUT_S: Final = 60
_TIMEOUT_S_PER_GIB: Final = 120


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a sound snapshot file holds.

    `index` is 0 and the digests are empty when no snapshot was ever committed to it. `sealed` tells
    that every byte of the file was compared, not only those that carry the state.
    """

    index: int
    page_count: int
    size_bytes: int
    sealed: bool
    state_digest: str
    ledger_digest: str
    elapsed_ms: int


def probe_file(path: Path) -> ProbeReport:
    """Return what the snapshot file holds, checked in a child process; nobody may be writing to it.

    Raises SnapshotDamagedError with the first thing found, also when the child crashed or took
    longer than a minute plus two a GiB. Blocks: call it before the loop starts, or in a thread.
    """
    size = path.stat().st_size
    return _run(path, [str(path)], timeout_s=_TIMEOUT_S + _TIMEOUT_S_PER_GIB * (size >> 30))


def copy_live(path: Path, target: Path) -> ProbeReport:
    """Copy a running node's snapshot `path` to the new file `target`, and probe the copy."""
    size = path.stat().st_size
    arguments = [str(path), "--copy-to", str(target)]
    return _run(path, arguments, timeout_s=_TIMEOUT_S + 2 * _TIMEOUT_S_PER_GIB * (size >> 30))


def inspect(path: Path, digests: Digests) -> ProbeReport:
    """Do the checks in this process, which should be a child's.

    Raises SnapshotDamagedError with the first thing found.
    """
    begun = time.monotonic_ns()
    size = path.stat().st_size
    if size < _SMALLEST_FILE:
        raise SnapshotDamagedError(
            path, f"it has {size} bytes; a snapshot has at least {_SMALLEST_FILE}"
        )
    try:
        seal = check_seal(path)
    except ValueError as error:
        raise SnapshotDamagedError(path, str(error)) from error
    faults = snapshot_file.structure_faults(path)
    if faults:
        raise SnapshotDamagedError(
            path, f"{len(faults)} faults in its structure, the first: {faults[0]}"
        )
    meta = snapshot_file.read_meta(path)
    state, ledger = b"", b""
    if meta is not None:
        state, ledger = _check_contents(path, meta, digests)
    index, pages = (meta.index, meta.page_count) if meta is not None else (0, 0)
    if seal.indexes and index not in seal.indexes:
        raise SnapshotDamagedError(
            path,
            f"it is at index {index} where it was changing from "
            f"{seal.indexes[0]} to {seal.indexes[1]}",
        )
    elapsed_ms = (time.monotonic_ns() - begun) // 1_000_000  # Rounds down.
    return ProbeReport(index, pages, size, seal.sealed, state.hex(), ledger.hex(), elapsed_ms)


def _check_contents(path: Path, meta: SnapshotMeta, digests: Digests) -> tuple[bytes, bytes]:
    counted = _Counted(snapshot_file.read_pages(path))
    try:
        state, ledger = digests(counted)
    except (ValueError, AssertionError) as error:
        raise SnapshotDamagedError(path, f"its pages contradict each other ({error})") from error
    if counted.count != meta.page_count:
        raise SnapshotDamagedError(
            path, f"it holds {counted.count} pages where its meta says {meta.page_count}"
        )
    if state != meta.state_digest:
        raise SnapshotDamagedError(
            path, f"its state digest is {state.hex()}, its meta says {meta.state_digest.hex()}"
        )
    if ledger != meta.ledger_digest:
        raise SnapshotDamagedError(
            path, f"its ledger digest is {ledger.hex()}, its meta says {meta.ledger_digest.hex()}"
        )
    return state, ledger


class _Counted:
    """Pages, counted as they pass."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.count = 0

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for page in self._pages:
            self.count += 1
            yield page


def _run(path: Path, arguments: list[str], timeout_s: int) -> ProbeReport:
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    try:
        child = subprocess.run(  # noqa: S603  # Our own module, by our own interpreter.
            [sys.executable, "-m", "node.storage.probe", *arguments],
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "PYTHONPATH": search_path},
        )
    except subprocess.TimeoutExpired as error:
        raise SnapshotDamagedError(path, f"the probe did not finish in {timeout_s} s") from error
    if child.returncode == EXIT_SOUND:
        return ProbeReport(**json.loads(child.stdout))
    if child.returncode == EXIT_DAMAGED:
        raise SnapshotDamagedError(path, json.loads(child.stdout)["finding"])
    if child.returncode < 0:
        raise SnapshotDamagedError(
            path, f"the probe was killed by signal {-child.returncode} while reading it"
        )
    last_line = child.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise StorageError(
        f"the probe of {path} could not run (exit code {child.returncode}): {last_line}"
    )


def _engine_digests(pages: Pages) -> tuple[bytes, bytes]:
    # Only the child loads the engine.
    from node.engine.snapshot import digests  # noqa: PLC0415
    from node.engine.snapshot_error import SnapshotError  # noqa: PLC0415

    try:
        return digests(pages)
    except SnapshotError as error:
        raise ValueError(str(error)) from error


def main(arguments: list[str]) -> int:
    """Probe the file named by `arguments` and print one JSON object: the report, or the finding."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path = Path(arguments[0])
    try:
        if len(arguments) == 3 and arguments[1] == "--copy-to":
            target = Path(arguments[2])
            snapshot_file.copy_from_live(path, target)
            path = target
        report = inspect(path, _engine_digests)
    except SnapshotDamagedError as error:
        print(json.dumps({"finding": error.finding}))  # noqa: T201  # The answer to the parent.
        return EXIT_DAMAGED
    except snapshot_file.FileError as error:
        print(json.dumps({"finding": f"LMDB: {error}"}))  # noqa: T201
        return EXIT_DAMAGED
    print(json.dumps(asdict(report)))  # noqa: T201
    return EXIT_SOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
