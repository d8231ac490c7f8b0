"""Bytes at rest that change or vanish: the node must notice, refuse to run, and be rebuilt."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

from chaos.real.catalogue import DISK, kind
from chaos.real.cluster_nodes import UnfeltError, UnsuitableError
from chaos.real.faults.processes import stop_well
from chaos.real.node_process import FAIL_STOPPED, STOPPED, NodeFailedError
from chaos.real.scene import Scene

_LAST_FLUSH_BYTES: Final = 4_096
"""At the end of the journal: damage in the last flush cannot be told from a torn tail, and what a
clean stop writes last may be lost."""
_RECOGNISED: Final = (
    "JournalDamageError",
    "JournalLostError",
    "SnapshotDamagedError",
    "SnapshotGapError",
)

Damage = Callable[[Path, Random], str]
"""Damages a node's folder and returns what it did. Raises UnsuitableError."""


@asynccontextmanager
async def _damaged(
    scene: Scene, random: Random, damage: Damage, *, noticed: bool
) -> AsyncIterator[str]:
    """Stop a node, damage its folder, and see that it refuses to run; then rebuild it.

    Unless it must be `noticed`, the node may also run on, and has felt nothing: the end of the
    round says if it was wrong to. Raises NodeFailedError.
    """
    cluster = scene.cluster
    numbers = sorted(cluster.damageable & cluster.free)
    if not numbers:
        raise UnsuitableError("no node that may be damaged is whole")
    number = random.choice(numbers)
    node = cluster.nodes[number]
    ends = (STOPPED, FAIL_STOPPED)
    with cluster.crippling(number, ends=ends), cluster.damaging(number):
        await stop_well(scene, number)
        try:
            what = damage(node.folder, random)
        except UnsuitableError:
            await cluster.revive(number)
            raise
        yield f"node {number}: {what}"
        refusal = await node.start_or_refuse()
        if refusal is None:
            if noticed:
                raise NodeFailedError(f"node {number} runs although {what}")
            raise UnfeltError(f"node {number} runs on: {what}")
        if refusal.code != FAIL_STOPPED or not refusal.words.startswith(_RECOGNISED):
            raise NodeFailedError(
                f"node {number} does not say what is wrong ({what}), but ended with code "
                f"{refusal.code}: {refusal.words}"
            )
        await cluster.revive(number, recover=True)
        await cluster.rebuilt(number)


def _segments(folder: Path) -> list[Path]:
    return sorted((folder / "journal").glob("segment-*"))


def _flip(file: Path, offset: int, random: Random) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)[0]
        opened.seek(offset)
        opened.write(bytes([byte ^ 1 << random.randrange(8)]))


def _flip_journal(folder: Path, random: Random) -> str:
    segments = _segments(folder)
    file = random.choice(segments)
    spared = _LAST_FLUSH_BYTES if file == segments[-1] else 0
    size = file.stat().st_size - spared
    if size <= 0:
        raise UnsuitableError("the journal is too short")
    offset = random.randrange(size)
    _flip(file, offset, random)
    return f"a bit was flipped at byte {offset} of {file.name}"


def _cut_journal(folder: Path, random: Random) -> str:
    segments = _segments(folder)[:-1]
    if not segments:
        raise UnsuitableError("the journal has one segment only")
    file = random.choice(segments)
    size = random.randrange(file.stat().st_size)
    with file.open("r+b") as opened:
        opened.truncate(size)
    return f"{file.name} was cut to {size} bytes"


def _lose_segment(folder: Path, random: Random) -> str:
    file = random.choice(_segments(folder))
    file.unlink()
    return f"{file.name} was lost"


def _lose_journal(folder: Path, random: Random) -> str:
    del random
    for file in (folder / "journal").iterdir():
        file.unlink()
    return "all files of the journal were lost"


def _flip_snapshot(folder: Path, random: Random) -> str:
    file = folder / "state.lmdb"
    if not file.exists():
        raise UnsuitableError("there is no snapshot yet")
    offset = random.randrange(file.stat().st_size)
    _flip(file, offset, random)
    return f"a bit was flipped at byte {offset} of {file.name}"


def _cut_snapshot(folder: Path, random: Random) -> str:
    file = folder / "state.lmdb"
    if not file.exists():
        raise UnsuitableError("there is no snapshot yet")
    size = random.randrange(file.stat().st_size)
    with file.open("r+b") as opened:
        opened.truncate(size)
    return f"{file.name} was cut to {size} bytes"


@kind("journal-flip", DISK, (0.0, 0.5))
async def journal_flip(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Flip a bit of a stopped node's journal; rebuild the node."""
    async with _damaged(scene, random, _flip_journal, noticed=True) as what:
        yield what


@kind("journal-cut", DISK, (0.0, 0.5))
async def journal_cut(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut off the end of a segment of a stopped node's journal; rebuild the node."""
    async with _damaged(scene, random, _cut_journal, noticed=True) as what:
        yield what


@kind("segment-lost", DISK, (0.0, 0.5))
async def segment_lost(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Delete a segment of a stopped node's journal; rebuild the node."""
    async with _damaged(scene, random, _lose_segment, noticed=True) as what:
        yield what


@kind("journal-lost", DISK, (0.0, 0.5))
async def journal_lost(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Delete the whole journal of a stopped node; rebuild the node."""
    async with _damaged(scene, random, _lose_journal, noticed=True) as what:
        yield what


@kind("snapshot-flip", DISK, (0.0, 0.5))
async def snapshot_flip(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Flip a bit of a stopped node's snapshot; rebuild the node if it matters."""
    async with _damaged(scene, random, _flip_snapshot, noticed=False) as what:
        yield what


@kind("snapshot-cut", DISK, (0.0, 0.5))
async def snapshot_cut(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut off the end of a stopped node's snapshot; rebuild the node if it matters."""
    async with _damaged(scene, random, _cut_snapshot, noticed=False) as what:
        yield what
